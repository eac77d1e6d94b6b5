"""The light that blown highlights have lost: a clean photograph's white stands for anything brighter.

    scene = light * (1 + (headroom - 1) * t^2 (3 - 2 t)),   t = clip((m - KNEE) / (1 - KNEE), 0, 1)

with m the brightest channel, relative to white. Without it a light blurs to a grey spot in place of a bright disc, and
has nothing to spare for flare and purple fringes. The sensor's saturation cuts it again.

Source: Rempel et al., "Ldr2Hdr: On-the-fly Reverse Tone Mapping of Legacy Video and Photographs", SIGGRAPH 2007 (smooth
brightening of saturated regions); Brooks et al. 2019, section 3.4 (a smooth mask keeps what is not blown unchanged).
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Scene, require_range
from raim.data.camera.colour import Colour

KNEE = 0.9  # Brooks et al. 2019, section 3.4: the threshold of their mask


@dataclass(frozen=True, kw_only=True, slots=True)
class Highlights:
    """How bright blown highlights are taken to be.

    Attributes:
        headroom: Light of a blown highlight relative to white; 1 leaves the scene alone.
    """

    headroom: float = 1.0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("highlights.headroom", self.headroom, 1, 1000)


def expand_highlights(scene: Scene, stage: Highlights, colour: Colour) -> Scene:
    """Give blown highlights their light back.

    Args:
        scene: Linear camera light.
        stage: How bright they are.
        colour: Says where white is.

    Example:
        >>> scene = np.array([[[0.5, 0.5, 0.5], [1, 1, 1]]], np.float32)
        >>> expand_highlights(scene, Highlights(headroom=4.0), Colour())[0, :, 0].tolist()
        [0.5, 4.0]
    """
    if stage.headroom == 1:
        return scene
    gains = np.array([colour.red_gain, 1, colour.blue_gain], np.float32)
    t = np.clip(((scene * gains).max(axis=2, keepdims=True) - KNEE) / (1 - KNEE), 0, 1)
    return scene * (1 + (stage.headroom - 1) * t * t * (3 - 2 * t)).astype(np.float32)
