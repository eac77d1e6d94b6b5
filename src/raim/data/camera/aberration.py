"""Chromatic aberration: colours of another size (lateral), and colours out of focus around highlights (axial).

Lateral: a channel of magnification m shows at radius r from the centre what belongs at r / m.

Axial: light of a channel that the lens focuses elsewhere leaves its place for a wide spot around it,

    out_c = (1 - leak_c) x_c + leak_c G(x_c)

which is invisible in the mean and coloured beside highlights many times brighter than white: purple where red and blue
leak, green where green does.

Source: Kang, "Automatic Removal of Chromatic Aberration from a Single Image", CVPR 2007, section 2 (per-channel radial
scaling; axial aberration as per-channel blur; purple fringes at saturated edges).
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Plane, Scene, require_range
from raim.data.camera.convolution import blur_gaussian


@dataclass(frozen=True, kw_only=True, slots=True)
class Aberration:
    """How a lens's colours part.

    Attributes:
        red_magnification: Size of the red image relative to green, 0.98 to 1.02.
        blue_magnification: The same of blue.
        fringe_radius_px: Standard deviation of the spot of light that is out of focus.
        purple_leak: Part of red (half of it) and blue light in that spot, 0 to 1.
        green_leak: Part of green light in it, 0 to 1.
    """

    red_magnification: float = 1.0
    blue_magnification: float = 1.0
    fringe_radius_px: float = 4.0
    purple_leak: float = 0.0
    green_leak: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("aberration.red_magnification", self.red_magnification, 0.98, 1.02)
        require_range("aberration.blue_magnification", self.blue_magnification, 0.98, 1.02)
        require_range("aberration.fringe_radius_px", self.fringe_radius_px, 0, 200)
        require_range("aberration.purple_leak", self.purple_leak, 0, 1)
        require_range("aberration.green_leak", self.green_leak, 0, 1)


def part_colours(scene: Scene, stage: Aberration) -> Scene:
    """Apply axial, then lateral aberration.

    Example:
        >>> scene = np.ones((4, 4, 3), np.float32)
        >>> bool(np.allclose(part_colours(scene, Aberration(red_magnification=1.01, purple_leak=0.1)), 1))
        True
    """
    leaks = (stage.purple_leak / 2, stage.green_leak, stage.purple_leak)
    magnifications = (stage.red_magnification, 1.0, stage.blue_magnification)
    planes = [
        _magnify(_leak(scene[..., channel], leak, stage.fringe_radius_px), magnification)
        for channel, (leak, magnification) in enumerate(zip(leaks, magnifications, strict=True))
    ]
    return np.stack(planes, axis=2)


def _leak(plane: Plane, leak: float, sigma_px: float) -> Plane:
    if leak == 0:
        return plane
    return ((1 - leak) * plane + leak * blur_gaussian(np.ascontiguousarray(plane), sigma_px)).astype(
        np.float32
    )


def _magnify(plane: Plane, magnification: float) -> Plane:
    """Scale a plane about its centre, by cubic splines."""
    from scipy.ndimage import affine_transform

    if magnification == 1:
        return plane
    centre = (np.array(plane.shape) - 1) / 2
    inverse = np.full(2, 1 / magnification)
    return affine_transform(plane, inverse, centre * (1 - inverse), order=3, mode="mirror")
