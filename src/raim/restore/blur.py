"""The blur that makes an input of a restored photograph: measured, and applied to it.

The input x is taken for k * y + noise, y being the restored, both in luma. k is fitted by least squares to the whole
photograph, and then in windows of 128 pixels (and 32 around them), since blur differs between places:

    whole     minimise  mean w (x - k * y)^2  +  ridge |k - 1|^2,                     ridge = 1e-4 mean w y^2
    window    minimise  mean w (x - k * y)^2  +  0.1 mean_whole w ((k - k_whole) * y)^2  +  ridge |k - k_whole|^2

x and y are taken about their means, and each pixel counts by w = 1 / (v + (4/255)^2), v being the variance of y around
it, so that a place does not count for its contrast; then, in a few passes more, by w / (1 + w r^2 / 0.03), r being what
the pass before has left there, so that what was painted in has little say. A window without texture takes the kernel of
the whole. k has up to 15 x 15 taps.

Source: raim; least squares for a kernel as in Efrat et al., "Accurate blur models vs. image priors in single image
super-resolution", ICCV 2013, section 3; the second weight is Cauchy's, as in Holland, Welsch, "Robust regression
using iteratively reweighted least-squares", Communications in Statistics A6(9), 1977.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

WINDOW_PX = 128
WINDOW_BORDER_PX = 32
MOST_REACH_PX = 7
PX_PER_REACH = 16  # of a side: small photographs have too few pixels for many taps
MOST_SAMPLES = 30_000  # of the whole; in windows every third pixel of each row and column
WINDOW_STEP = 3  # odd: it meets every phase of a JPEG block
WHOLE_WEIGHT, RIDGE = 0.1, 1e-4
NEAR_PX = 8  # on each side of a pixel, for the contrast around it
LEAST_CONTRAST = 4 / 255  # below it there is more noise than texture to fit to
DOUBT = 0.03  # of the variance around a pixel: what is left there at half its weight
WHOLE_PASSES, WINDOW_PASSES = 4, 2

Plane = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BlurWindow:
    """A part of a photograph."""

    rows: slice
    columns: slice

    def widen(self, before_px: int, after_px: int) -> tuple[slice, slice]:
        """Return its rows and columns with more on each side, no further than the first."""
        rows, columns = (
            slice(max(part.start - before_px, 0), part.stop + after_px) for part in (self.rows, self.columns)
        )
        return rows, columns


def list_windows(height: int, width: int) -> list[BlurWindow]:
    """Cut a photograph into windows of 128 pixels.

    Example:
        >>> [(window.rows, window.columns) for window in list_windows(16, 144)]
        [(slice(0, 16, None), slice(0, 128, None)), (slice(0, 16, None), slice(128, 144, None))]
    """
    rows, columns = (
        [slice(start, min(start + WINDOW_PX, end)) for start in range(0, end, WINDOW_PX)]
        for end in (height, width)
    )
    return [BlurWindow(rows=tall, columns=wide) for tall, wide in itertools.product(rows, columns)]


def bring_back(image: Plane, restored: Plane) -> Iterator[tuple[BlurWindow, Plane]]:
    """Blur a restored photograph as its input is: yield each window, and the restored within it, blurred.

    Both are luma, of one size, at least 16x16.

    Example:
        >>> restored = np.random.default_rng(0).random((64, 64), np.float32)
        >>> shifted = np.roll(restored, 3, axis=1)
        >>> ((window, brought),) = bring_back(shifted, restored)
        >>> bool(np.abs(brought - shifted)[8:-8, 8:-8].max() < 0.02)
        True
    """
    height, width = image.shape
    reach = min(MOST_REACH_PX, min(height, width) // PX_PER_REACH)
    x, y = (luma - luma.mean(dtype=np.float64).astype(np.float32) for luma in (image, restored))
    step = math.ceil(math.sqrt(height * width / MOST_SAMPLES))
    weights = weigh_pixels(y)
    whole = fit_whole(take_samples(x, y, weights, reach, step + (step % 2 == 0)))
    padded = np.pad(restored, reach, mode="reflect")
    for window in list_windows(height, width):
        near = window.widen(WINDOW_BORDER_PX, WINDOW_BORDER_PX)
        kernel = fit_window(take_samples(x[near], y[near], weights[near], reach, WINDOW_STEP), whole)
        yield window, correlate_about_mean(padded[window.widen(0, 2 * reach)], kernel)


def weigh_pixels(plane: Plane) -> Plane:
    """Return one over the variance around each pixel, so that places count alike whatever their contrast.

    Example:
        >>> round(float(weigh_pixels(np.zeros((20, 20), np.float32))[0, 0]))
        4064
    """
    mean = average_around(plane)
    variance = np.maximum(average_around(plane * plane) - mean * mean, 0)
    return 1 / (variance + np.float32(LEAST_CONTRAST**2))


def average_around(plane: Plane) -> Plane:
    """Return the mean of the 17x17 pixels around each, the border repeated beyond it.

    Example:
        >>> plane = np.zeros((17, 17), np.float32)
        >>> plane[8, 8] = 289
        >>> average_around(plane)[:2, 0]
        array([1., 1.], dtype=float32)
    """
    side = 2 * NEAR_PX + 1
    sums = np.pad(plane, NEAR_PX, mode="edge").astype(np.float64)
    for axis in (0, 1):
        running = np.insert(np.cumsum(sums, axis=axis), 0, 0, axis=axis)
        sums = running[side:] - running[:-side] if axis == 0 else running[:, side:] - running[:, :-side]
    return (sums / side**2).astype(np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """Pixels that a kernel is fitted to: what lies under its taps at each, the input there, and what each counts."""

    under: Float32[np.ndarray, "n taps2"]
    wanted: Float32[np.ndarray, " n"]
    weights: Float32[np.ndarray, " n"]

    def doubt(self, kernel: Float64[np.ndarray, " taps2"]) -> "Samples":
        """Return the same with less weight where a kernel leaves much of what is there."""
        rest = self.wanted - self.under @ kernel.astype(np.float32)
        doubted = self.weights / (1 + rest * rest * self.weights / np.float32(DOUBT))
        return dataclasses.replace(self, weights=doubted)

    def sum_products(self) -> tuple[Float64[np.ndarray, "taps2 taps2"], Float64[np.ndarray, " taps2"]]:
        """Return the mean products of what lies under each two taps, and under each with the input."""
        weighted = self.under * self.weights[:, None]
        products, along = weighted.T @ self.under, weighted.T @ self.wanted
        return products.astype(np.float64) / len(weighted), along.astype(np.float64) / len(weighted)


def take_samples(x: Plane, y: Plane, weights: Plane, reach: int, step: int) -> Samples:
    """Take every so many pixels of each row and column."""
    taps = 2 * reach + 1
    under = np.lib.stride_tricks.sliding_window_view(y, (taps, taps))[::step, ::step]
    wanted, own = (
        plane[reach : len(x) - reach : step, reach : x.shape[1] - reach : step].ravel()
        for plane in (x, weights)
    )
    return Samples(under=under.reshape(-1, taps**2), wanted=wanted, weights=own)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """The blur of the whole photograph.

    Its kernel is applied as a correlation; `products` are mean products of the pixels under each two taps, `ridge` is
    the weight of |k - kernel|^2.
    """

    kernel: Float64[np.ndarray, "taps taps"]
    products: Float64[np.ndarray, "n n"]
    ridge: float


def fit_whole(samples: Samples) -> Fit:
    """Fit the blur of the whole."""
    n_taps = samples.under.shape[1]
    start = np.zeros(n_taps)
    start[n_taps // 2] = 1  # no blur
    doubted = samples
    for _ in range(WHOLE_PASSES):
        products, along = doubted.sum_products()
        ridge = RIDGE * float(np.trace(products)) / n_taps + float(
            np.finfo(np.float32).tiny
        )  # if all is flat
        kernel = np.linalg.solve(products + ridge * np.eye(n_taps), along + ridge * start)
        doubted = samples.doubt(kernel)
    taps = math.isqrt(n_taps)
    return Fit(kernel=kernel.reshape(taps, taps), products=products, ridge=ridge)


def fit_window(samples: Samples, whole: Fit) -> Float64[np.ndarray, "taps taps"]:
    """Fit the blur of a window, as far from that of the whole as its own texture demands."""
    start = whole.kernel.ravel()
    prior = WHOLE_WEIGHT * whole.products
    prior[np.diag_indices_from(prior)] += whole.ridge
    doubted = samples
    for _ in range(WINDOW_PASSES):
        products, along = doubted.sum_products()
        kernel = np.linalg.solve(products + prior, along + prior @ start)
        doubted = samples.doubt(kernel)
    return kernel.reshape(whole.kernel.shape)


def correlate_about_mean(
    padded: Float32[np.ndarray, "_H _W"], kernel: Float64[np.ndarray, "taps taps"]
) -> Float32[np.ndarray, "_h _w"]:
    """Apply a kernel about the mean; what it needs beyond the result is there.

    Example:
        >>> kernel = np.zeros((3, 3))
        >>> kernel[1, 2] = 1
        >>> correlate_about_mean(np.arange(16, dtype=np.float32).reshape(4, 4), kernel).round(3)
        array([[ 6.,  7.],
               [10., 11.]], dtype=float32)
    """
    height, width = (side - len(kernel) + 1 for side in padded.shape)
    sides = [side + -side % 16 for side in padded.shape]  # fast to transform
    mean = padded.mean()
    spectrum = np.fft.rfft2(padded - mean, s=sides) * np.conj(np.fft.rfft2(kernel, s=sides))
    return (np.fft.irfft2(spectrum, s=sides)[:height, :width] + mean).astype(np.float32)
