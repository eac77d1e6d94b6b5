"""Restorers without learned weights: the input itself, bicubic interpolation, non-local means."""

import numpy as np
from jaxtyping import Float32
from PIL import Image

from raim.errors import need_extra
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.noise import estimate_noise
from raim.restore.pixels import resize_channel

# OpenCV's parameters for fastNlMeansDenoisingColored: its documentation recommends windows of 7 and 21.
PATCH_PX = 7
WINDOW_PX = 21
# The documentation gives h = 10 for strong noise; in units of the estimated deviation the IPOL demo uses 0.4 to 1
# times sigma for colour (Buades, Coll, Morel, "Non-Local Means Denoising", IPOL 2011, table 1: 0.55).
STRENGTH_PER_SIGMA = 0.55
WEAKEST, STRONGEST = 1.0, 20.0


def enlarge_bicubic(image: Photograph, scale: int) -> Photograph:
    """Enlarge by bicubic interpolation (a = -0.5, as Pillow has it).

    Example:
        >>> enlarge_bicubic(np.ones((8, 8, 3), np.float32), 2).shape
        (16, 16, 3)
    """
    return np.stack([enlarge_channel(image[..., channel], scale) for channel in range(3)], axis=-1)


def enlarge_channel(channel: Float32[np.ndarray, "_h _w"], scale: int) -> Float32[np.ndarray, "_H _W"]:
    """Enlarge one channel so; at scale 1 it is returned as it is."""
    height, width = (side * scale for side in channel.shape)
    return resize_channel(channel, height, width, Image.Resampling.BICUBIC)


def bicubic(scale: int) -> Restorer:
    """Describe bicubic interpolation."""
    return Restorer(
        name=f"bicubic-x{scale}",
        purpose=f"enlarge {scale} times by bicubic interpolation",
        compute=lambda image, _: enlarge_bicubic(image, scale),
        scale=scale,
        can_invent=False,
        is_range_known=True,
        source="Keys, IEEE TASSP 29(6), 1981",
        seconds_per_megapixel=0.02 * scale**2,
    )


def denoise_nlm(image: Photograph, sigma: float, *, threads: int) -> Photograph:
    """Denoise by non-local means, in steps of 8 bits (OpenCV has no finer colour form)."""
    need_extra("nlm", "opencv", "cv2")
    import cv2

    strength = float(np.clip(STRENGTH_PER_SIGMA * sigma, WEAKEST, STRONGEST))
    pixels = np.rint(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        restored = cv2.fastNlMeansDenoisingColored(pixels, None, strength, strength, PATCH_PX, WINDOW_PX)
    finally:
        cv2.setNumThreads(before)
    return restored.astype(np.float32) / np.float32(255)


def nlm(sigma: float | None = None) -> Restorer:
    """Describe non-local means for noise of a sigma, of 255; None for the measured one."""

    def compute(image: Photograph, context: Context) -> Photograph:
        level = estimate_noise(image) if sigma is None else sigma
        context.on_note(f"non-local means for a noise of sigma {level:.1f}")
        return denoise_nlm(image, level, threads=context.threads)

    return Restorer(
        name="nlm",
        purpose="denoise by non-local means of the measured strength",
        compute=compute,
        source="Buades, Coll, Morel, IPOL 2011; OpenCV",
        seconds_per_megapixel=3.0,
    )


IDENTITY = Restorer(
    name="identity",
    purpose="the input as it is",
    compute=lambda image, _: image,
    can_invent=False,
    seconds_per_megapixel=0.001,
)
