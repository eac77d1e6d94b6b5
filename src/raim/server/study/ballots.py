"""The votes of a study as `raim.study` reads them: the newest of each trial, entries by team or by code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import StateError
from raim.server.database import Image, Judge, Study, StudyEntry, StudyImage, Submission, Team, Trial
from raim.server.database import Vote as VoteRow
from raim.server.study.judges import replaced_judges
from raim.server.study.voting import is_empty, newest_votes
from raim.study import BLURRED, Ballots, StudyDesign, Vote

if TYPE_CHECKING:
    from raim.study.votes import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedEntry:
    """An entry of a study with its team.

    Attributes:
        row: Of the study.
        submission_id: The final submission.
        team_id: The team.
        team: Its name, changed where a trap's tile has the same.
    """

    row: StudyEntry
    submission_id: int
    team_id: int
    team: str


def list_study_entries(session: Session, study: Study) -> list[NamedEntry]:
    """Return a study's entries with their teams, in the order of names."""
    rows = session.execute(
        select(StudyEntry, Submission.id, Team.id, Team.name)
        .join(Submission, Submission.id == StudyEntry.submission_id)
        .join(Team, Team.id == Submission.team_id)
        .where(StudyEntry.study_id == study.id)
        .order_by(Team.name_key)
    )
    return [
        NamedEntry(
            row=row,
            submission_id=submission_id,
            team_id=team_id,
            team=f"{team} (team)" if team.casefold().startswith(BLURRED) else team,
        )
        for row, submission_id, team_id, team in rows
    ]


def collect_ballots(session: Session, study: Study) -> Ballots:
    """Return all votes of a study, with teams by name and judges as J01, J02, ... by their numbers.

    Raises:
        StateError: The study is not revealed; nobody sees votes before that.
    """
    if study.state != "revealed":
        raise StateError(f"the study is {study.state}; votes are shown once it is closed and revealed")
    design = StudyDesign.from_plain(study.design)
    teams = {each.row.code: each.team for each in list_study_entries(session, study)}
    judges = real_judges(session, study)
    names = judge_names(judges)
    return Ballots(
        mode=design.mode,
        points=design.points,
        criteria=design.criteria,
        entries=tuple(sorted(teams.values(), key=str.casefold)),
        images=tuple(design.images),
        issues=dict(design.images),
        judges=tuple(names[judge.id] for judge in judges),
        votes=tuple(_votes(session, study, judges, names, {**teams, BLURRED: BLURRED})),
    )


def real_judges(session: Session, study: Study) -> Sequence[Judge]:
    """Return the judges of a study by number, without organisers who only look, and each person once."""
    found = select(Judge).where(Judge.study_id == study.id, ~Judge.is_preview).order_by(Judge.number)
    judges = session.scalars(found).all()
    replaced = replaced_judges(judges)
    return [judge for judge in judges if judge.id not in replaced]


def judge_names(judges: Sequence[Judge]) -> dict[int, str]:
    """Return each judge's name in results: J01, J02, ... in the order of their invitations."""
    width = max(2, len(str(len(judges))))
    return {judge.id: f"J{place:0{width}d}" for place, judge in enumerate(judges, start=1)}


def _votes(
    session: Session,
    study: Study,
    judges: Sequence[Judge],
    names: Mapping[int, str],
    teams: Mapping[str, str],
) -> list[Vote]:
    found = session.execute(
        select(StudyImage.id, Image.name)
        .join(Image, Image.id == StudyImage.image_id)
        .where(StudyImage.study_id == study.id)
    )
    images = {row_id: name for row_id, name in found}  # noqa: C416 - rows are no pairs to mypy
    newest = newest_votes(session, [judge.id for judge in judges])
    trials = session.scalars(
        select(Trial)
        .where(Trial.judge_id.in_(list(names)))
        .order_by(Trial.judge_id, Trial.part, Trial.position)
    )
    return [
        _vote(trial, newest[trial.id], names[trial.judge_id], images[trial.study_image_id], teams)
        for trial in trials
        if trial.id in newest and not is_empty(newest[trial.id])
    ]


def _vote(trial: Trial, row: VoteRow, judge: str, image: str, teams: Mapping[str, str]) -> Vote:
    return Vote(
        judge=judge,
        image=image,
        kind=cast("Kind", trial.kind),
        position=trial.position,
        shown=tuple(teams[code] for code in trial.tiles),
        choice=tuple(teams[code] for code in row.choice),
        ratings={teams[code]: grade for code, grade in row.ratings.items()},
        seconds=row.seconds,
        cast_at=row.cast_at,
        reasons={teams[code]: tuple(criteria) for code, criteria in row.reasons.items()},
    )
