"""What is asked of all scenes of a run, and what a pair may have at most."""

import math
from dataclasses import dataclass, field

from raim.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class PairLimits:
    """What a pair may have at most.

    Attributes:
        residual_px: Mean residual over tiles, px of the input.
        moved_share: Share of pixels where something has moved.
        undetermined_share: Share of pixels whose position nothing near them says.
    """

    residual_px: float = 0.5
    moved_share: float = 0.25
    undetermined_share: float = 0.4

    def __post_init__(self) -> None:
        if not (self.residual_px > 0 and math.isfinite(self.residual_px)):
            raise InputError(f"the largest residual is {self.residual_px} px; expected a number above 0")
        for name, share in (("moved", self.moved_share), ("undetermined", self.undetermined_share)):
            if not 0 <= share <= 1:
                raise InputError(f"the largest share that is {name} is {share}; expected 0 to 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignmentOptions:
    """What is asked of all scenes.

    Attributes:
        crop_px: Side of the crops in px of the input; None: one pair for a scene, as large as both show.
        scale: Pixels of a reference for each of its input, in mode zoom; None: the nearest whole number to that found.
        match_tone: Whether the reference gets the input's tone.
        limits: What a pair may have at most.
        seed: Of the random samples of MAGSAC.
    """

    crop_px: int | None = None
    scale: float | None = None
    match_tone: bool = True
    limits: PairLimits = field(default_factory=PairLimits)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.crop_px is not None and self.crop_px < 32:
            raise InputError(f"crops of {self.crop_px} px were asked for; they must have at least 32")
        if self.scale is None:
            return
        if not 1 <= self.scale <= 8:
            raise InputError(f"a scale of {self.scale:g} was asked for; expected 1 to 8")
        if self.scale != round(self.scale) and (
            self.crop_px is None or not (self.crop_px * self.scale).is_integer()
        ):
            raise InputError(
                f"at scale {self.scale:g}, crops of {self.crop_px or 'no stated size'} px would end within a pixel; "
                "state crops whose size times the scale is whole, or a whole scale"
            )
