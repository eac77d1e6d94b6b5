"""The blur that makes an input of a restored photograph: measured, and applied to it.

The input x is taken for k * y + noise, y being the restored. k is fitted by least squares to the luma of the whole
photograph, and then in windows of 128 pixels (and 32 around them), since blur differs between places:

    whole     minimise  mean (x - k * y)^2  +  ridge |k - 1|^2,                     ridge = 1e-4 mean y^2
    window    minimise  mean (x - k * y)^2  +  0.1 mean_whole ((k - k_whole) * y)^2  +  ridge |k - k_whole|^2

x and y are taken about their means. So a window without texture takes the kernel of the whole, and what was painted
on such a window is not taken for its blur. k has up to 15 x 15 taps.

Source: raim; least squares for a kernel as in Efrat et al., "Accurate blur models vs. image priors in single image
super-resolution", ICCV 2013, section 3.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from raim.restore.descriptor import Photograph
from raim.restore.spectrum import LUMA

WINDOW_PX = 128
WINDOW_BORDER_PX = 32
MOST_REACH_PX = 7
PX_PER_REACH = 16  # of a side: small photographs have too few pixels for many taps
MOST_SAMPLES = 30_000  # of the whole; in windows every third pixel of each row and column
WINDOW_STEP = 3  # odd: it meets every phase of a JPEG block
WHOLE_WEIGHT, RIDGE = 0.1, 1e-4

Plane = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A part of a photograph."""

    rows: slice
    columns: slice

    def widen(self, before_px: int, after_px: int) -> tuple[slice, slice]:
        """Give its rows and columns with more on each side, no further than the first."""
        return (
            slice(max(self.rows.start - before_px, 0), self.rows.stop + after_px),
            slice(max(self.columns.start - before_px, 0), self.columns.stop + after_px),
        )


def list_windows(height: int, width: int) -> list[Window]:
    """Cut a photograph into windows of 128 pixels.

    Example:
        >>> [(window.rows, window.columns) for window in list_windows(16, 144)]
        [(slice(0, 16, None), slice(0, 128, None)), (slice(0, 16, None), slice(128, 144, None))]
    """
    rows, columns = (
        [slice(start, min(start + WINDOW_PX, end)) for start in range(0, end, WINDOW_PX)]
        for end in (height, width)
    )
    return [Window(rows=tall, columns=wide) for tall, wide in itertools.product(rows, columns)]


def bring_back(image: Photograph, restored: Photograph) -> Iterator[tuple[Window, Photograph]]:
    """Blur a restored photograph as its input is, window by window.

    Args:
        image: (h, w, 3), at least 16x16.
        restored: Of the same size.

    Yields:
        Each window, and the restored within it, blurred.

    Example:
        >>> restored = np.random.default_rng(0).random((64, 64, 3), np.float32)
        >>> shifted = np.roll(restored, 3, axis=1)
        >>> ((window, brought),) = bring_back(shifted, restored)
        >>> bool(np.abs(brought - shifted)[8:-8, 8:-8].max() < 0.02)
        True
    """
    height, width = image.shape[:2]
    reach = min(MOST_REACH_PX, min(height, width) // PX_PER_REACH)
    x, y = (luma - luma.mean(dtype=np.float64).astype(np.float32) for luma in (image @ LUMA, restored @ LUMA))
    step = math.ceil(math.sqrt(height * width / MOST_SAMPLES))
    whole = fit_whole(x, y, reach, step + (step % 2 == 0))
    padded = np.pad(restored, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    for window in list_windows(height, width):
        near = window.widen(WINDOW_BORDER_PX, WINDOW_BORDER_PX)
        yield window, correlate(padded[window.widen(0, 2 * reach)], fit_window(x[near], y[near], whole))


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """The blur of the whole photograph.

    Attributes:
        kernel: (taps, taps), applied as a correlation.
        products: Mean products of the pixels under each two taps.
        ridge: Weight of |k - kernel|^2.
    """

    kernel: Float64[np.ndarray, "taps taps"]
    products: Float64[np.ndarray, "n n"]
    ridge: float


def fit_whole(x: Plane, y: Plane, reach: int, step: int) -> Fit:
    """Fit the blur that makes a plane of another, both without their mean."""
    taps = 2 * reach + 1
    products, wanted = sum_products(x, y, reach, step)
    ridge = RIDGE * float(np.trace(products)) / taps**2 + float(np.finfo(np.float32).tiny)  # of flat ones
    start = np.zeros(taps**2)
    start[taps**2 // 2] = 1  # no blur
    kernel = np.linalg.solve(products + ridge * np.eye(taps**2), wanted + ridge * start)
    return Fit(kernel=kernel.reshape(taps, taps), products=products, ridge=ridge)


def fit_window(x: Plane, y: Plane, whole: Fit) -> Float64[np.ndarray, "taps taps"]:
    """Fit the blur of a window, as far from that of the whole as its own texture demands."""
    taps = len(whole.kernel)
    if min(x.shape) < 2 * taps:
        return whole.kernel
    products, wanted = sum_products(x, y, taps // 2, WINDOW_STEP)
    start = whole.kernel.ravel()
    prior = WHOLE_WEIGHT * whole.products
    prior[np.diag_indices_from(prior)] += whole.ridge
    return np.linalg.solve(products + prior, wanted + prior @ start).reshape(taps, taps)


def sum_products(
    x: Plane, y: Plane, reach: int, step: int
) -> tuple[Float64[np.ndarray, "n n"], Float64[np.ndarray, " n"]]:
    """Give the mean products of the pixels of y under each two taps, and of x with those under each."""
    taps = 2 * reach + 1
    windows = np.lib.stride_tricks.sliding_window_view(y, (taps, taps))[::step, ::step]
    samples = windows.reshape(-1, taps**2)
    wanted = x[reach : len(x) - reach : step, reach : x.shape[1] - reach : step].ravel()
    products, along = samples.T @ samples, samples.T @ wanted
    return products.astype(np.float64) / len(samples), along.astype(np.float64) / len(samples)


def correlate(padded: Photograph, kernel: Float64[np.ndarray, "taps taps"]) -> Photograph:
    """Apply a kernel to each channel, about the channel's mean; what it needs beyond the result is there.

    Example:
        >>> kernel = np.zeros((3, 3))
        >>> kernel[1, 2] = 1
        >>> picture = np.arange(16, dtype=np.float32).reshape(4, 4, 1).repeat(3, axis=2)
        >>> correlate(picture, kernel)[..., 0].round(3)
        array([[ 6.,  7.],
               [10., 11.]], dtype=float32)
    """
    height, width = (side - len(kernel) + 1 for side in padded.shape[:2])
    sides = [side + -side % 16 for side in padded.shape[:2]]  # fast to transform
    spectrum = np.conj(np.fft.rfft2(kernel, s=sides))
    result = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        plane = padded[..., channel]
        mean = plane.mean()
        transformed = np.fft.rfft2(plane - mean, s=sides) * spectrum
        result[..., channel] = np.fft.irfft2(transformed, s=sides)[:height, :width] + mean
    return result
