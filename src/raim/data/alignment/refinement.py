"""Dense refinement: what a homography leaves (parallax, lens distortion, a hand that moved) as a smooth displacement.

Each round warps the reference by the mapping so far, finds the flow from the input to it, and follows it. The flow of
single pixels is noisy, wrong on plain areas and on what moved, so it is smoothed with weights: texture (the smaller
eigenvalue of the structure tensor), agreement of the flow there and back, and agreement with the neighbourhood. What has
no weight nearby takes the flow of its wider surroundings. Later rounds smooth less, and repair the bias that smoothing
leaves: with blur operator G, n rounds leave (1 - G)^n of a displacement.

Source: Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016 (the flow); Shi and
Tomasi, "Good Features to Track", CVPR 1994 (texture); Knutsson and Westin, "Normalized and Differential Convolution",
CVPR 1993 (weighted smoothing); Geman and McClure, 1987 (the weight of outliers).
"""

import math

import numpy as np
from jaxtyping import Float32

from raim.data.alignment.mapping import Field, make_grid, remap
from raim.data.alignment.opencv import load_opencv
from raim.data.alignment.planes import Plane, smooth, stretch

WHOLE = math.inf  # smoothing: one homography for all of the picture
ROUNDS_PX = (WHOLE, WHOLE, 64.0, 32.0, 16.0, 12.0, 12.0)  # Gaussian sigma of the smoothing, round by round
WIDER = 4.0  # of one surroundings to the next
WIDEST_PX = 512.0
AGREEMENT_PX = 0.5  # there and back, and with the neighbourhood: half weight at about this distance
PRIOR = 0.001  # weight of the wider surroundings, in shares of the median texture
TENSOR_PX = 3.0
FINENESS = 4.0  # cells of the grid that a fit is made on, for each sigma
MOST_SAMPLES = 40_000  # pixels that one homography is fitted to


def find_flow(plane: Plane, reference: Plane, *, smoothing_px: float, sigma_px: float) -> Field:
    """Find the smooth flow f with plane(x) = reference(x + f(x)).

    Args:
        plane: The input.
        reference: Warped onto its grid, of the same brightness and sharpness.
        smoothing_px: Blur of both before, above noise.
        sigma_px: Smoothing of the flow.

    Returns:
        Displacements (x, y) in pixels, (h, w, 2).
    """
    pictures = [stretch(smooth(each, smoothing_px)) for each in (plane, reference)]
    there, back = _flow(*pictures), _flow(*reversed(pictures))
    weight = _measure_texture(smooth(plane, smoothing_px)) * _agree(there, back)
    return _smooth_robustly(there, weight.astype(np.float32), sigma_px)


def _flow(picture: np.ndarray, other: np.ndarray) -> Field:
    cv2 = load_opencv()
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(picture, other, None)


def _agree(there: Field, back: Field) -> Plane:
    """Weigh a pixel by how near the flow back from where it goes returns to it."""
    grid = make_grid(*there.shape[:2])
    returned = there + remap(back, grid + there, load_opencv().INTER_LINEAR)
    return _weigh(np.sum(returned**2, axis=-1))


def _weigh(squared_px: Float32[np.ndarray, "_ _"]) -> Plane:
    """Weigh a squared distance, in (0, 1]: Geman and McClure's."""
    return 1 / (1 + squared_px / np.float32(AGREEMENT_PX**2)) ** 2


def _measure_texture(plane: Plane) -> Plane:
    """Give the smaller eigenvalue of the structure tensor, in shares of its median, at most 4."""
    x, y = find_gradient(plane)
    xx, xy, yy = (smooth(each, TENSOR_PX) for each in (x * x, x * y, y * y))
    smaller = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.clip(smaller / max(float(np.median(smaller)), 1e-9), 0, 4).astype(np.float32)


def find_gradient(plane: Plane) -> tuple[Plane, Plane]:
    """Give the central differences along x and y, per pixel."""
    padded = np.pad(plane, 1, mode="edge")
    x = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    y = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    return x, y


def _smooth_robustly(flow: Field, weight: Plane, sigma_px: float) -> Field:
    smoothed = _smooth_weighted(flow, weight, sigma_px)
    for _ in range(3):
        outlying = np.sum((flow - smoothed) ** 2, axis=-1)
        smoothed = _smooth_weighted(flow, weight * _weigh(outlying), sigma_px)
    return smoothed


def _smooth_weighted(flow: Field, weight: Plane, sigma_px: float) -> Field:
    """Fit the flow around each pixel; the wider surroundings stand in with a small weight of their own."""
    if sigma_px == WHOLE:
        return _fit_whole(flow, weight)
    widths = [sigma_px]
    while widths[-1] * WIDER <= min(WIDEST_PX, max(flow.shape) / 2):
        widths.append(widths[-1] * WIDER)
    smoothed = _fit_whole(flow, weight)
    for width in reversed(widths):
        smoothed = smoothed + _fit_around(flow - smoothed, weight, width)
    return smoothed


def _fit_whole(flow: Field, weight: Plane) -> Field:
    """Fit one flow to all of the picture, with weights: that of a homography near the identity, to first order.

    With g and h its perspective, f = (a + b x + c y + x (g x + h y), d + e x + k y + y (g x + h y)).
    """
    step = max(1, math.isqrt(weight.size // MOST_SAMPLES))
    cut = slice(None, None, step), slice(None, None, step)
    y, x = (each.ravel() for each in np.meshgrid(*(np.linspace(-1, 1, side) for side in weight[cut].shape), indexing="ij"))
    shape = np.array([max(side - 1, 1) for side in weight.shape[::-1]]) / max(weight.shape)
    x, y = x * shape[0], y * shape[1]
    columns = _homography_columns(x, y)
    shares = np.tile(weight[cut].ravel().astype(np.float64), 2)[:, None]
    sums = (columns * shares).T @ columns
    targets = np.concatenate([flow[cut][..., each].ravel() for each in (0, 1)]).astype(np.float64)
    fitted = np.linalg.solve(sums + 1e-6 * np.trace(sums) * np.eye(8) + 1e-12 * np.eye(8), (columns * shares).T @ targets)
    down, across = np.meshgrid(
        *(np.linspace(-1, 1, side) * part for side, part in zip(weight.shape, shape[::-1], strict=True)), indexing="ij"
    )
    values = _homography_columns(across.ravel(), down.ravel()) @ fitted
    return np.stack(np.split(values, 2), axis=-1).reshape(flow.shape).astype(np.float32)


def _homography_columns(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    one, none = np.ones_like(x), np.zeros((3, len(x)))
    across = np.stack([one, x, y, *none, x * x, x * y], axis=1)
    down = np.stack([*none, one, x, y, x * y, y * y], axis=1)
    return np.concatenate([across, down])


def _fit_around(flow: Field, weight: Plane, sigma_px: float) -> Field:
    """Fit an affine flow about each pixel with Gaussian weights, drawn towards 0 by `PRIOR`; gives its value there."""
    cv2 = load_opencv()
    height, width = weight.shape
    factor = max(1, int(sigma_px // FINENESS))
    size = -(-width // factor), -(-height // factor)
    small = [
        cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.float64)
        for each in (weight, weight * flow[..., 0], weight * flow[..., 1])
    ]
    sigma = sigma_px * size[0] / width
    y, x = (each / sigma for each in np.meshgrid(*(np.arange(n, dtype=np.float64) for n in size[::-1]), indexing="ij"))
    one, at_x, at_y, xx, xy, yy = (_blur(small[0] * each, sigma) for each in (1, x, y, x * x, x * y, y * y))
    xx, xy, yy = xx - 2 * x * at_x + x * x * one, xy - x * at_y - y * at_x + x * y * one, yy - 2 * y * at_y + y * y * one
    at_x, at_y = at_x - x * one, at_y - y * one
    one, xx, yy = one + PRIOR, xx + PRIOR, yy + PRIOR
    # The first row of the inverse of [[one, at_x, at_y], [at_x, xx, xy], [at_y, xy, yy]].
    first = xx * yy - xy * xy, at_y * xy - at_x * yy, at_x * xy - at_y * xx
    determinant = one * first[0] + at_x * first[1] + at_y * first[2]
    fitted = []
    for values in small[1:]:
        sums = _blur(values, sigma)
        sums_x, sums_y = _blur(values * x, sigma) - x * sums, _blur(values * y, sigma) - y * sums
        fitted.append((first[0] * sums + first[1] * sums_x + first[2] * sums_y) / determinant)
    coarse = np.stack(fitted, axis=-1).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_NEAREST)


def _blur(values: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with nothing beyond the edges."""
    cv2 = load_opencv()
    return cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
