"""Veiling glare: light that scatters in the lens and falls on the whole picture.

    out = (1 - g) x + g (b G(x) + (1 - b) mean(x))

with g the part of the light that scatters, G a Gaussian as wide as a given part of the diagonal and b the part of the
scattered light that stays near. The sum over the picture stays what it was.

Source: Talvala et al., "Veiling Glare in High Dynamic Range Imaging", SIGGRAPH 2007, section 2 (glare as convolution
with a spread function of a peak and a wide, low skirt; a few per cent of the light in consumer lenses).
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Scene, require_range
from raim.data.camera.convolution import blur_gaussian


@dataclass(frozen=True, kw_only=True, slots=True)
class Flare:
    """How much a lens scatters.

    Attributes:
        strength: g, 0 to 1.
        near_part: b, 0 to 1.
        width: Standard deviation of the near part, in diagonals.
    """

    strength: float = 0.0
    near_part: float = 0.5
    width: float = 0.03

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("flare.strength", self.strength, 0, 1)
        require_range("flare.near_part", self.near_part, 0, 1)
        require_range("flare.width", self.width, 0, 1)


def scatter_light(scene: Scene, stage: Flare) -> Scene:
    """Scatter a part of the light over the picture.

    Example:
        >>> scene = np.zeros((4, 4, 3), np.float32)
        >>> scene[0, 0] = 16
        >>> scatter_light(scene, Flare(strength=0.25, near_part=0.0))[3, 3].tolist()
        [0.25, 0.25, 0.25]
    """
    if stage.strength == 0:
        return scene
    near = blur_gaussian(scene, stage.width * float(np.hypot(*scene.shape[:2])))
    wide = scene.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    scattered = stage.near_part * near + (1 - stage.near_part) * wide
    return ((1 - stage.strength) * scene + stage.strength * scattered).astype(np.float32)
