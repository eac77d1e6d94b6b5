"""FFDNet for colour: a denoiser that takes the strength of the noise.

The photograph becomes twelve planes of half its size (2x2 pixels to channels), a plane of sigma is added, twelve
3x3 convolutions of 96 channels follow, and the planes become a photograph again.

Source: Zhang, Zuo, Zhang, "FFDNet: Toward a fast and flexible solution for CNN-based image denoising", IEEE TIP
27(9), 2018 (arXiv 1710.04026), section III.
"""

import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from raim.errors import InputError
from raim.networks.nets import FFDNET
from raim.networks.tiles import Tiling, run_tiled
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.noise import estimate_noise

Planes = Float32[np.ndarray, "_c _h _w"]
STRONGEST = 75.0  # the net was trained on sigma 0 to 75
# Twelve convolutions at half size reach 24 pixels: with that overlap tiles equal the whole exactly.
TILING = Tiling(tile_px=512, overlap_px=24, ramp_px=8, multiple=2, border_px=8)


def to_planes(image: Photograph) -> Planes:
    """Bring 2x2 pixels to channels: (h, w, 3) to (12, h/2, w/2), colour first, then row, then column.

    Example:
        >>> to_planes(np.arange(12, dtype=np.float32).reshape(2, 2, 3))[:4, 0, 0]
        array([0., 3., 6., 9.], dtype=float32)
    """
    height, width = (side // 2 for side in image.shape[:2])
    blocks = image.reshape(height, 2, width, 2, 3)
    return np.ascontiguousarray(blocks.transpose(4, 1, 3, 0, 2).reshape(12, height, width))


def from_planes(planes: Planes) -> Photograph:
    """Undo `to_planes`.

    Example:
        >>> image = np.random.default_rng(0).random((4, 6, 3), np.float32)
        >>> bool((from_planes(to_planes(image)) == image).all())
        True
    """
    _, height, width = planes.shape
    blocks = planes.reshape(3, 2, 2, height, width).transpose(3, 1, 4, 2, 0)
    return np.ascontiguousarray(blocks.reshape(2 * height, 2 * width, 3))


def denoise(image: Photograph, sigma: float, context: Context) -> Photograph:
    """Denoise by the standard deviation of the noise, of 255, 0 to 75.

    Raises:
        InputError: Sigma is outside its range.
    """
    if not 0 <= sigma <= STRONGEST:
        raise InputError(f"sigma is {sigma:g}; FFDNet takes 0 to {STRONGEST:g} (of 255)")
    convolve = _find_convolutions(context)

    def network(tile: Photograph) -> Photograph:
        planes = to_planes(tile)
        level = np.full((1, *planes.shape[1:]), sigma / 255, np.float32)
        return from_planes(convolve(np.concatenate([planes, level])))

    restored = run_tiled(
        image,
        network,
        TILING.with_tile(context.tile_px),
        threads=context.threads,
        on_progress=context.on_progress,
    )
    return np.ascontiguousarray(restored)


def _find_convolutions(context: Context) -> Callable[[Planes], Planes]:
    if context.device == "cpu":
        from raim.networks.ncnn import chain_network

        net = chain_network(FFDNET)
        return lambda planes: net.run({"in": planes}, "out")
    from raim.networks.torch import run_chain

    return functools.partial(run_chain, FFDNET, device=context.device)


def ffdnet(sigma: float | None = None) -> Restorer:
    """Describe FFDNet for noise of a sigma, of 255; None for the measured one."""

    def compute(image: Photograph, context: Context) -> Photograph:
        level = sigma if sigma is not None else min(estimate_noise(image), STRONGEST)
        context.on_note(f"FFDNet at sigma {level:.1f}" + ("" if sigma is not None else ", as measured"))
        return denoise(image, level, context)

    return Restorer(
        name="ffdnet",
        purpose="denoise, at the measured or a given noise level",
        compute=compute,
        is_range_known=True,
        source="Zhang, Zuo, Zhang, IEEE TIP 2018; cszn/KAIR",
        weights=(FFDNET.weights,),
        seconds_per_megapixel=2.5,
        devices=("cpu", "torch"),
    )
