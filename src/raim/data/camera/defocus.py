"""Defocus: each point of the scene becomes a disc, and a near layer covers a far one.

The image of a point at a distance other than the focus is the aperture's shape, a disc whose radius grows with the
distance in dioptres. Behind the edge of a near object the light of the far one is covered, not mixed in:

    out = D_n(a x) + (1 - D_n(a)) D_f(far)

with a the near layer's coverage, D_n and D_f the discs of the two layers, and far the far layer, continued behind the
near one from what is visible beside it.

Source: Potmesil and Chakravarty, "A Lens and Aperture Camera Model for Synthetic Image Generation", SIGGRAPH 1981
(circle of confusion); Kraus and Strengert, "Depth-of-Field Rendering by Pyramidal Image Processing", Eurographics 2007
(layers blurred one by one, then blended; the hidden part interpolated from visible pixels).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from raim.data.camera.arrays import Plane, Scene, require_range
from raim.data.camera.convolution import blur_gaussian, blur_with_kernel

SUBPIXELS = 16  # along each axis; the area of a disc of 3 px comes out within 0.2 %


@dataclass(frozen=True, kw_only=True, slots=True)
class Defocus:
    """How far out of focus the scene is.

    Attributes:
        radius_px: Radius of the blur disc; of the far layer where there is an edge. 0 is in focus.
        has_edge: Whether there is a nearer layer.
        near_radius_px: Radius of the near layer's disc.
        edge_angle_deg: Direction that points into the near layer, from right towards down.
        edge_offset: Distance of the edge from the centre, in half diagonals, -1 to 1.
        edge_waviness: Height of the edge's waves, in half diagonals, 0 to 0.5.
        edge_phase: Where on the wave the middle of the edge lies, in turns.
    """

    radius_px: float = 0.0
    has_edge: bool = False
    near_radius_px: float = 0.0
    edge_angle_deg: float = 0.0
    edge_offset: float = 0.0
    edge_waviness: float = 0.1
    edge_phase: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("defocus.radius_px", self.radius_px, 0, 200)
        require_range("defocus.near_radius_px", self.near_radius_px, 0, 200)
        require_range("defocus.edge_angle_deg", self.edge_angle_deg, -360, 360)
        require_range("defocus.edge_offset", self.edge_offset, -1, 1)
        require_range("defocus.edge_waviness", self.edge_waviness, 0, 0.5)
        require_range("defocus.edge_phase", self.edge_phase, -1, 1)


def disc_kernel(radius_px: float) -> Float64[np.ndarray, "k k"]:
    """Give the disc of a radius, each pixel weighted by how much of it the disc covers; its sum is 1.

    Example:
        >>> disc_kernel(1.0).round(3)
        array([[0.026, 0.145, 0.026],
               [0.145, 0.315, 0.145],
               [0.026, 0.145, 0.026]])
    """
    half = int(np.ceil(radius_px - 0.5)) if radius_px > 0.5 else 0
    size = 2 * half + 1
    offsets = (np.arange(size * SUBPIXELS) + 0.5) / SUBPIXELS - size / 2
    inside = offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius_px**2
    if not inside.any():
        return np.ones((1, 1))
    covered = inside.reshape(size, SUBPIXELS, size, SUBPIXELS).sum(axis=(1, 3), dtype=np.float64)
    return covered / covered.sum()


def near_coverage(height: int, width: int, stage: Defocus) -> Plane:
    """Draw the near layer: 1 where it covers a pixel, 0 where it does not, between them along its wavy edge.

    Example:
        >>> near_coverage(1, 4, Defocus(has_edge=True, edge_waviness=0.0)).tolist()
        [[0.0, 0.0, 1.0, 1.0]]
    """
    half_diagonal = np.hypot(height, width) / 2
    angle = np.deg2rad(stage.edge_angle_deg)
    y = np.arange(height)[:, None] - (height - 1) / 2
    x = np.arange(width)[None, :] - (width - 1) / 2
    across = x * np.cos(angle) + y * np.sin(angle)
    along = (y * np.cos(angle) - x * np.sin(angle)) / half_diagonal
    wave = stage.edge_waviness * np.sin(2 * np.pi * (along + stage.edge_phase))
    return np.clip(across - (stage.edge_offset + wave) * half_diagonal + 0.5, 0, 1).astype(np.float32)


def blur_defocus(scene: Scene, stage: Defocus) -> Scene:
    """Blur a scene by its disc, or by two discs with a covering edge between them.

    Example:
        >>> scene = np.ones((8, 8, 3), np.float32)
        >>> bool(np.allclose(blur_defocus(scene, Defocus(radius_px=3.0)), 1, atol=1e-5))
        True
    """
    if not stage.has_edge:
        return _blur_disc(scene, stage.radius_px)
    near = near_coverage(scene.shape[0], scene.shape[1], stage)[..., None]
    far = _continue_behind(scene, near, 1 + max(stage.radius_px, stage.near_radius_px))
    covered = _blur_disc(near, stage.near_radius_px)
    return _blur_disc(near * scene, stage.near_radius_px) + (1 - covered) * _blur_disc(far, stage.radius_px)


def _blur_disc(
    picture: Float32[np.ndarray, "h w channels"], radius_px: float
) -> Float32[np.ndarray, "h w channels"]:
    return blur_with_kernel(picture, disc_kernel(radius_px)) if radius_px > 0 else picture


def _continue_behind(scene: Scene, near: Float32[np.ndarray, "h w 1"], reach_px: float) -> Scene:
    """Continue the far layer behind the near one: the weighted mean of what is visible around."""
    visible = 1 - near
    weight = blur_gaussian(visible, reach_px)
    around = blur_gaussian(visible * scene, reach_px)
    # Far inside the near layer nothing is visible around; there the scene stands in, and is covered anyway.
    guess = np.where(weight > 1e-3, around / np.maximum(weight, 1e-3), scene)
    return visible * scene + near * guess
