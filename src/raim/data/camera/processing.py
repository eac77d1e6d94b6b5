"""What the camera does to the encoded picture: smoothing, the colour noise that it leaves, few bits, sharpening."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from raim.data.camera.arrays import Channel, Rgb, join_luma, split_luma
from raim.data.camera.convolution import blur_gaussian
from raim.data.camera.stage import CameraStage, number


@dataclass(frozen=True, kw_only=True, slots=True)
class Denoise(CameraStage):
    """Denoising that goes too far: fine texture is taken for noise and smoothed away, strong edges stay.

    A guided filter on each of Y, Cb, Cr, guided by itself: in each window, with m and v its mean and variance,

        out = a x + (1 - a) m,    a = v / (v + strength^2)

    so what varies less than `strength` goes, what varies more stays; a and (1 - a) m are averaged over the windows that
    hold a pixel.

    Source: He, Sun and Tang, "Guided Image Filtering", IEEE Transactions on Pattern Analysis and Machine Intelligence
    35(6), 2013, equations 5, 6 and 8, section 3.3 (self-guided: edge-preserving smoothing).
    """

    radius_px: int = number(0, 0, 50, "half side of the window; 0 is off")
    luma_strength: float = number(0.05, 0, 1, "deviation, in encoded values, below which brightness is noise")
    chroma_strength: float = number(0.1, 0, 1, "the same of Cb and Cr")


@dataclass(frozen=True, kw_only=True, slots=True)
class ChromaNoise(CameraStage):
    """Colour noise of low frequency and colour blocks: what a weak denoiser leaves of noise in the dark.

    Cb and Cr get a field of given standard deviation and width, and one value for each block; both fade with
    brightness:

        Cb' = Cb + (1 - Y)^2 / m * (sigma F_scale + block_sigma B),    m = 1/3, the mean of (1 - Y)^2 over [0, 1]

    where F is white noise behind a Gaussian of `scale_px`, scaled to unit variance by its closed form 2 scale sqrt(pi),
    and B is one normal number for each block.

    Source: Liu et al., "Automatic Estimation and Removal of Noise from a Single Image", IEEE Transactions on Pattern
    Analysis and Machine Intelligence 30(2), 2008, section 2 (colour noise correlated by demosaicing and smoothing). The
    fade is ours: it stands for read noise under the slope of the encoding, which is steepest in the dark.
    """

    NAME: ClassVar[str] = "chroma"

    sigma: float = number(0.0, 0, 0.5, "deviation of blotches at a brightness of 0.42, in encoded values")
    scale_px: float = number(8.0, 1, 200, "their width")
    block_sigma: float = number(0.0, 0, 0.5, "standard deviation of the blocks' colours; 0 is none")
    block_px: int = number(16, 2, 256, "side of a block")
    seed: int = number(0, 0, np.inf, "of both")


@dataclass(frozen=True, kw_only=True, slots=True)
class Banding(CameraStage):
    """Limited bit depth: smooth slopes break into bands.

        out = rint(x (2^bits - 1)) / (2^bits - 1)

    without dither, so the error is no noise but steps. Its variance over a slope is step^2 / 12.

    Source: Bennett, "Spectra of Quantized Signals", Bell System Technical Journal 27(3), 1948 (step^2 / 12); Roberts,
    "Picture coding using pseudo-random noise", IRE Transactions on Information Theory 8(2), 1962 (bands without
    dither).
    """

    bits: int = number(0, 2, 8, "of each channel; 0 does not round")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sharpening(CameraStage):
    """Sharpening by unsharp mask: edges overshoot on both sides, which shows as halos.

        Y' = Y + amount (Y - G(Y))

    On a step of height h with a wide G the overshoot tends to amount h / 2 on each side.

    Source: Polesel, Ramponi and Mathews, "Image Enhancement via Adaptive Unsharp Masking", IEEE Transactions on Image
    Processing 9(3), 2000, equation 1 (the linear form).
    """

    amount: float = number(0.0, 0, 10, "0 is off; cameras use 0.5 to 2, 5 is grotesque")
    radius_px: float = number(1.0, 0.1, 100, "standard deviation of the Gaussian")


def smooth_noise(picture: Rgb, stage: Denoise) -> Rgb:
    """Return encoded values, smoothed."""
    if stage.radius_px == 0:
        return picture
    planes = split_luma(picture)
    strengths = (stage.luma_strength, stage.chroma_strength, stage.chroma_strength)
    for channel, strength in enumerate(strengths):
        planes[..., channel] = _guided(planes[..., channel], stage.radius_px, strength)
    return join_luma(planes)


def _guided(plane: Channel, radius_px: int, strength: float) -> Channel:
    from scipy.ndimage import uniform_filter

    def average(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, 2 * radius_px + 1, mode="reflect")

    exact = plane.astype(np.float64)  # the variance is a difference of two near numbers
    mean = average(exact)
    variance = np.maximum(average(exact * exact) - mean * mean, 0)
    kept = variance / (variance + strength**2 + 1e-12)
    return (average(kept) * exact + average((1 - kept) * mean)).astype(np.float32)


def draw_blotches(
    height: int, width: int, scale_px: float, rng: np.random.Generator
) -> Float32[np.ndarray, "{height} {width}"]:
    """Return a field of mean 0 and variance 1 whose grains are as wide as a Gaussian of `scale_px`."""
    # Drawn with a margin, since mirrored edges would add up at the border.
    margin = int(np.ceil(3 * scale_px))
    white = rng.standard_normal((height + 2 * margin, width + 2 * margin), np.float32)
    field = blur_gaussian(white, scale_px)[margin : margin + height, margin : margin + width]
    return field * np.float32(2 * scale_px * np.sqrt(np.pi))


def _draw_blocks(height: int, width: int, block_px: int, rng: np.random.Generator) -> Channel:
    small = rng.standard_normal((-(-height // block_px), -(-width // block_px)), np.float32)
    return small.repeat(block_px, axis=0).repeat(block_px, axis=1)[:height, :width]


def add_chroma_noise(picture: Rgb, stage: ChromaNoise) -> Rgb:
    """Return encoded values with blotches and blocks in Cb and Cr; brightness stays."""
    if stage.sigma == 0 and stage.block_sigma == 0:
        return picture
    rng = np.random.default_rng(stage.seed)
    planes = split_luma(picture)
    height, width = picture.shape[:2]
    fade = 3 * (1 - planes[..., 0]) ** 2
    for channel in (1, 2):
        blotches = draw_blotches(height, width, stage.scale_px, rng)
        blocks = _draw_blocks(height, width, stage.block_px, rng)
        planes[..., channel] += fade * (stage.sigma * blotches + stage.block_sigma * blocks).astype(
            np.float32
        )
    return join_luma(planes)


def round_to_steps(picture: Rgb, stage: Banding) -> Rgb:
    """Return encoded values rounded to the steps of a bit depth."""
    if stage.bits == 0:
        return picture
    largest = np.float32(2**stage.bits - 1)
    return np.rint(picture * largest) / largest


def sharpen(picture: Rgb, stage: Sharpening) -> Rgb:
    """Return encoded values with their brightness sharpened; what leaves [0, 1] is cut."""
    if stage.amount == 0:
        return picture
    planes = split_luma(picture)
    luma = np.ascontiguousarray(planes[..., 0])
    planes[..., 0] += np.float32(stage.amount) * (luma - blur_gaussian(luma, stage.radius_px))
    return join_luma(planes)
