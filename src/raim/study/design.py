"""The design of a study: everything that decides who sees what, and how picks become points."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_args

from raim.challenge.modes import MODES, TOP_THREE
from raim.challenge.settings import Conflicts, StudyRule
from raim.errors import InputError

STUDY_SCHEMA = "raim-study/1"
# What JSON has for each field; a list or an object may be distinguished from a text only so.
PLAIN_TYPES: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("schema", "mode", "conflicts"), str),
    **dict.fromkeys(("seed", "n_judges", "tiles", "n_traps", "n_training"), int),
    **dict.fromkeys(("points", "criteria", "entries"), (list, tuple)),
    "images": dict,
    "repeats_share": (int, float),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyDesign:
    """A study's design; the same design and judge's number give the same trials.

    Attributes:
        schema: Version of this record.
        seed: All orders follow from it.
        mode: What a judge does in a trial: a name of `raim.challenge.modes.MODES`.
        points: For the first, second, third pick.
        criteria: What judges look at.
        entries: Names or codes.
        images: For each image its issue; "" for none.
        n_judges: How many are planned; more may come.
        tiles: How many candidates a trial shows; all of them is a complete design, fewer a balanced incomplete one.
        repeats_share: Share of the images that are shown a second time, hidden.
        n_traps: Extra trials with a blurred copy in the place of a candidate.
        n_training: Trials before the first that counts.
        conflicts: What happens to a judge with a tie to a team.
    """

    schema: str = STUDY_SCHEMA
    seed: int
    mode: str = TOP_THREE.name
    points: tuple[int, ...] = TOP_THREE.points
    criteria: tuple[str, ...] = ("textures and details", "noise", "artifacts", "fidelity")
    entries: tuple[str, ...]
    images: Mapping[str, str]
    n_judges: int = 18
    tiles: int = 0
    repeats_share: float = 0.05
    n_traps: int = 2
    n_training: int = 2
    conflicts: Conflicts = field(default="exclude-judge")

    def __post_init__(self) -> None:
        """Refuse what cannot be shown.

        Raises:
            InputError: Too few entries, images or tiles, or a share that is none.
        """
        if self.schema != STUDY_SCHEMA:
            raise InputError(
                f"the design's schema is {self.schema!r}; this version of raim reads {STUDY_SCHEMA!r}"
            )
        for name, known in (("mode", tuple(MODES)), ("conflicts", get_args(Conflicts))):
            if getattr(self, name) not in known:
                raise InputError(
                    f"the design's {name} is {getattr(self, name)!r}; expected {', '.join(known)}"
                )
        if len(self.entries) < 2 or len(set(self.entries)) != len(self.entries):
            raise InputError(
                f"a study compares at least two different entries; there are {len(self.entries)}"
            )
        if not self.images:
            raise InputError("a study needs at least one image")
        object.__setattr__(self, "tiles", self._checked_tiles())
        if not 0 <= self.repeats_share <= 1:
            raise InputError(f"the share of repeats is {self.repeats_share:g}; expected 0 to 1")
        if min(self.n_traps, self.n_training) < 0 or self.n_judges < 1:
            raise InputError("numbers of traps and training trials are 0 or more, of judges 1 or more")

    @property
    def n_picks(self) -> int:
        """How many picks a trial asks for; 0 with ratings."""
        return min(MODES[self.mode].n_picks(self.points), self.tiles)

    @property
    def is_complete(self) -> bool:
        """Whether every trial shows every entry."""
        return self.tiles == len(self.entries)

    @classmethod
    def from_rule(
        cls, rule: StudyRule, *, entries: tuple[str, ...], images: Mapping[str, str], seed: int
    ) -> "StudyDesign":
        """Make the design that a challenge's rule asks for.

        Raises:
            InputError: The rule does not fit the entries.

        Example:
            >>> rule = StudyRule(phase="final")
            >>> design = StudyDesign.from_rule(rule, entries=("a", "b", "c"), images={"1": ""}, seed=1)
            >>> design.tiles, design.n_picks
            (3, 3)
        """
        return cls(
            seed=seed,
            mode=rule.mode,
            points=rule.points,
            criteria=rule.criteria,
            entries=entries,
            images=images,
            n_judges=rule.judges,
            tiles=rule.tiles,
            repeats_share=rule.repeats_share,
            n_traps=rule.traps,
            n_training=rule.training,
            conflicts=rule.conflicts,
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the design as JSON knows values."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "StudyDesign":
        """Read what `to_plain` gave.

        Raises:
            InputError: It is none.
        """
        names = {each.name for each in fields(cls)}
        if not {"schema", "seed", "entries", "images"} <= set(plain) <= names:
            unknown = sorted(set(plain) - names)
            raise InputError(f"this is no design of a study: unknown {unknown}; expected {sorted(names)}")
        for key, value in plain.items():
            if not isinstance(value, PLAIN_TYPES[key]) or isinstance(value, bool):
                raise InputError(f"this is no design of a study: {key} is {value!r:.60}")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        return cls(**values)

    def _checked_tiles(self) -> int:
        tiles = MODES[self.mode].count_tiles(self.tiles, len(self.entries))
        if not 2 <= tiles <= len(self.entries):
            raise InputError(
                f"a trial is to show {tiles} candidates of {len(self.entries)}; expected 2 to {len(self.entries)}"
            )
        return tiles
