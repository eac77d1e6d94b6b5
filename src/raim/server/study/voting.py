"""Votes: saved as they are made, changed until the judge has finished; every change is kept, the newest counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from raim.challenge.modes import MODES
from raim.errors import InputError, StateError
from raim.records.judging import Ballot, MarkedRegion, Part
from raim.server.auditing import record_event
from raim.server.database import Judge, Study, StudyImage, Trial, Vote
from raim.server.study.trials import entry_of, labels_of
from raim.study import StudyDesign

MOST_REGIONS = 20  # in one trial
LONGEST_LOOK_S = 24 * 3600.0


def cast_vote(
    session: Session, now: datetime, study: Study, judge: Judge, trial: Trial, ballot: Ballot
) -> Vote:
    """Keep a judge's vote in a trial; a later one replaces it, and both are kept.

    The same once more is the same vote: a page sends it again where the answer was lost, or another page of the judge
    has found it unsent.

    Raises:
        InputError: It is none that the study asks for.
        StateError: The judge has finished, or the study is not open.
        UnknownNameError: A label is not in the trial.
    """
    check_votes_are_taken(session, study, judge)
    design = StudyDesign.from_plain(study.design)
    labels = tuple(labels_of(trial).values())
    # By labels: what a judge reads must not name an entry, whose code is the same in every trial.
    MODES[design.mode].check(labels, ballot.choice, ballot.ratings, design.points)
    ballot_columns = {
        "choice": [entry_of(trial, label) for label in ballot.choice],
        "ratings": {entry_of(trial, label): grade for label, grade in ballot.ratings.items()},
        "reasons": _check_reasons(design, trial, ballot),
        "regions": _check_regions(session, trial, ballot.regions),
        "seconds": min(max(ballot.seconds, 0.0), LONGEST_LOOK_S),
    }
    judge.seen_at = now
    newest = newest_vote(session, trial)
    if newest is not None and all(getattr(newest, name) == value for name, value in ballot_columns.items()):
        return newest
    vote = Vote(
        trial_id=trial.id,
        sequence=1 if newest is None else newest.sequence + 1,
        cast_at=now,
        **ballot_columns,
    )
    session.add(vote)
    return vote


def check_votes_are_taken(session: Session, study: Study, judge: Judge) -> None:
    """Refuse votes that come too early or too late; who ends the voting waits until this transaction has ended.

    Raises:
        StateError: The judge has finished or is revoked, or the study is not open.
    """
    session.refresh(study, with_for_update={"read": True})  # shared: all judges may vote at once
    session.refresh(judge, with_for_update=True)
    if judge.revoked_at is not None:
        raise StateError("your invitation was revoked; write to the organiser if that is wrong")
    if judge.finished_at is not None:
        raise StateError(
            "you have finished, so your votes are locked; write to the organiser if one is wrong"
        )
    if study.state != "open" and not (judge.is_preview and study.state == "draft"):
        raise StateError(f"the study is {study.state}; votes are taken while it is open")


def takes_votes(study: Study, judge: Judge) -> bool:
    """Return whether a judge may vote now: organisers who only look may in a draft, too."""
    is_on = study.state == "open" or (judge.is_preview and study.state == "draft")
    return is_on and judge.finished_at is None


def finish_judging(session: Session, now: datetime, study: Study, judge: Judge) -> None:
    """Lock a judge's votes; trials without a vote stay without one.

    Raises:
        StateError: The study is not open.
    """
    if judge.finished_at is not None:
        return
    check_votes_are_taken(session, study, judge)
    judge.finished_at = judge.seen_at = now
    unvoted = open_positions(session, judge)
    record_event(session, now, "finish judging", judge, actor_id=None, open=unvoted)


def newest_vote(session: Session, trial: Trial) -> Vote | None:
    """Return the vote of a trial that counts."""
    return session.scalar(
        select(Vote).where(Vote.trial_id == trial.id).order_by(Vote.sequence.desc()).limit(1)
    )


def as_ballot(trial: Trial, vote: Vote) -> Ballot:
    """Return a stored vote as the judge's page shows it."""
    labels = labels_of(trial)
    return Ballot(
        choice=tuple(labels[code] for code in vote.choice),
        ratings={labels[code]: grade for code, grade in vote.ratings.items()},
        reasons={labels[code]: tuple(names) for code, names in vote.reasons.items()},
        regions=tuple(
            MarkedRegion(**{**each, "label": labels.get(each["label"], each["label"])})
            for each in vote.regions
        ),
        seconds=vote.seconds,
    )


def newest_votes(session: Session, judge_ids: Sequence[int]) -> dict[int, Vote]:
    """Return for each trial of some judges the vote that counts, by the trial's row."""
    newest = (
        select(Vote.trial_id, func.max(Vote.sequence).label("sequence"))
        .join(Trial, Trial.id == Vote.trial_id)
        .where(Trial.judge_id.in_(judge_ids))
        .group_by(Vote.trial_id)
        .subquery()
    )
    rows = session.scalars(
        select(Vote).join(
            newest, and_(Vote.trial_id == newest.c.trial_id, Vote.sequence == newest.c.sequence)
        )
    )
    return {vote.trial_id: vote for vote in rows}


def open_positions(session: Session, judge: Judge, part: Part = "voting") -> list[int]:
    """Return the places of a judge's trials that have no vote (or an empty one)."""
    trials = session.execute(
        select(Trial.id, Trial.position)
        .where(Trial.judge_id == judge.id, Trial.part == part)
        .order_by(Trial.position)
    ).all()
    votes = newest_votes(session, [judge.id])
    return [position for trial_id, position in trials if trial_id not in votes or is_empty(votes[trial_id])]


def is_empty(vote: Vote) -> bool:
    """Return whether nothing was chosen and nothing rated."""
    return not vote.choice and not vote.ratings


def _check_reasons(design: StudyDesign, trial: Trial, ballot: Ballot) -> dict[str, Any]:
    reasons = {}
    for label, names in ballot.reasons.items():
        unknown = [name for name in names if name not in design.criteria]
        if unknown:
            raise InputError(
                f"{unknown[0][:40]!r} is no criterion of this study; it has {', '.join(design.criteria)}"
            )
        if names:
            reasons[entry_of(trial, label)] = list(dict.fromkeys(names))
    return reasons


def _check_regions(session: Session, trial: Trial, regions: Sequence[MarkedRegion]) -> list[dict[str, Any]]:
    if len(regions) > MOST_REGIONS:
        raise InputError(
            f"{len(regions)} regions are marked; at most {MOST_REGIONS} are kept, take some back"
        )
    facts = session.get_one(StudyImage, trial.study_image_id).pack or {}
    width, height = facts.get("width", 0), facts.get("height", 0)
    return [
        {**each.model_dump(), "label": "input" if each.label == "input" else entry_of(trial, each.label)}
        for each in regions
        if _is_inside(each, width, height)
    ]


def _is_inside(region: MarkedRegion, width: int, height: int) -> bool:
    if region.width < 1 or region.height < 1:
        return False
    is_inside = 0 <= region.x < width and 0 <= region.y < height
    if not is_inside:
        raise InputError(
            f"a marked region begins at {region.x}, {region.y}, outside of the image of {width}x{height}"
        )
    return True
