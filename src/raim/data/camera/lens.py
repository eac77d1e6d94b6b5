"""What a lens does to light that is far brighter than white: fringes of colour and veiling glare.

A clean photograph has cut such light, so it is given back first; the sensor's saturation cuts it again.
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Channel, Rgb
from raim.data.camera.colour import Colour
from raim.data.camera.convolution import blur_gaussian
from raim.data.camera.stage import CameraStage, number

KNEE = 0.9  # Brooks et al. 2019, section 3.4: the threshold of their mask


@dataclass(frozen=True, kw_only=True, slots=True)
class Highlights(CameraStage):
    """The light that blown highlights have lost: a clean photograph's white stands for anything brighter.

        scene = light * (1 + (headroom - 1) * t^2 (3 - 2 t)),   t = clip((m - KNEE) / (1 - KNEE), 0, 1)

    with m the brightest channel, relative to white. Without it a light blurs to a grey spot in place of a bright disc,
    and has nothing to spare for flare and purple fringes.

    Source: Rempel et al., "Ldr2Hdr: On-the-fly Reverse Tone Mapping of Legacy Video and Photographs", SIGGRAPH 2007
    (smooth brightening of saturated regions); Brooks et al. 2019, section 3.4 (a smooth mask keeps what is not blown
    unchanged).
    """

    headroom: float = number(1.0, 1, 1000, "light of a blown highlight relative to white")


@dataclass(frozen=True, kw_only=True, slots=True)
class Aberration(CameraStage):
    """Chromatic aberration: colours of another size (lateral), and colours out of focus around highlights (axial).

    Lateral: a channel of magnification m shows at radius r from the centre what belongs at r / m.

    Axial: light of a channel that the lens focuses elsewhere leaves its place for a wide spot around it,

        out_c = (1 - leak_c) x_c + leak_c G(x_c)

    which is invisible in the mean and coloured beside highlights many times brighter than white: purple where red and
    blue leak, green where green does.

    Source: Kang, "Automatic Removal of Chromatic Aberration from a Single Image", CVPR 2007, section 2 (per-channel
    radial scaling; axial aberration as per-channel blur; purple fringes at saturated edges).
    """

    red_magnification: float = number(1.0, 0.98, 1.02, "size of the red image relative to green")
    blue_magnification: float = number(1.0, 0.98, 1.02, "the same of blue")
    fringe_radius_px: float = number(4.0, 0, 200, "standard deviation of the spot of light out of focus")
    purple_leak: float = number(0.0, 0, 1, "part of red (half of it) and blue light in that spot")
    green_leak: float = number(0.0, 0, 1, "part of green light in it")


@dataclass(frozen=True, kw_only=True, slots=True)
class Flare(CameraStage):
    """Veiling glare: light that scatters in the lens and falls on the whole picture.

        out = (1 - g) x + g (b G(x) + (1 - b) mean(x))

    with g the part of the light that scatters, G a Gaussian as wide as a given part of the diagonal and b the part of
    the scattered light that stays near. The sum over the picture stays what it was.

    Source: Talvala et al., "Veiling Glare in High Dynamic Range Imaging", SIGGRAPH 2007, section 2 (glare as
    convolution with a spread function of a peak and a wide, low skirt; a few per cent of the light in consumer lenses).
    """

    strength: float = number(0.0, 0, 1, "g, the part of the light that scatters")
    near_part: float = number(0.5, 0, 1, "b, the part of that which stays near")
    width: float = number(0.03, 0, 1, "standard deviation of the near part, in diagonals")


def expand_highlights(scene: Rgb, stage: Highlights, colour: Colour) -> Rgb:
    """Return linear camera light with the light that blown highlights have lost; `colour` says where white is."""
    if stage.headroom == 1:
        return scene
    relative = scene * colour.gains.astype(np.float32)
    t = np.clip((relative.max(axis=2, keepdims=True) - KNEE) / (1 - KNEE), 0, 1)
    return scene * (1 + (stage.headroom - 1) * t * t * (3 - 2 * t)).astype(np.float32)


def part_colours(scene: Rgb, stage: Aberration) -> Rgb:
    """Return a scene after axial, then lateral aberration."""
    leaks = (stage.purple_leak / 2, stage.green_leak, stage.purple_leak)
    magnifications = (stage.red_magnification, 1.0, stage.blue_magnification)
    planes = [
        _magnify(_leak(scene[..., channel], leak, stage.fringe_radius_px), magnification)
        for channel, (leak, magnification) in enumerate(zip(leaks, magnifications, strict=True))
    ]
    return np.stack(planes, axis=2)


def _leak(plane: Channel, leak: float, sigma_px: float) -> Channel:
    if leak == 0:
        return plane
    spread = blur_gaussian(np.ascontiguousarray(plane), sigma_px)
    return ((1 - leak) * plane + leak * spread).astype(np.float32)


def _magnify(plane: Channel, magnification: float) -> Channel:
    """Return a plane scaled about its centre, by cubic splines."""
    from scipy.ndimage import affine_transform

    if magnification == 1:
        return plane
    centre = (np.array(plane.shape) - 1) / 2
    inverse = np.full(2, 1 / magnification)
    return affine_transform(plane, inverse, centre * (1 - inverse), order=3, mode="mirror")


def scatter_light(scene: Rgb, stage: Flare) -> Rgb:
    """Return a scene with a part of its light scattered over the picture."""
    if stage.strength == 0:
        return scene
    near = blur_gaussian(scene, stage.width * float(np.hypot(*scene.shape[:2])))
    wide = scene.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    scattered = stage.near_part * near + (1 - stage.near_part) * wide
    return ((1 - stage.strength) * scene + stage.strength * scattered).astype(np.float32)
