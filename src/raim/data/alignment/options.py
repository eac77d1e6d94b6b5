"""What is asked of all scenes of a run."""

import dataclasses
from dataclasses import dataclass

from raim.data.alignment.limits import Limits
from raim.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
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
    limits: Limits = dataclasses.field(default_factory=Limits)
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
