"""The sensor: photosites behind colour filters, a photographed screen before them, noise and converter after them.

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

from raim.data.camera.arrays import Channel, Layers, Rgb
from raim.data.camera.stage import CameraStage, number, yes_or_no

BASE_ISO = 100.0
BLACK_LEVEL = 1 / 16  # of the converter's range: 64 of 1023, 1024 of 16383, as raw files often state


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling(CameraStage):
    """The grid of photosites.

    On the scene's grid the part of the pitch that collects light is a whole number of pixels, even or odd as the
    reduction is.
    """

    reduction: int = number(1, 1, 16, "scene pixels for each photosite along an axis")
    fill: float = number(1.0, 0, 1, "part of the pitch that collects light, 0 (a point) to 1")
    has_mosaic: bool = yes_or_no("whether there are colour filters; else each photosite sees all colours")


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen(CameraStage):
    """A photographed screen: stripes of red, green and blue light, too fine for the photosites.

    Light of channel c = 0, 1, 2 at display coordinates (u, v), in screen pixels, is modulated by

        (1 + a cos 2 pi (u - c / 3)) (1 + a/2 cos 2 pi v)

    the first harmonic of stripes side by side and of the gaps between rows; what the photosites see of higher ones is
    less still. The stripes' frequency lies near a multiple of what the sensor's grid resolves, so wide coloured waves
    appear: nothing draws the moire, it comes from sampling.

    Source: Sun, Yu and Wang, "Moire Photo Restoration Using Multiresolution Convolutional Neural Networks", IEEE
    Transactions on Image Processing 27(8), 2018, section II (moire as beat of screen and colour filter array); Liu, Shu
    and Wu, "Demoireing of Camera-Captured Screen Images Using Deep Convolutional Neural Network", arXiv 1804.03809
    (subpixels, rotation, mosaic).
    """

    contrast: float = number(0.0, 0, 1, "a, of the stripes; 0 is no screen")
    pitch_px: float = number(2.1, 0.5, 10, "photosites for each screen pixel; near 2 waves are widest")
    angle_deg: float = number(0.0, -360, 360, "rotation of the screen")
    bend: float = number(0.0, -0.2, 0.2, "of the rows by perspective and lens, in diagonals of the picture")


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise(CameraStage):
    """Photon and read noise of raw values, saturation and the analogue-digital converter.

    With K raw units for each electron, K = (iso / 100) / full_well:

        raw = K Poisson(x / K) + K read_noise N(0, 1),    var = K mean + (K read_noise)^2

    so the variance is a line over the mean. Values above 1, the sensor's saturation at that ISO, are cut. The converter
    rounds to `bits`, a black level above zero, so that noise in the dark keeps both its sides.

    Source: Foi et al., "Practical Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data", IEEE
    Transactions on Image Processing 17(10), 2008, equations 1 to 4; EMVA Standard 1288, release 4.0, section 2 (the
    photon transfer line). Full wells and read noise of the presets: telephone sensors of 1 to 2 micrometres hold 4,000
    to 10,000 electrons and read with 1 to 4.
    """

    iso: float = number(0.0, 0, 1e6, "sensitivity; 0 has neither photon nor read noise")
    full_well: float = number(8000.0, 100, 1e6, "electrons of a saturated photosite at ISO 100")
    read_noise: float = number(2.0, 0, 1000, "standard deviation of the read noise in electrons")
    bits: int = number(0, 8, 16, "of the analogue-digital converter; 0 does not round")
    seed: int = number(0, 0, np.inf, "of the noise")

    @property
    def gain(self) -> float:
        """K: raw units for each electron."""
        return self.iso / BASE_ISO / self.full_well


def aperture_px(stage: Sampling) -> int:
    """Return the width of a photosite in scene pixels."""
    narrowest = 2 - stage.reduction % 2  # centred on the pitch, so of its parity
    return max(narrowest, int((stage.fill * stage.reduction - narrowest) // 2) * 2 + narrowest)


def sample_scene(scene: Rgb, stage: Sampling) -> Float32[np.ndarray, "rows columns 3"]:
    """Return what the photosites see of each colour: (h // reduction, w // reduction, 3)."""
    pitch, aperture = stage.reduction, aperture_px(stage)
    height, width = (side // pitch for side in scene.shape[:2])
    first = (pitch - aperture) // 2
    total = np.zeros((height, width, 3), np.float32)
    for dy in range(first, first + aperture):
        for dx in range(first, first + aperture):
            total += scene[dy : height * pitch : pitch, dx : width * pitch : pitch]
    return total / np.float32(aperture**2)


def filter_colours(light: Rgb) -> Channel:
    """Return one colour for each photosite: R G over G B, from the top left."""
    raw = light[..., 1].copy()
    raw[0::2, 0::2] = light[0::2, 0::2, 0]
    raw[1::2, 1::2] = light[1::2, 1::2, 2]
    return raw


def show_on_screen(light: Rgb, stage: Screen) -> Rgb:
    """Return the scene on a screen, as the photosites see it; `light` has one value for each of them."""
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


def expose(light: Layers, stage: Noise) -> Layers:
    """Return the raw values of light on the sensor: noisy, never more than saturation (1), rounded.

    They are negative where read noise takes a value below black; light below 0 counts as 0.
    """
    raw = _add_noise(light, stage) if stage.iso else light
    raw = np.minimum(raw, np.float32(1))
    return _convert(raw, stage.bits) if stage.bits else raw


def _add_noise(light: Layers, stage: Noise) -> Layers:
    rng = np.random.default_rng(stage.seed)
    electrons = rng.poisson(np.maximum(light, 0) / stage.gain).astype(np.float32)
    electrons += np.float32(stage.read_noise) * rng.standard_normal(light.shape, np.float32)
    return electrons * np.float32(stage.gain)


def _convert(raw: Layers, bits: int) -> Layers:
    largest = np.float32(2**bits - 1)
    black, span = np.float32(BLACK_LEVEL), np.float32(1 - BLACK_LEVEL)
    counts = np.clip(np.rint((raw * span + black) * largest), 0, largest)
    return (counts / largest - black) / span
