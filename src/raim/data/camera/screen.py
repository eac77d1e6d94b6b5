"""A photographed screen: stripes of red, green and blue light, too fine for the photosites.

Light of channel c = 0, 1, 2 at display coordinates (u, v), in screen pixels, is modulated by

    (1 + a cos 2 pi (u - c / 3)) (1 + a/2 cos 2 pi v)

the first harmonic of stripes side by side and of the gaps between rows; what the photosites see of higher ones is less
still. The stripes' frequency lies near a multiple of what the sensor's grid resolves, so wide coloured waves appear:
nothing draws the moire, it comes from sampling.

Source: Sun, Yu and Wang, "Moire Photo Restoration Using Multiresolution Convolutional Neural Networks", IEEE
Transactions on Image Processing 27(8), 2018, section II (moire as beat of screen and colour filter array); Liu, Shu and
Wu, "Demoireing of Camera-Captured Screen Images Using Deep Convolutional Neural Network", arXiv 1804.03809 (subpixels,
rotation, mosaic).
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Scene, require_range


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """The screen that shows the scene.

    Attributes:
        contrast: a, 0 (no screen) to 1.
        pitch_px: Photosites for each screen pixel, 0.5 to 10; near 2 the waves behind colour filters are widest.
        angle_deg: Rotation of the screen.
        bend: How far perspective and lens bend the rows, in parts of the picture's diagonal.
    """

    contrast: float = 0.0
    pitch_px: float = 2.1
    angle_deg: float = 0.0
    bend: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("screen.contrast", self.contrast, 0, 1)
        require_range("screen.pitch_px", self.pitch_px, 0.5, 10)
        require_range("screen.angle_deg", self.angle_deg, -360, 360)
        require_range("screen.bend", self.bend, -0.2, 0.2)


def show_on_screen(light: Scene, stage: Screen) -> Scene:
    """Show the scene on a screen, as the photosites see it.

    Args:
        light: (h, w, 3), one value for each photosite.
        stage: The screen.

    Example:
        >>> light = np.full((1, 4, 3), 0.5, np.float32)
        >>> show_on_screen(light, Screen(contrast=0.5, pitch_px=2.0))[0, :, 0].round(3)
        array([0.938, 0.312, 0.938, 0.312], dtype=float32)
    """
    if stage.contrast == 0:
        return light
    height, width = light.shape[:2]
    angle = np.deg2rad(stage.angle_deg)
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    across, down = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    bend = stage.bend / np.hypot(height, width)
    columns = (across + bend * down**2) / stage.pitch_px
    rows = (down + bend * across**2) / stage.pitch_px
    gaps = 1 + stage.contrast / 2 * np.cos(2 * np.pi * rows)
    lit = [1 + stage.contrast * np.cos(2 * np.pi * (columns - channel / 3)) for channel in range(3)]
    return (light * np.stack(lit, axis=2) * gaps[..., None]).astype(np.float32)
