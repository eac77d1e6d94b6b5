r"""The blur that lies between a sharp reference and its blurred input: estimated, centred, applied.

Where input = k * reference + noise in linear light, the kernel is the solution of least squares that is nowhere
negative,

    minimise  sum over frequencies f  |f|^2 |I(f) - K(f) R(f)|^2  +  ridge sum |grad k|^2,    k >= 0,

with both pictures windowed; the factor |f|^2 weighs all frequencies alike, since pictures fall off as 1/|f|. It is
found by projected gradients with momentum, first anywhere, then only where the first one is clearly above noise.
**The kernel is then shifted so that its centroid is 0.** That settles what "aligned" means between a sharp picture
and one blurred by an asymmetric shake: a kernel can hide any shift; with its centroid at 0, the light of a point
spreads evenly about where the reference shows the point. Registration without this is biased: the shift found depends
on how much both pictures are smoothed.

Source: Cho and Lee, "Fast Motion Deblurring", ACM Transactions on Graphics 28(5), 2009, section 4.2 (least squares
over derivatives, values under a share of the largest set to 0); Beck and Teboulle, "A Fast Iterative
Shrinkage-Thresholding Algorithm", SIAM Journal on Imaging Sciences 2(1), 2009 (momentum).
"""

import math

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from raim.data.alignment.planes import Plane, apply_window, draw_window, smooth

Kernel = Float32[np.ndarray, "_ _"]  # as large on both axes, odd

RIDGE = 0.02
CUT = 0.04  # of the largest value
SMOOTHING_PX = 0.7
SIDE_PX = 2048  # the middle of larger pictures is enough
STEPS = 150


def estimate_kernel(plane: Plane, reference: Plane, side_px: int) -> Kernel:
    """Return the blur from a reference to the input on the same grid.

    Args:
        plane: The input's linear light.
        reference: Warped onto its grid, of the same brightness.
        side_px: Odd; light is looked for within half of it from the middle, and within a sixth of the picture.

    Returns:
        At least 0, sum 1, centroid in the middle; as large as its light needs once it is centred.
    """
    half = min(side_px, (min(plane.shape) - 1) // 3) // 2
    match, alike = _correlate(plane, reference, half)
    kernel = _solve(match, alike, np.ones(match.shape, bool))
    for _ in range(2):
        if kernel.any():
            kernel = _solve(match, alike, _find_support(kernel))
    if not kernel.any():
        kernel[half, half] = 1.0  # a picture without any detail says nothing of blur
    return _centre(kernel / kernel.sum())


def _correlate(
    plane: Plane, reference: Plane, half: int
) -> tuple[Float64[np.ndarray, "side side"], Float64[np.ndarray, "wide wide"]]:
    """Return the weighted correlations of reference and input, and of the reference with itself, at small shifts."""
    own, other = (_transform(each) for each in (plane, reference))
    shape = _cut(plane).shape
    y, x = np.meshgrid(np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1]), indexing="ij")
    weight = x**2 + y**2
    match = np.fft.irfft2(weight * np.conj(other) * own, s=shape)
    alike = np.fft.irfft2(weight * np.abs(other) ** 2, s=shape)
    scale = max(float(alike[0, 0]), 1e-20)
    return _cut_middle(match, half) / scale, _cut_middle(alike, 2 * half) / scale


def _cut_middle(response: np.ndarray, half: int) -> np.ndarray:
    return np.roll(response, (half, half), axis=(0, 1))[: 2 * half + 1, : 2 * half + 1]


def _solve(match: np.ndarray, alike: np.ndarray, support: Bool[np.ndarray, "side side"]) -> np.ndarray:
    """Minimise k' A k / 2 - k' m over k >= 0 within a support; A k is a convolution with `alike`."""
    smoothing = np.zeros_like(alike)
    middle = len(alike) // 2
    smoothing[middle - 1 : middle + 2, middle - 1 : middle + 2] = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
    side = len(match)
    size = len(alike) + side - 1
    spectrum = np.fft.rfft2(alike + RIDGE * smoothing, s=(size, size))
    step = 1 / float(np.abs(spectrum).max())
    kernel = ahead = np.zeros_like(match)
    momentum = 1.0
    for _ in range(STEPS):
        convolved = np.fft.irfft2(spectrum * np.fft.rfft2(ahead, s=(size, size)), s=(size, size))
        slope = convolved[middle : middle + side, middle : middle + side] - match
        following = np.where(support, np.maximum(ahead - step * slope, 0), 0)
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / faster * (following - kernel)
        kernel, momentum = following, faster
    return kernel


def _find_support(kernel: np.ndarray) -> Bool[np.ndarray, "side side"]:
    """Return what is above the cut and hangs together with the largest value."""
    smoothed = smooth(kernel, SMOOTHING_PX)
    above = (smoothed >= CUT * smoothed.max()).astype(np.uint8)
    _, labels = cv2.connectedComponents(above, connectivity=8)
    return labels == labels[np.unravel_index(int(np.argmax(smoothed)), kernel.shape)]


def apply_kernel(plane: Plane, kernel: Kernel) -> Plane:
    """Return a plane convolved with a kernel; edges are mirrored."""
    flipped = np.ascontiguousarray(kernel[::-1, ::-1])
    return cv2.filter2D(plane, cv2.CV_32F, flipped, borderType=cv2.BORDER_REFLECT_101)


def measure_spread(kernel: Kernel) -> float:
    """Return the kernel's standard deviation in px, the root of the mean of both axes' variances."""
    half = kernel.shape[0] // 2
    steps = np.arange(-half, half + 1, dtype=np.float64)
    variance = (kernel.sum(axis=0) @ steps**2 + kernel.sum(axis=1) @ steps**2) / 2
    return float(np.sqrt(max(variance, 0.0)))


def _cut(plane: Plane) -> Plane:
    rows, columns = (max(0, (side - SIDE_PX) // 2) for side in plane.shape)
    return plane[rows : rows + SIDE_PX, columns : columns + SIDE_PX]


def _transform(plane: Plane) -> np.ndarray:
    middle = _cut(plane)
    return np.fft.rfft2(apply_window(middle, draw_window(*middle.shape)))


def _centre(kernel: np.ndarray) -> Kernel:
    """Shift the centroid to the middle, with room for all light: by bilinear weights, whose centroid is exact."""
    steps, total = np.arange(len(kernel)) - len(kernel) // 2, kernel.sum()
    x, y = (float(kernel.sum(axis=axis) @ steps / total) for axis in (0, 1))
    room = math.ceil(max(abs(x), abs(y)))
    moved = _shift_axis(_shift_axis(np.pad(kernel, room), -y, 0), -x, 1)
    middle = len(moved) // 2
    reach = int(np.abs(np.argwhere(moved) - middle).max())
    moved = moved[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    return (moved / moved.sum()).astype(np.float32)


def _shift_axis(kernel: np.ndarray, shift: float, axis: int) -> np.ndarray:
    """Shift along an axis, whose ends are dark for as far as that: nothing comes in at the other end."""
    whole = math.floor(shift)
    rest = shift - whole
    return (1 - rest) * np.roll(kernel, whole, axis) + rest * np.roll(kernel, whole + 1, axis)
