r"""The blur that lies between a sharp reference and its blurred input: estimated, centred, applied.

Where input = k * reference + noise, least squares over all frequencies f gives

    K(f) = conj(R(f)) I(f) / (|R(f)|^2 + e |f|^-2),    e = ridge times the mean of |f|^2 |R(f)|^2

with both pictures windowed; the factor |f|^2 weighs all frequencies alike, since pictures fall off as 1/|f|. What is less
than a tenth of the largest value is noise and is cut. **The kernel is then shifted so that its centroid is 0.** That
settles what "aligned" means between a sharp picture and one blurred by an asymmetric shake: a kernel can hide any shift;
with its centroid at 0, coarse structures of both lie on one another. Registration without this is biased: the shift
found depends on how much both pictures are smoothed.

Source: Cho and Lee, "Fast Motion Deblurring", ACM Transactions on Graphics 28(5), 2009, section 4.2 (least squares in
frequencies over derivatives, values under a share of the largest set to 0).
"""

import numpy as np
from jaxtyping import Float32

from raim.data.alignment.opencv import load_opencv
from raim.data.alignment.planes import Plane, smooth

Kernel = Float32[np.ndarray, "side side"]

RIDGE = 0.05
CUT = 0.1  # of the largest value
SMOOTHING_PX = 1.0
SIDE_PX = 2048  # the middle of larger pictures is enough


def estimate_kernel(plane: Plane, reference: Plane, side_px: int) -> Kernel:
    """Estimate the blur from a reference to the input on the same grid.

    Args:
        plane: The input.
        reference: Warped onto its grid, same brightness.
        side_px: Side of the kernel, odd.

    Returns:
        At least 0, sum 1, centroid in the middle.

    Example:
        >>> scene = np.random.default_rng(0).random((64, 64), dtype=np.float32)
        >>> estimate_kernel(np.roll(scene, 1, axis=1), scene, 5).round(1)[2].tolist()
        [0.0, 0.0, 1.0, 0.0, 0.0]
    """
    own, other = (_transform(each) for each in (plane, reference))
    y, x = np.meshgrid(np.fft.fftfreq(own.shape[0]), np.fft.rfftfreq(_cut(plane).shape[1]), indexing="ij")
    weight = x**2 + y**2
    power = weight * np.abs(other) ** 2
    quotient = weight * np.conj(other) * own / np.maximum(power + RIDGE * power.mean(), 1e-20)
    response = np.fft.irfft2(quotient, s=_cut(plane).shape)
    if not response.any():
        response[0, 0] = 1.0  # a picture without any detail says nothing of blur
    return _centre(_cut_out(response, side_px))


def apply_kernel(plane: Plane, kernel: Kernel) -> Plane:
    """Convolve a plane with a kernel; edges are mirrored."""
    cv2 = load_opencv()
    flipped = np.ascontiguousarray(kernel[::-1, ::-1])
    return cv2.filter2D(plane, cv2.CV_32F, flipped, borderType=cv2.BORDER_REFLECT_101)


def measure_spread(kernel: Kernel) -> float:
    """Give the kernel's deviation in px, the root of the mean of both axes' variances.

    Example:
        >>> float(measure_spread(np.full((3, 3), 1 / 9, np.float32)).__round__(3))
        0.816
    """
    half = kernel.shape[0] // 2
    steps = np.arange(-half, half + 1, dtype=np.float64)
    variance = (kernel.sum(axis=0) @ steps**2 + kernel.sum(axis=1) @ steps**2) / 2
    return float(np.sqrt(max(variance, 0.0)))


def _cut(plane: Plane) -> Plane:
    rows, columns = (max(0, (side - SIDE_PX) // 2) for side in plane.shape)
    return plane[rows : rows + SIDE_PX, columns : columns + SIDE_PX]


def _transform(plane: Plane) -> np.ndarray:
    middle = _cut(plane).astype(np.float64)
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in middle.shape))
    return np.fft.rfft2((middle - np.average(middle, weights=window)) * window)


def _cut_out(response: np.ndarray, side_px: int) -> np.ndarray:
    """Cut the kernel out around the strongest place, twice: the second time around its own centroid."""
    half = min(side_px, *(side - 1 + side % 2 for side in response.shape)) // 2
    reach = min(2 * half, min(response.shape) // 2 - 1)
    near = np.roll(response, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    for _ in range(3):
        shifted = np.roll(response, (half + reach - int(row), half + reach - int(column)), axis=(0, 1))
        kernel = shifted[: 2 * half + 1, : 2 * half + 1]
        kernel = _keep_connected(kernel)
        across, down = _find_centroid(kernel)
        row, column = row + round(down), column + round(across)
    return kernel / kernel.sum()


def _keep_connected(kernel: np.ndarray) -> np.ndarray:
    """Keep what is above the cut and hangs together with the largest value; an edge is left as room for a shift."""
    cv2 = load_opencv()
    above = np.zeros(kernel.shape, np.uint8)
    smoothed = smooth(kernel, SMOOTHING_PX)
    above[1:-1, 1:-1] = (smoothed >= CUT * smoothed.max())[1:-1, 1:-1]
    _, labels = cv2.connectedComponents(above, connectivity=8)
    strongest = labels[np.unravel_index(int(np.argmax(np.where(above, smoothed, -1))), kernel.shape)]
    return np.where(labels == strongest, np.maximum(kernel, 0), 0.0)


def _find_centroid(kernel: np.ndarray) -> tuple[float, float]:
    """Give the centroid (x, y) from the middle."""
    half = kernel.shape[0] // 2
    steps = np.arange(-half, half + 1)
    total = kernel.sum()
    return float(kernel.sum(axis=0) @ steps / total), float(kernel.sum(axis=1) @ steps / total)


def _centre(kernel: np.ndarray) -> Kernel:
    """Shift the centroid to the middle: by bilinear weights, whose centroid is exact."""
    x, y = _find_centroid(kernel)
    moved = _shift_axis(_shift_axis(kernel, -y, 0), -x, 1)
    return (moved / moved.sum()).astype(np.float32)


def _shift_axis(kernel: np.ndarray, shift: float, axis: int) -> np.ndarray:
    whole = int(np.floor(shift))
    rest = shift - whole
    return (1 - rest) * np.roll(kernel, whole, axis) + rest * np.roll(kernel, whole + 1, axis)
