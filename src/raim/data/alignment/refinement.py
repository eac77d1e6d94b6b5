"""Dense refinement: what a homography leaves (parallax, lens distortion, a hand that moved) as a smooth displacement.

First rounds follow the optical flow from the input to the warped reference (DIS), which reaches far but is noisy,
wrong on plain areas and on what moved. It counts where it agrees with the flow back, along the directions in which
there is texture. Later rounds take what is left of brightness itself: with P the warped reference, toned and as sharp
as the input, and g its gradient, a displacement t further away explains the difference by

    input - P = g . t

at each pixel, weighted by the inverse variance of the differences and less where they are outliers (Gauss-Newton on a
robust sum of squares). Both become evidence for one spline that bends as little as it can (`spline`).

Source: Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse MatchSearch", ECCV 2016 (the flow);
Lucas and Kanade, IJCAI 1981, and Baker and Matthews, "Lucas-Kanade 20 Years On", IJCV 56(3), 2004 (brightness); Geman
and McClure, Bulletin of the ISI 52(4), 1987 (the weight of outliers).
"""

import math
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool

from raim.data.alignment.mapping import Field, make_grid, remap
from raim.data.alignment.planes import Plane, smooth, stretch
from raim.data.alignment.spline import Evidence, fit_spline

SPACING_PX = 16.0  # of the spline's control points
AGREEMENT_PX = 0.5  # there and back: half weight at about this distance
FLOW_DEVIATION_PX = 0.5  # of the optical flow where there is texture
FLOW_STIFFNESS = 100.0
STIFFNESS = 100.0
TENSOR_PX = 3.0
OUTLIER = 3.0  # deviations at which a difference of brightness has a quarter of its weight
EDGE_PX = 3.0  # from what the reference does not show
MOST_SAMPLES = 40_000  # pixels that one homography is fitted to


def follow_whole(plane: Plane, simulated: Plane, *, smoothing_px: float) -> Field:
    """Return the flow f with plane(x) = simulated(x + f(x)) that a homography near the identity makes, to first order.

    With g and h its perspective, f = (a + b x + c y + x (g x + h y), d + e x + k y + y (g x + h y)), fitted to the
    optical flow by weights. Both are blurred before, above noise.
    """
    flow, weight = _find_flow(plane, simulated, smoothing_px)
    step = max(1, math.isqrt(weight.size // MOST_SAMPLES))
    cut = slice(None, None, step), slice(None, None, step)
    sides = (np.linspace(-1, 1, side) for side in weight[cut].shape)
    y, x = (each.ravel() for each in np.meshgrid(*sides, indexing="ij"))
    shape = np.array([max(side - 1, 1) for side in weight.shape[::-1]]) / max(weight.shape)
    x, y = x * shape[0], y * shape[1]
    columns = _homography_columns(x, y)
    shares = np.tile(weight[cut].ravel().astype(np.float64), 2)[:, None]
    sums = (columns * shares).T @ columns
    targets = np.concatenate([flow[cut][..., each].ravel() for each in (0, 1)]).astype(np.float64)
    ridge = (1e-6 * np.trace(sums) + 1e-12) * np.eye(8)
    fitted = np.linalg.solve(sums + ridge, (columns * shares).T @ targets)
    down, across = np.meshgrid(
        *(np.linspace(-1, 1, side) * part for side, part in zip(weight.shape, shape[::-1], strict=True)),
        indexing="ij",
    )
    values = _homography_columns(across.ravel(), down.ravel()) @ fitted
    return np.stack(np.split(values, 2), axis=-1).reshape(flow.shape).astype(np.float32)


def follow_flow(plane: Plane, simulated: Plane, displacement: Field, *, smoothing_px: float) -> Field:
    """Return the displacement that the optical flow suggests; `simulated` was made under the one that is given."""
    flow, weight = _find_flow(plane, simulated, smoothing_px)
    # The flow goes first: x -> x + f(x) + d(x + f(x)).
    target = flow + remap(displacement, make_grid(*plane.shape) + flow, cv2.INTER_LINEAR)
    x, y = find_gradient(smooth(simulated, smoothing_px))
    xx, xy, yy = (smooth(each, TENSOR_PX) for each in (x * x, x * y, y * y))
    share = weight / (np.float32(np.mean(xx + yy) * FLOW_DEVIATION_PX**2) + np.float32(1e-12))
    xx, xy, yy = xx * share, xy * share, yy * share
    evidence = Evidence(
        xx=xx,
        xy=xy,
        yy=yy,
        x=xx * target[..., 0] + xy * target[..., 1],
        y=xy * target[..., 0] + yy * target[..., 1],
    )
    return fit_spline(evidence, spacing_px=SPACING_PX, stiffness=FLOW_STIFFNESS)


def compare_brightness(
    plane: Plane,
    simulated: Plane,
    usable: Bool[np.ndarray, "_ _"],
    displacement: Field,
    *,
    smoothing_px: float,
) -> Evidence:
    """Return what differences of brightness say of the displacement; `simulated` was made under the one given.

    Only usable pixels count; both are blurred before, above noise.
    """
    own, other = smooth(plane, smoothing_px), smooth(simulated, smoothing_px)
    difference = own - other
    slope = find_gradient((own + other) / 2)
    x, y = _pull_back(slope, displacement)
    counted = smooth(usable.astype(np.float32), EDGE_PX) > 0.999
    variance = _measure_variance(difference, x * x + y * y, counted)
    outlying = difference**2 / (np.float32(OUTLIER**2) * variance)
    # Differences of smoothed pictures are alike within their blur.
    alike = np.float32(4 * np.pi * (smoothing_px**2 + 1))
    weight = np.where(counted, 1 / (1 + outlying) ** 2, 0).astype(np.float32) / (variance * alike)
    value = difference + x * displacement[..., 0] + y * displacement[..., 1]
    return Evidence(
        xx=weight * x * x, xy=weight * x * y, yy=weight * y * y, x=weight * x * value, y=weight * y * value
    )


def _measure_variance(difference: Plane, steepness: Plane, counted: Bool[np.ndarray, "_ _"]) -> Plane:
    """Return the variance that a difference has: that of plain places, and more in proportion to the squared gradient.

    Where pictures are steep, what the blur and the tone do not explain is larger too.
    """
    if not counted.any():
        return np.ones_like(difference)
    steep = steepness[counted]
    squares = difference[counted] ** 2
    plain, edge = (steep <= np.quantile(steep, 0.5)), (steep >= np.quantile(steep, 0.9))
    low, high = (float(np.median(squares[each])) / 0.455 + 1e-10 for each in (plain, edge))
    rise = max(0.0, high - low) / max(float(np.median(steep[edge]) - np.median(steep[plain])), 1e-12)
    return np.float32(low) + np.float32(rise) * steepness


def _pull_back(slope: tuple[Plane, Plane], displacement: Field) -> tuple[Plane, Plane]:
    """Return the slope by the displacement in place of that by position: (1 + d')^-T g."""
    across, down = find_gradient(displacement[..., 0]), find_gradient(displacement[..., 1])
    a, b, c, d = 1 + across[0], across[1], down[0], 1 + down[1]
    determinant = np.maximum(a * d - b * c, np.float32(0.1))
    return (d * slope[0] - c * slope[1]) / determinant, (a * slope[1] - b * slope[0]) / determinant


def _find_flow(plane: Plane, simulated: Plane, smoothing_px: float) -> tuple[Field, Plane]:
    """Return the optical flow and how far it agrees with the flow back, 0 to 1."""
    own, other = (stretch(smooth(each, smoothing_px)) for each in (plane, simulated))
    flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there, back = flow.calc(own, other, None), flow.calc(other, own, None)
    # A pixel counts by how near the flow back from where it goes returns to it, by Geman and McClure's weight.
    returned = there + remap(back, make_grid(*there.shape[:2]) + there, cv2.INTER_LINEAR)
    return there, 1 / (1 + np.sum(returned**2, axis=-1) / np.float32(AGREEMENT_PX**2)) ** 2


def find_gradient(plane: Plane) -> tuple[Plane, Plane]:
    """Return the central differences along x and y, per pixel."""
    padded = np.pad(plane, 1, mode="edge")
    x = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    y = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    return x, y


def _homography_columns(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    one, none = np.ones_like(x), np.zeros((3, len(x)))
    across = np.stack([one, x, y, *none, x * x, x * y], axis=1)
    down = np.stack([*none, one, x, y, x * y, y * y], axis=1)
    return np.concatenate([across, down])
