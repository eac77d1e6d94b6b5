"""The form of a new study: prefilled from challenge.toml, read with a reason for whatever cannot be."""

from dataclasses import replace

from pydantic import BaseModel, Field

from raim.challenge import StudyRule
from raim.challenge.modes import TOP_THREE, check_mode
from raim.challenge.settings import Conflicts
from raim.errors import InputError
from raim.server.database import Study
from raim.server.study.building import Proposal

LONGEST = 30_000
CONFLICTS: tuple[Conflicts, ...] = ("exclude-judge", "hide-tile")


class StudyForm(BaseModel):
    """What the page sends; numbers as they were typed."""

    title: str = Field(default="", max_length=400)
    mode: str = Field(default=TOP_THREE.name, max_length=20)
    points: str = Field(default="", max_length=200)
    tiles: str = Field(default="0", max_length=10)
    repeats_percent: str = Field(default="5", max_length=10)
    traps: str = Field(default="0", max_length=10)
    training: str = Field(default="0", max_length=10)
    criteria: str = Field(default="", max_length=LONGEST)
    conflicts: str = Field(default="exclude-judge", max_length=20)
    judges: str = Field(default="18", max_length=10)
    seed: str = Field(default="", max_length=20)
    min_width: str = Field(default=str(Study.min_width.default.arg), max_length=10)
    min_height: str = Field(default=str(Study.min_height.default.arg), max_length=10)
    instructions: str = Field(default="", max_length=LONGEST)
    submission: list[int] = []
    image: list[str] = []


def form_of(rule: StudyRule, *, title: str, seed: int, proposal: Proposal | None) -> StudyForm:
    """Give the form as it is shown first: everything whole is ticked."""
    entries = () if proposal is None else proposal.entries
    return StudyForm(
        title=title,
        mode=rule.mode,
        points=", ".join(map(str, rule.points)),
        tiles=str(rule.tiles),
        repeats_percent=f"{100 * rule.repeats_share:g}",
        traps=str(rule.traps),
        training=str(rule.training),
        criteria="\n".join(rule.criteria),
        conflicts=rule.conflicts,
        judges=str(rule.judges),
        seed=str(seed),
        submission=[
            each.submission_id for each in entries if each.is_whole and each.submission_id is not None
        ],
        image=[] if proposal is None else [name for _, name, _ in proposal.images],
    )


def rule_of(form: StudyForm, rule: StudyRule) -> StudyRule:
    """Give the rule that the form says.

    Raises:
        InputError: Something on it cannot be.
    """
    conflicts = next((each for each in CONFLICTS if each == form.conflicts), None)
    if conflicts is None:
        raise InputError(f"judges with a tie are {' or '.join(CONFLICTS)}, not {form.conflicts[:20]!r}")
    criteria = tuple(line.strip() for line in form.criteria.splitlines() if line.strip())
    return replace(
        rule,
        mode=check_mode(form.mode),
        points=_points(form.points),
        tiles=whole(form.tiles, "number of candidates at once", low=0, high=1000),
        repeats_share=_percent(form.repeats_percent) / 100,
        traps=whole(form.traps, "number of control trials", low=0, high=1000),
        training=whole(form.training, "number of training trials", low=0, high=1000),
        criteria=criteria or rule.criteria,
        conflicts=conflicts,
        judges=whole(form.judges, "number of judges", low=1, high=10_000),
    )


def whole(text: str, what: str, *, low: int, high: int) -> int:
    """Read a whole number.

    Raises:
        InputError: It is none, or outside.

    Example:
        >>> whole(" 18 ", "number of judges", low=1, high=100)
        18
    """
    stripped = text.strip()
    if not (stripped.isascii() and stripped.isdigit() and low <= int(stripped) <= high):
        raise InputError(f"the {what} is a whole number from {low} to {high}, not {text[:20]!r}")
    return int(stripped)


def _points(text: str) -> tuple[int, ...]:
    parts = [each.strip() for each in text.replace(";", ",").split(",") if each.strip()]
    return tuple(whole(each, "points of a pick", low=0, high=1_000_000) for each in parts)


def _percent(text: str) -> float:
    try:
        value = float(text.strip().rstrip("%"))
    except ValueError as error:
        raise InputError(f"the share of repeated trials is a number of percent, not {text[:20]!r}") from error
    if not 0 <= value <= 100:
        raise InputError(f"the share of repeated trials is 0 to 100 %, not {text[:20]!r}")
    return value
