"""From rows of a table to ballots: rows become trials; what the table does not say is in a plan, or inferred."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from raim.challenge.modes import MODES, infer_mode
from raim.errors import InputError
from raim.study.files.document import StudyDocument
from raim.study.files.plan import StudyPlan
from raim.study.files.problems import find_vote_problems
from raim.study.files.votes_reading import VoteRow, VoteTable
from raim.study.trial import Trial, label_of
from raim.study.votes import BLURRED, Ballots, Vote
from raim.tables import match_names


@dataclass(slots=True)
class _Gathering:
    """What one look at the rows has found."""

    plan: StudyPlan | None
    problems: list[str]
    votes: list[Vote] = field(default_factory=list)
    issues: dict[str, str] = field(default_factory=dict)


def gather_votes(
    tables: Sequence[VoteTable],
    problems: list[str],
    *,
    plan: StudyPlan | None = None,
    mode: str | None = None,
    points: tuple[int, ...] | None = None,
) -> StudyDocument | None:
    """Make ballots of tables.

    Args:
        tables: Such as the sheets of all judges.
        problems: What is wrong is added.
        plan: Says who saw what; without one, all names are those that occur.
        mode: What a judge did in a trial; None to tell from the votes.
        points: For the first, second, third pick; None for the plan's, else the mode's.

    Returns:
        None if there are problems.
    """
    rows, notes = _name_alike([row for table in tables for row in table.rows], plan)
    notes[:0] = [note for table in tables for note in table.notes]
    if not rows and not problems:
        problems.append("there is no vote in it")
    only_picks = plan is None and _lists_only_picks(tables, rows)
    entries = _entries(rows, plan)
    found = _Gathering(plan=plan, problems=problems)
    for trial_rows in _group(rows).values():
        _gather_trial(found, trial_rows, entries if only_picks else None)
    if problems:
        return None
    ballots = _make_ballots(found, tables, entries, mode, points)
    problems += find_vote_problems(ballots)
    notes += _notes(found, only_picks=only_picks, n_entries=len(entries))
    if plan is None and (mode is None or points is None):
        worth = f", points {'/'.join(map(str, ballots.points))}" if ballots.points else ""
        notes.append(f"mode {ballots.mode}{worth}: as the votes look; --mode and --points state others")
    return StudyDocument(
        ballots=ballots,
        design=None if plan is None else plan.design,
        is_simulated=any(row.is_simulated for row in rows),
        notes=tuple(notes),
    )


def _name_alike(rows: list[VoteRow], plan: StudyPlan | None) -> tuple[list[VoteRow], list[str]]:
    """Return rows with the plan's own names of judges, images and entries, and notes on names that were shortened."""
    if plan is None:
        return rows, []
    judges = match_names({row.judge for row in rows}, [each.judge for each in plan.judges])
    images = match_names({row.image for row in rows}, plan.design.images)
    entries = match_names({row.entry for row in rows}, [*plan.design.entries, BLURRED])
    renamed = [
        replace(
            row,
            judge=judges.names.get(row.judge, row.judge),
            image=images.names.get(row.image, row.image),
            entry=entries.names.get(row.entry, row.entry),
        )
        for row in rows
    ]
    return renamed, [match.note for match in (judges, images, entries) if match.note]


def _lists_only_picks(tables: Sequence[VoteTable], rows: Sequence[VoteRow]) -> bool:
    """Whether candidates that were not picked are not in the table: every row has a pick, and nothing has a label."""
    has_labels = any("label" in table.columns for table in tables)
    return not has_labels and all(row.pick is not None and row.grade is None for row in rows)


def _entries(rows: Iterable[VoteRow], plan: StudyPlan | None) -> tuple[str, ...]:
    if plan is not None:
        return plan.design.entries
    return tuple(sorted({row.entry for row in rows} - {"", BLURRED}))


def _group(rows: Iterable[VoteRow]) -> dict[tuple[object, ...], list[VoteRow]]:
    """Put the rows of one trial together: by position where it is stated, else by image."""
    trials: dict[tuple[object, ...], list[VoteRow]] = {}
    for row in rows:
        place = (row.position,) if row.position is not None else (row.kind, row.image)
        trials.setdefault((row.judge, row.part, *place), []).append(row)
    return trials


def _gather_trial(found: _Gathering, rows: list[VoteRow], everybody: tuple[str, ...] | None) -> None:
    first = rows[0]
    if first.pick is None and all(row.pick is None and row.grade is None for row in rows):
        return  # a trial that has not been voted on
    trial = _planned(found, first)
    faults = list(_row_faults(rows, trial, has_plan=found.plan is not None))
    if faults:
        found.problems += faults
        return
    named = {id(row): row.entry or _entry_at(trial, row.label) for row in rows}
    picked = sorted((row for row in rows if row.pick is not None), key=lambda row: row.pick or 0)
    image = first.image or (trial.image if trial else "")
    if first.issue:
        found.issues[image] = first.issue
    found.votes.append(
        Vote(
            judge=first.judge,
            image=image,
            kind=trial.kind
            if trial
            else first.kind or ("training" if first.part == "training" else "counted"),
            position=first.position or 1 + sum(vote.judge == first.judge for vote in found.votes),
            shown=trial.tiles if trial else everybody or tuple(named[id(row)] for row in _by_label(rows)),
            choice=tuple(named[id(row)] for row in picked),
            ratings={named[id(row)]: row.grade for row in rows if row.grade is not None},
            seconds=first.seconds,
            cast_at=first.cast_at,
            reasons={named[id(row)]: row.reasons for row in rows if row.reasons},
        )
    )


def _planned(found: _Gathering, row: VoteRow) -> Trial | None:
    if found.plan is None or row.position is None:
        return None
    return found.plan.find(row.judge, row.part, row.position)


def _row_faults(rows: Sequence[VoteRow], trial: Trial | None, *, has_plan: bool) -> Iterator[str]:
    first = rows[0]
    for name in ("image", "kind", "seconds", "cast_at", "issue"):
        for row in rows[1:]:
            if getattr(row, name) != getattr(first, name):
                yield f"{row.where}: {name} is another one than in {first.where}, which is of the same trial"
    picks = sorted(row.pick for row in rows if row.pick is not None)
    if picks != list(range(1, len(picks) + 1)):
        yield f"{first.where}: the picks of this trial are {', '.join(map(str, picks))}; expected 1, 2, ... once each"
    if has_plan and trial is None and first.position is not None:
        yield f"{first.where}: the plan has no {first.part} trial {first.position} of judge {first.judge!r}"
    for row in rows:
        yield from (f"{row.where}: {fault}" for fault in _name_faults(row, trial))


def _name_faults(row: VoteRow, trial: Trial | None) -> Iterator[str]:
    if trial is None:
        if not row.entry or not row.image:
            yield f"it names no {'image' if row.entry else 'entry'}; name it, or give the plan that tells it"
        return
    if row.image and row.image != trial.image:
        yield f"the image is {row.image!r}, in the plan it is {trial.image!r}"
    if row.kind and row.kind != trial.kind:
        yield f"the kind is {row.kind!r}, in the plan it is {trial.kind!r}"
    if row.label and not _entry_at(trial, row.label):
        yield f"there is no label {row.label!r}; this trial has A to {label_of(len(trial.tiles) - 1)}"
    elif row.entry and row.label and _entry_at(trial, row.label) != row.entry:
        yield f"label {row.label} is {row.entry!r}, in the plan it is {_entry_at(trial, row.label)!r}"
    elif not row.entry and not row.label:
        yield "it has neither an entry nor a label"


def _entry_at(trial: Trial | None, label: str) -> str:
    tiles = trial.tiles if trial else ()
    return next((entry for place, entry in enumerate(tiles) if label_of(place) == label), "")


def _by_label(rows: Sequence[VoteRow]) -> list[VoteRow]:
    """Order the rows of a trial by label: A to Z before A2."""
    return sorted(rows, key=lambda row: (row.label[1:].zfill(3), row.label[:1]))


def _make_ballots(
    found: _Gathering,
    tables: Sequence[VoteTable],
    entries: tuple[str, ...],
    mode: str | None,
    points: tuple[int, ...] | None,
) -> Ballots:
    design = found.plan.design if found.plan else None
    stated = mode or (design.mode if design else infer_mode(found.votes))
    criteria = dict.fromkeys(name for table in tables for name in table.criteria)
    judges = (
        [each.judge for each in found.plan.judges]
        if found.plan
        else sorted({vote.judge for vote in found.votes})
    )
    images = list(design.images) if design else sorted({vote.image for vote in found.votes})
    issues: Mapping[str, str] = design.images if design else found.issues
    return Ballots(
        mode=stated,
        points=points if points is not None else design.points if design else MODES[stated].points,
        criteria=design.criteria if design else tuple(criteria),
        entries=entries,
        images=tuple(images),
        issues={name: issues.get(name, "") for name in images},
        judges=tuple(judges),
        votes=tuple(found.votes),
    )


def _notes(found: _Gathering, *, only_picks: bool, n_entries: int) -> Iterator[str]:
    if only_picks:
        yield (
            f"only picked candidates are listed, so every judge is taken to have seen all {n_entries} entries; "
            "list the others with an empty pick if that is not so"
        )
    if found.plan is None:
        yield "there is no plan: judges and entries without a row are not known, and nobody is counted as absent"


def check_points(text: str) -> tuple[int, ...]:
    """Read points from a text such as "3,2,1".

    Raises:
        InputError: It is not that.

    Example:
        >>> check_points("3,2,1")
        (3, 2, 1)
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise InputError(f"the points are {text!r}; expected whole numbers such as 3,2,1")
    points = tuple(map(int, parts))
    if list(points) != sorted(points, reverse=True):
        raise InputError(f"the points are {text}; expected numbers that never rise")
    return points
