"""The cases of a score page as its template shows them: which pictures, with which words."""

from collections.abc import Sequence
from dataclasses import dataclass

from raim.report.cases import Case
from raim.report.columns import find_columns
from raim.report.embedding import Embedded
from raim.report.photographs import INPUT_PANEL, REFERENCE_PANEL, ShownPhotograph, restored_key
from raim.scoring.profiles import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelView:
    """One panel: its role, the key of its picture (None: the note says why there is none) and a note."""

    role: str
    key: str | None
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseView:
    """One case.

    Attributes:
        case: Which image of which entry it is.
        heading: Such as "worst 1 of 30".
        values: Label and value of each column.
        photograph: Its name, size and crop.
        is_whole: Whether the crop is the whole photograph.
        thumbnail: Key of the small picture of the whole.
        panels: Input (if any), restored, reference.
    """

    case: Case
    heading: str
    values: tuple[tuple[str, str], ...]
    photograph: ShownPhotograph
    is_whole: bool
    thumbnail: str
    panels: tuple[PanelView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryCases:
    """The cases of one entry."""

    name: str
    views: tuple[CaseView, ...]


def view_cases(cases: Sequence[Case], embedded: Embedded, profile: Profile) -> tuple[EntryCases, ...]:
    """Join cases with their embedded pictures, entry by entry."""
    photographs = {photograph.name: photograph for photograph in embedded.photographs}
    names = dict.fromkeys(case.entry for case in cases)
    return tuple(
        EntryCases(
            name=name,
            views=tuple(
                _view(case, photographs[case.image.name], embedded, profile)
                for case in cases
                if case.entry == name
            ),
        )
        for name in names
    )


def _view(case: Case, photograph: ShownPhotograph, embedded: Embedded, profile: Profile) -> CaseView:
    roles = [
        (INPUT_PANEL, INPUT_PANEL),
        ("restored", restored_key(case.entry)),
        (REFERENCE_PANEL, REFERENCE_PANEL),
    ]
    crop = photograph.crop
    return CaseView(
        case=case,
        heading=_heading(case),
        values=tuple(
            (column.label, column.format(case.image.values[column.key])) for column in find_columns(profile)
        ),
        photograph=photograph,
        is_whole=(crop.width, crop.height) == (photograph.width, photograph.height),
        thumbnail=embedded.keys[photograph.name, "thumbnail"],
        panels=tuple(
            _view_panel(role, key, photograph, embedded) for role, key in roles if key in photograph.panels
        ),
    )


def _heading(case: Case) -> str:
    place = case.kind if case.place == 1 else f"{_ordinal(case.place)} {case.kind}"
    return f"{place} of {case.n_scored}"


def _ordinal(number: int) -> str:
    """Write 2 as 2nd.

    Example:
        >>> [_ordinal(number) for number in (2, 3, 4, 11, 21)]
        ['2nd', '3rd', '4th', '11th', '21st']
    """
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else suffix}"


def _view_panel(role: str, key: str, photograph: ShownPhotograph, embedded: Embedded) -> PanelView:
    return PanelView(
        role=role,
        key=embedded.keys.get((photograph.name, key)),
        note=photograph.panels[key].note,
    )
