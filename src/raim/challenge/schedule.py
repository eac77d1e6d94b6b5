"""What phases and data sets must say about each other: dates, what is given out and handed in, what stays hidden."""

from collections.abc import Iterator
from datetime import datetime
from os.path import realpath
from pathlib import Path

from raim.challenge.consistency import unknown
from raim.challenge.data_set import DataSet
from raim.challenge.parsing import Draft
from raim.challenge.phase import Phase
from raim.challenge.problem import UnplacedProblem

Placed = list[tuple[int, Phase]]


def find_schedule_faults(draft: Draft) -> Iterator[UnplacedProblem]:
    """List what is wrong with dates and with the use of data sets."""
    phases = list(zip(draft.indices["phase"], draft.challenge.phases, strict=True))
    yield from _missing_tables(draft)
    yield from _dates(phases)
    yield from _data_sets(draft)
    for index, phase in phases:
        yield from _unknown_data_sets(phase, index, draft)
        yield from _unpaired(phase, index, draft)
        yield from _unavailable(phase, index, draft)
        yield from _open_references(phase, index, draft)
        yield from _finalists_only(phase, index, draft)
        if phase.counts is not None and phase.scored is None:
            message = (
                f"the phase {phase.id!r} scores nothing, so nothing counts on its board; leave out `counts`"
            )
            yield UnplacedProblem(path=("phase", index, "counts"), message=message)


def _missing_tables(draft: Draft) -> Iterator[UnplacedProblem]:
    for key in ("phase", "data_set"):
        if not draft.stated[key]:
            yield UnplacedProblem(path=(), message=f"the file has no [[{key}]]; expected one at least")


def _dates(phases: Placed) -> Iterator[UnplacedProblem]:
    for index, phase in phases:
        if phase.closes <= phase.opens:
            message = f"the phase {phase.id!r} closes at {_utc(phase.closes)}; expected later than {_utc(phase.opens)}"
            yield UnplacedProblem(path=("phase", index, "closes"), message=message)
    ordered = sorted(phases, key=lambda placed: placed[1].opens)
    for position, (index, phase) in enumerate(ordered):
        for _, earlier in ordered[:position]:
            if phase.opens < earlier.closes and phase.opens < phase.closes:
                message = (
                    f"the phase {phase.id!r} opens at {_utc(phase.opens)}, before {earlier.id!r} closes at "
                    f"{_utc(earlier.closes)}; phases must not overlap (data of a closed phase can stay available)"
                )
                yield UnplacedProblem(path=("phase", index, "opens"), message=message)


def _data_sets(draft: Draft) -> Iterator[UnplacedProblem]:
    placed = list(zip(draft.indices["data_set"], draft.challenge.data_sets, strict=True))
    used = {each for phase in draft.challenge.phases for each in _used(phase)}
    for index, data_set in placed:
        path = ("data_set", index)
        if (data_set.kind == "paired") != bool(data_set.reference):
            way_out = (
                "name the folder of references" if data_set.kind == "paired" else "leave out `reference`"
            )
            yield UnplacedProblem(
                path=(*path, "reference"),
                message=f"the data set {data_set.id!r} is {data_set.kind}; {way_out}",
            )
        if data_set.id not in used and draft.has_all_phases:
            message = f"no phase uses the data set {data_set.id!r}"
            yield UnplacedProblem(path=path, message=message, severity="note")
        for other in draft.challenge.data_sets:
            if _is_exposed(data_set, other):
                message = (
                    f"the references of {data_set.id!r} lie where the inputs of {other.id!r} are given out from "
                    f"({other.input_folder}); move them to a folder of their own"
                )
                yield UnplacedProblem(path=path, message=message)


def _is_exposed(data_set: DataSet, other: DataSet) -> bool:
    """Return whether the other set's inputs are, or contain, this one's references."""
    if data_set.reference_folder is None:
        return False
    # Unlike Path.resolve, realpath takes links that lead in a circle as they are.
    references, inputs = (Path(realpath(each)) for each in (data_set.reference_folder, other.input_folder))
    return references == inputs or inputs in references.parents


def _used(phase: Phase) -> Iterator[str]:
    yield from phase.gives_out
    yield from phase.gives_references_of
    yield from (intake.on for intake in phase.intakes.values())


def _unknown_data_sets(phase: Phase, index: int, draft: Draft) -> Iterator[UnplacedProblem]:
    known = draft.stated["data_set"]
    for key in ("gives_out", "gives_references_of"):
        for place, name in enumerate(getattr(phase, key)):
            if name not in known:
                yield unknown("data set", name, known, ("phase", index, key, place))
    for kind, intake in phase.intakes.items():
        if intake.on not in known:
            yield unknown("data set", intake.on, known, ("phase", index, kind, "on"))


def _unpaired(phase: Phase, index: int, draft: Draft) -> Iterator[UnplacedProblem]:
    unpaired = {each.id for each in draft.challenge.data_sets if each.kind == "unpaired"}
    if phase.scored and phase.scored.on in unpaired:
        message = f"the data set {phase.scored.on!r} is unpaired; only paired images can be scored"
        yield UnplacedProblem(path=("phase", index, "scored", "on"), message=message)
    for place, name in enumerate(phase.gives_references_of):
        if name in unpaired:
            message = f"the data set {name!r} is unpaired; it has no references to give"
            yield UnplacedProblem(path=("phase", index, "gives_references_of", place), message=message)


def _unavailable(phase: Phase, index: int, draft: Draft) -> Iterator[UnplacedProblem]:
    """Find what is to be handed in though nobody can have its inputs."""
    given = {
        name for other in draft.challenge.phases if other.opens <= phase.opens for name in other.gives_out
    }
    for kind, intake in phase.intakes.items():
        is_known = intake.on in draft.stated["data_set"]
        if intake.on not in given and is_known and draft.has_all_phases:
            message = (
                f"no phase that opens by {_utc(phase.opens)} gives out {intake.on!r}, so nobody can hand it in; add it "
                "to gives_out"
            )
            yield UnplacedProblem(path=("phase", index, kind, "on"), message=message)


def _open_references(phase: Phase, index: int, draft: Draft) -> Iterator[UnplacedProblem]:
    """Find references that are given out before scoring on them has ended."""
    for place, name in enumerate(phase.gives_references_of):
        for other in draft.challenge.phases:
            if other.scored and other.scored.on == name and phase.opens < other.closes:
                message = (
                    f"the references of {name!r} are given out from {_utc(phase.opens)} on, but the phase {other.id!r} "
                    f"is scored on them until {_utc(other.closes)}"
                )
                yield UnplacedProblem(path=("phase", index, "gives_references_of", place), message=message)


def _finalists_only(phase: Phase, index: int, draft: Draft) -> Iterator[UnplacedProblem]:
    if phase.open_to != "finalists":
        return
    path = ("phase", index, "open_to")
    rule = draft.challenge.finalists
    if "finalists" not in draft.tables:
        yield UnplacedProblem(
            path=path, message=f"the phase {phase.id!r} is for finalists, but there is no table [finalists]"
        )
        return
    for chooser in draft.challenge.phases:
        if rule and chooser.id == rule.phase and phase.opens < chooser.closes:
            message = f"the phase {phase.id!r} is for finalists, but {chooser.id!r}, which chooses them, closes later"
            yield UnplacedProblem(path=path, message=message)


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
