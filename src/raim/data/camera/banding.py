"""Limited bit depth: smooth slopes break into bands.

    out = rint(x (2^bits - 1)) / (2^bits - 1)

without dither, so the error is no noise but steps. Its variance over a slope is step^2 / 12.

Source: Bennett, "Spectra of Quantized Signals", Bell System Technical Journal 27(3), 1948 (step^2 / 12); Roberts,
"Picture coding using pseudo-random noise", IRE Transactions on Information Theory 8(2), 1962 (bands without dither).
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Scene, require_range


@dataclass(frozen=True, kw_only=True, slots=True)
class Banding:
    """How many steps an encoded value has.

    Attributes:
        bits: 2 to 8 for each channel; 0 does not round.
    """

    bits: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        if self.bits:
            require_range("banding.bits", self.bits, 2, 8)


def round_to_steps(picture: Scene, stage: Banding) -> Scene:
    """Round encoded values to the steps of a bit depth.

    Example:
        >>> slope = np.linspace(0, 1, 5, dtype=np.float32)[None, :, None].repeat(3, 2)
        >>> round_to_steps(slope, Banding(bits=2))[0, :, 0].round(3)
        array([0.   , 0.333, 0.667, 0.667, 1.   ], dtype=float32)
    """
    if stage.bits == 0:
        return picture
    largest = np.float32(2**stage.bits - 1)
    return np.rint(picture * largest) / largest
