"""Photon and read noise of raw values, saturation and the analogue-digital converter.

With K raw units for each electron, K = (iso / 100) / full_well:

    raw = K Poisson(x / K) + K read_noise N(0, 1),    var = K mean + (K read_noise)^2

so the variance is a line over the mean. Values above 1, the sensor's saturation at that ISO, are cut. The converter
rounds to `bits`, a black level above zero, so that noise in the dark keeps both its sides.

Source: Foi et al., "Practical Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data", IEEE
Transactions on Image Processing 17(10), 2008, equations 1 to 4; EMVA Standard 1288, release 4.0, section 2 (the photon
transfer line). Full wells and read noise of the presets: telephone sensors of 1 to 2 micrometres hold 4,000 to 10,000
electrons and read with 1 to 4.
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Layers, require_range

BASE_ISO = 100.0
BLACK_LEVEL = 1 / 16  # of the converter's range: 64 of 1023, 1024 of 16383, as raw files often state


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """Noise and precision of the sensor.

    Attributes:
        iso: Sensitivity; 0 has neither photon nor read noise.
        full_well: Electrons of a saturated photosite at ISO 100.
        read_noise: Standard deviation of the read noise in electrons.
        bits: Of the analogue-digital converter, 8 to 16; 0 does not round.
        seed: Of the noise.
    """

    iso: float = 0.0
    full_well: float = 8000.0
    read_noise: float = 2.0
    bits: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("noise.iso", self.iso, 0, 1e6)
        require_range("noise.full_well", self.full_well, 100, 1e6)
        require_range("noise.read_noise", self.read_noise, 0, 1000)
        if self.bits:
            require_range("noise.bits", self.bits, 8, 16)
        require_range("noise.seed", self.seed, 0)

    @property
    def gain(self) -> float:
        """K: raw units for each electron."""
        return self.iso / BASE_ISO / self.full_well


def expose(light: Layers, stage: Noise) -> Layers:
    """Give the raw values of light on the sensor, noisy, cut at saturation and rounded.

    Args:
        light: Linear light, 1 is saturation; values below 0 count as 0.
        stage: Noise and precision.

    Returns:
        float32; negative where read noise takes a value below black, never more than 1.

    Example:
        >>> raw = expose(np.full((200, 200), 0.5, np.float32), Noise(iso=1600, full_well=8000, read_noise=3))
        >>> gain = 16 / 8000
        >>> bool(abs(raw.var() / (gain * 0.5 + (gain * 3) ** 2) - 1) < 0.03)
        True
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
