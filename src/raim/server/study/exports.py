"""Exports of a revealed study: every vote that counts, every change, and an archive that may be handed to anybody.

Judges are J01, J02, ... in all of them: their names stay on the organisers' pages. Votes that a program made say so in
the files' names and in every row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.errors import unknown_name
from raim.server.database import Image, Study, StudyImage, Trial
from raim.server.database import Vote as VoteRow
from raim.server.export_table import ExportTable, csv_pieces
from raim.server.study.ballots import collect_ballots, judge_names, list_study_entries, real_judges
from raim.server.study.closing import check_revealed
from raim.study import BLURRED, StudyDesign
from raim.study.files import StudyDocument, format_document, format_votes, make_archive

ROWS_AT_ONCE = 500
CHANGE = (
    *("cast_at", "judge", "part", "position", "image", "kind", "sequence", "counts"),
    *("choice", "ratings", "reasons", "regions", "seconds", "is_simulated"),
)
CSV, JSON, ZIP = "text/csv; charset=utf-8", "application/json", "application/zip"


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyFile:
    """A file of an export.

    Attributes:
        name: As it is asked for.
        title: What it holds, for people.
        media_type: Of HTTP.
        write: Gives its content in pieces.
    """

    name: str
    title: str
    media_type: str
    write: Callable[[Session], Iterator[bytes]]


def study_files(study_id: int) -> dict[str, StudyFile]:
    """Return the files of a revealed study by their names."""

    def of(session: Session) -> Study:
        study = session.get_one(Study, study_id)
        check_revealed(study, "votes are exported")
        return study

    files = (
        StudyFile(
            name="votes.csv",
            title="Every vote that counts, a row for each candidate; raim study reads it",
            media_type=CSV,
            write=lambda session: _encode(_votes_csv(session, of(session))),
        ),
        StudyFile(
            name="votes.json",
            title="The same as JSON, with the design of the study",
            media_type=JSON,
            write=lambda session: _encode(iter([format_document(study_document(session, of(session)))])),
        ),
        StudyFile(
            name="changes.csv",
            title="Every change of a vote, in the order of time",
            media_type=CSV,
            write=lambda session: _encode(csv_pieces(changes_table(session, of(session)))),
        ),
        StudyFile(
            name="archive.zip",
            title="Design and votes without names of judges, for everybody; raim study analyse reads it",
            media_type=ZIP,
            write=lambda session: _archive(session, of(session)),
        ),
    )
    return {each.name: each for each in files}


def find_study_file(study_id: int, name: str) -> StudyFile:
    """Return a file by its name.

    Raises:
        UnknownNameError: There is none; the nearest is named.
    """
    files = study_files(study_id)
    if name not in files:
        raise unknown_name("file of a study", name, files)
    return files[name]


def shown_name(study: Study, name: str) -> str:
    """Return the name under which a browser keeps a file of a study.

    Example:
        >>> shown_name(Study(id=3, is_simulated=True), "votes.csv")
        'study-3-simulated-votes.csv'
    """
    return f"study-{study.id}-{'simulated-' if study.is_simulated else ''}{name}"


def study_document(session: Session, study: Study) -> StudyDocument:
    """Return a revealed study as one record, teams by their names, judges as J01, J02, ...

    Raises:
        StateError: The study is not revealed.
    """
    ballots = collect_ballots(session, study)
    design = StudyDesign.from_plain(study.design)
    teams = {each.row.code: each.team for each in list_study_entries(session, study)}
    return StudyDocument(
        ballots=ballots,
        design=replace(design, entries=tuple(teams[code] for code in design.entries)),
        is_simulated=study.is_simulated,
    )


def changes_table(session: Session, study: Study) -> ExportTable:
    """Return every vote and every change of one, oldest first.

    Raises:
        StateError: The study is not revealed.
    """
    check_revealed(study, "votes are exported")
    names = judge_names(real_judges(session, study))
    teams = {each.row.code: each.team for each in list_study_entries(session, study)} | {BLURRED: BLURRED}
    return ExportTable(
        name="changes",
        title="Every change of a vote",
        columns=CHANGE,
        read=lambda: (
            _change_row(row, names, teams, is_simulated=study.is_simulated)
            for row in session.execute(_changes(study, list(names)).execution_options(yield_per=ROWS_AT_ONCE))
        ),
    )


def _changes(study: Study, judge_ids: list[int]) -> Any:
    newest = (
        select(VoteRow.trial_id, func.max(VoteRow.sequence).label("last"))
        .group_by(VoteRow.trial_id)
        .subquery()
    )
    return (
        select(VoteRow, Trial, Image.name, newest.c.last)
        .join(Trial, Trial.id == VoteRow.trial_id)
        .join(newest, newest.c.trial_id == Trial.id)
        .join(StudyImage, StudyImage.id == Trial.study_image_id)
        .join(Image, Image.id == StudyImage.image_id)
        .where(StudyImage.study_id == study.id, Trial.judge_id.in_(judge_ids))
        .order_by(VoteRow.cast_at, VoteRow.id)
    )


def _change_row(
    row: Any, names: dict[int, str], teams: dict[str, str], *, is_simulated: bool
) -> tuple[Any, ...]:
    vote, trial, image, last = row
    return (
        *(vote.cast_at, names[trial.judge_id], trial.part, trial.position, image, trial.kind),
        *(vote.sequence, vote.sequence == last),
        [teams[code] for code in vote.choice],
        {teams[code]: grade for code, grade in vote.ratings.items()},
        {teams[code]: criteria for code, criteria in vote.reasons.items()},
        [{**each, "label": teams.get(each["label"], each["label"])} for each in vote.regions],
        *(vote.seconds, is_simulated),
    )


def _archive(session: Session, study: Study) -> Iterator[bytes]:
    yield make_archive(study_document(session, study))


def _votes_csv(session: Session, study: Study) -> Iterator[str]:
    yield format_votes(collect_ballots(session, study), is_simulated=study.is_simulated)


def _encode(pieces: Iterator[str]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece.encode()
