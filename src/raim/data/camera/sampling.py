"""Sampling by photosites: fewer than the scene has details, and each behind one colour filter.

A photosite collects the light of a square of `fill` times the pitch and nothing between. No optical low-pass filter
stands before it, so a pattern of f cycles per scene pixel above half the sampling rate f_s = 1 / reduction comes out at
|f - f_s|: moire. Behind the colour filters (R G / G B) red and blue are sampled at half that rate, so fine grey
patterns come out coloured.

Source: Bayer, "Color imaging array", US patent 3 971 065, 1976; Shannon, "Communication in the Presence of Noise",
Proceedings of the IRE 37(1), 1949 (the rate that is needed).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from raim.data.camera.arrays import Plane, Scene, require_range


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """The grid of photosites.

    Attributes:
        reduction: Scene pixels for each photosite along an axis, 1 to 16.
        fill: Part of the pitch that collects light, 0 (a point) to 1. On the scene's grid this is a whole number of
            pixels, even or odd as `reduction` is.
        has_mosaic: Whether there are colour filters; without them each photosite sees all three colours.
    """

    reduction: int = 1
    fill: float = 1.0
    has_mosaic: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("sampling.reduction", self.reduction, 1, 16)
        require_range("sampling.fill", self.fill, 0, 1)


def aperture_px(stage: Sampling) -> int:
    """Give the width of a photosite in scene pixels.

    Example:
        >>> [aperture_px(Sampling(reduction=r, fill=0.5)) for r in (1, 2, 3, 4, 8)]
        [1, 2, 1, 2, 4]
    """
    narrowest = 2 - stage.reduction % 2  # centred on the pitch, so of its parity
    return max(narrowest, int((stage.fill * stage.reduction - narrowest) // 2) * 2 + narrowest)


def sample_scene(scene: Scene, stage: Sampling) -> Float32[np.ndarray, "rows columns 3"]:
    """Give what the photosites see of each colour.

    Args:
        scene: Linear light, (h, w, 3).
        stage: The grid.

    Returns:
        (h // reduction, w // reduction, 3).

    Example:
        >>> scene = np.arange(6, dtype=np.float32)[None, :, None].repeat(3, 0).repeat(3, 2)
        >>> sample_scene(scene, Sampling(reduction=3, fill=0.0))[..., 0].tolist()
        [[1.0, 4.0]]
    """
    pitch, aperture = stage.reduction, aperture_px(stage)
    height, width = (side // pitch for side in scene.shape[:2])
    first = (pitch - aperture) // 2
    total = np.zeros((height, width, 3), np.float32)
    for dy in range(first, first + aperture):
        for dx in range(first, first + aperture):
            total += scene[dy : height * pitch : pitch, dx : width * pitch : pitch]
    return total / np.float32(aperture**2)


def filter_colours(light: Scene) -> Plane:
    """Keep one colour for each photosite: R G over G B, from the top left.

    Example:
        >>> light = np.stack([np.full((2, 2), value, np.float32) for value in (1, 2, 3)], axis=2)
        >>> filter_colours(light).tolist()
        [[1.0, 2.0], [2.0, 3.0]]
    """
    raw = light[..., 1].copy()
    raw[0::2, 0::2] = light[0::2, 0::2, 0]
    raw[1::2, 1::2] = light[1::2, 1::2, 2]
    return raw
