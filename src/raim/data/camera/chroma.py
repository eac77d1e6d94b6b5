"""Colour noise of low frequency and colour blocks: what a weak denoiser leaves of noise in the dark.

Cb and Cr get a field of given standard deviation and width, and one value for each block; both fade with brightness:

    Cb' = Cb + (1 - Y)^2 / m * (sigma F_scale + block_sigma B),    m = 1/3, the mean of (1 - Y)^2 over [0, 1]

where F is white noise behind a Gaussian of `scale_px`, scaled to unit variance by its closed form 2 scale sqrt(pi), and
B is one normal number for each block.

Source: Liu et al., "Automatic Estimation and Removal of Noise from a Single Image", IEEE Transactions on Pattern
Analysis and Machine Intelligence 30(2), 2008, section 2 (colour noise correlated by demosaicing and smoothing). The
fade is ours: it stands for read noise under the slope of the encoding, which is steepest in the dark.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from raim.data.camera.arrays import Plane, Scene, require_range
from raim.data.camera.convolution import blur_gaussian
from raim.data.camera.luma import join_luma, split_luma


@dataclass(frozen=True, kw_only=True, slots=True)
class ChromaNoise:
    """Colour blotches and blocks.

    Attributes:
        sigma: Standard deviation of the blotches at a brightness of 0.42, in encoded values; 0 is none.
        scale_px: Their width, 1 to 200.
        block_sigma: Standard deviation of the blocks' colours; 0 is none.
        block_px: Side of a block.
        seed: Of both.
    """

    sigma: float = 0.0
    scale_px: float = 8.0
    block_sigma: float = 0.0
    block_px: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("chroma.sigma", self.sigma, 0, 0.5)
        require_range("chroma.scale_px", self.scale_px, 1, 200)
        require_range("chroma.block_sigma", self.block_sigma, 0, 0.5)
        require_range("chroma.block_px", self.block_px, 2, 256)
        require_range("chroma.seed", self.seed, 0)


def draw_blotches(
    height: int, width: int, scale_px: float, rng: np.random.Generator
) -> Float32[np.ndarray, "{height} {width}"]:
    """Draw a field of mean 0 and variance 1 whose grains are as wide as a Gaussian of `scale_px`.

    Example:
        >>> field = draw_blotches(256, 256, 3.0, np.random.default_rng(0))
        >>> bool(abs(field.std() - 1) < 0.1)
        True
    """
    # Drawn with a margin, since mirrored edges would add up at the border.
    margin = int(np.ceil(3 * scale_px))
    white = rng.standard_normal((height + 2 * margin, width + 2 * margin), np.float32)
    field = blur_gaussian(white, scale_px)[margin : margin + height, margin : margin + width]
    return field * np.float32(2 * scale_px * np.sqrt(np.pi))


def draw_blocks(
    height: int, width: int, block_px: int, rng: np.random.Generator
) -> Float32[np.ndarray, "{height} {width}"]:
    """Draw one normal number for each block.

    Example:
        >>> np.diff(draw_blocks(4, 8, 4, np.random.default_rng(0))[0]) != 0
        array([False, False, False,  True, False, False, False])
    """
    small = rng.standard_normal((-(-height // block_px), -(-width // block_px)), np.float32)
    return small.repeat(block_px, axis=0).repeat(block_px, axis=1)[:height, :width]


def add_chroma_noise(picture: Scene, stage: ChromaNoise) -> Scene:
    """Add blotches and blocks to Cb and Cr of encoded values; brightness stays.

    Example:
        >>> grey = np.full((64, 64, 3), 0.3, np.float32)
        >>> noisy = split_luma(add_chroma_noise(grey, ChromaNoise(sigma=0.02)))
        >>> bool(np.ptp(noisy[..., 0]) < 1e-5), bool(noisy[..., 1].std() > 0.01)
        (True, True)
    """
    if stage.sigma == 0 and stage.block_sigma == 0:
        return picture
    rng = np.random.default_rng(stage.seed)
    planes = split_luma(picture)
    fade = 3 * (1 - planes[..., 0]) ** 2
    for channel in (1, 2):
        planes[..., channel] += fade * _draw_plane(fade.shape[0], fade.shape[1], stage, rng)
    return join_luma(planes)


def _draw_plane(height: int, width: int, stage: ChromaNoise, rng: np.random.Generator) -> Plane:
    blotches = draw_blotches(height, width, stage.scale_px, rng)
    blocks = draw_blocks(height, width, stage.block_px, rng)
    return (stage.sigma * blotches + stage.block_sigma * blocks).astype(np.float32)
