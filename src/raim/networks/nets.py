"""The nets as records: which parts follow each other, and which weights they have.

Source: FFDNet: Zhang, Zuo, Zhang, IEEE TIP 27(9), 2018, section III. RRDBNet: Wang et al., "ESRGAN", ECCVW 2018 (arXiv
1809.00219), section 3.1.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Convolutions of 3x3 in a row, each but the last followed by a ReLU.

    Attributes:
        weights: The entry of `raim.weights`.
        convolutions: Their names there, in order.
    """

    weights: str
    convolutions: tuple[str, ...]


FFDNET = Chain(weights="ffdnet-color", convolutions=tuple(f"model.{2 * index}" for index in range(12)))
