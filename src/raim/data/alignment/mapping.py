"""Where each pixel of the input lies in the reference: a homography after a smooth displacement.

For a point x of the input's grid, the reference's point is H(x + d(x)); d is a field of displacements in pixels of
the input, H a homography. Pixel centres lie at whole numbers (OpenCV's convention). **The reference is warped onto
the input's grid; the input is never resampled**, so that its defects stay as they were taken.

With an output scale k, the pixel u of the warped reference lies at (u + 0.5) / k - 0.5 of the input's grid.

Resampling: Lanczos of 8x8 taps (OpenCV's INTER_LANCZOS4, positions in steps of 1/32 px) on float32. Where the
reference has r > 1 pixels for each of the output, it is first blurred by a Gaussian of sigma 0.5 sqrt(r^2 - 1) of
its own pixels, so that it does not alias: the blur that brings an assumed 0.5 px of sharpness to 0.5 px of the new
grid (Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 60, 2004, section 3.3 assumes the same
0.5).

Source: Hartley and Zisserman, "Multiple View Geometry", 2nd edition, section 2.3 (homographies); Duchon, Journal of
Applied Meteorology 18, 1979 (Lanczos).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from raim.data.alignment.crops import Rectangle
from raim.data.alignment.planes import smooth

Homography = Float64[np.ndarray, "3 3"]
Field = Float32[np.ndarray, "_ _ 2"]

SHARPNESS_PX = 0.5  # of a picture in its own pixels, see above
REACH_PX = 1.0  # from a pixel of the warped reference to the nearest edge of what the reference shows


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapping:
    """Positions in the reference of the input's pixels.

    Attributes:
        homography: From points (x, y) of the input's grid to points of the reference's.
        displacement: Of each pixel of the input, before the homography, in px of the input: (h, w, 2), x first.
    """

    homography: Homography
    displacement: Field

    def at_scale(self, scale: float, window: Rectangle | None = None) -> Field:
        """Return the reference's points (x, y) for each pixel of an output of `scale` times the input's size.

        Args:
            scale: Pixels of the output for each of the input.
            window: The part of the input that the output shows; None: all.
        """
        height, width = self.displacement.shape[:2]
        shown = window or Rectangle(x=0, y=0, width=width, height=height)
        x = shown.x + (np.arange(round(shown.width * scale), dtype=np.float64) + 0.5) / scale - 0.5
        y = shown.y + (np.arange(round(shown.height * scale), dtype=np.float64) + 0.5) / scale - 0.5
        grid = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
        is_own_grid = scale == 1
        own = self.displacement
        displacement = shown.cut(own) if is_own_grid else remap(own, grid, cv2.INTER_LINEAR)
        return project(self.homography, grid + displacement)

    def compose(self, flow: Field) -> "Mapping":
        """Follow a further displacement of the input's grid first: x -> H(x + f(x) + d(x + f(x)))."""
        grid = make_grid(flow.shape[0], flow.shape[1])
        carried = remap(self.displacement, grid + flow, cv2.INTER_LINEAR)
        return Mapping(homography=self.homography, displacement=flow + carried)

    def refit(self) -> "Mapping":
        """Return the same mapping with the homography that fits all of it best, so that little displacement is left."""
        points = self.at_scale(1)
        grid = make_grid(*points.shape[:2])
        step = max(1, min(points.shape[:2]) // 64)
        chosen = [each[::step, ::step].reshape(-1, 2).astype(np.float64) for each in (grid, points)]
        homography, _ = cv2.findHomography(chosen[0], chosen[1], 0)
        if homography is None:
            return self
        placed = project(np.linalg.inv(homography), points)
        return Mapping(homography=homography.astype(np.float64), displacement=placed - grid)


def start_mapping(homography: Homography, height: int, width: int) -> Mapping:
    """Return the mapping of a homography alone."""
    return Mapping(homography=homography, displacement=np.zeros((height, width, 2), np.float32))


def make_grid(height: int, width: int) -> Field:
    """Return the point (x, y) of each pixel."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def project(homography: Homography, points: Field) -> Field:
    """Return points under a homography; those behind the plane (which nothing shows) go to -1e6."""
    x, y = points[..., 0].astype(np.float64), points[..., 1].astype(np.float64)
    rows = [row[0] * x + row[1] * y + row[2] for row in homography]
    depth = np.where(rows[2] > 1e-9, rows[2], np.nan)
    return np.nan_to_num(np.stack([rows[0] / depth, rows[1] / depth], axis=-1), nan=-1e6).astype(np.float32)


def measure_scale(homography: Homography, height: int, width: int) -> float:
    """Return how many pixels of the reference a pixel in the middle of the input has: sqrt |det J|."""
    x, y = (width - 1) / 2, (height - 1) / 2
    corners = np.array([[[x - 0.5, y], [x + 0.5, y]], [[x, y - 0.5], [x, y + 0.5]]], np.float32)
    placed = project(homography, corners).astype(np.float64)
    jacobian = placed[:, 1] - placed[:, 0]
    return math.sqrt(abs(float(np.linalg.det(jacobian))))


def warp(
    reference: Float32[np.ndarray, "_ _ *channels"],
    mapping: Mapping,
    scale: float = 1.0,
    window: Rectangle | None = None,
) -> Float32[np.ndarray, "_ _ *channels"]:
    """Return the reference resampled onto the input's grid, or onto one `scale` times as fine; edges are mirrored."""
    points = mapping.at_scale(scale, window)
    ratio = measure_scale(mapping.homography, *mapping.displacement.shape[:2]) / scale
    blurred = smooth(reference, SHARPNESS_PX * math.sqrt(ratio**2 - 1)) if ratio > 1 else reference
    return remap(blurred, points, cv2.INTER_LANCZOS4)


def find_inside(points: Field, shape: tuple[int, ...]) -> Bool[np.ndarray, "_ _"]:
    """Return which points lie within a picture of this shape, `REACH_PX` from its edge."""
    height, width = shape[:2]
    x, y = points[..., 0], points[..., 1]
    far = REACH_PX
    return (x >= far) & (y >= far) & (x <= width - 1 - far) & (y <= height - 1 - far)


def remap(
    picture: Float32[np.ndarray, "_ _ *channels"], points: Field, interpolation: int
) -> Float32[np.ndarray, "_ _ *channels"]:
    """Return a picture sampled at points; a last axis of one channel is kept."""
    edge = cv2.BORDER_REPLICATE if interpolation == cv2.INTER_LINEAR else cv2.BORDER_REFLECT_101
    sampled = cv2.remap(picture, points, None, interpolation, borderMode=edge)
    return sampled.reshape(*points.shape[:2], *picture.shape[2:])
