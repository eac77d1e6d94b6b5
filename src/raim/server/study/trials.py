"""The trials of a judge: drawn once from the study's seed and the judge's number, then found by their place."""

import secrets
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records.judging import Part
from raim.server.auditing import record_event
from raim.server.database import Image, Judge, Study, StudyImage, Trial
from raim.server.study.ties import hidden_entries
from raim.study import StudyDesign, plan_judge, plan_training
from raim.study.trial import label_of

KEY_BYTES = 24


def draw_trials(session: Session, now: datetime, study: Study, judge: Judge) -> None:
    """Draw a judge's trials, unless they are drawn; from then on they never change.

    The design follows from the study's seed and the judge's number; only the keys in the tiles' addresses come from
    the system's randomness, since nobody may guess them.
    """
    session.execute(select(Judge.id).where(Judge.id == judge.id).with_for_update())  # one of two tabs draws
    session.refresh(judge)
    if judge.begun_at is not None:
        return
    design = StudyDesign.from_plain(study.design)
    images = _images_by_name(session, study)
    hidden = hidden_entries(session, judge)
    parts = {
        "training": plan_training(design, judge.number - 1, hidden=hidden),
        "voting": plan_judge(design, judge.number - 1, hidden=hidden),
    }
    for part, trials in parts.items():
        for trial in trials:
            session.add(
                Trial(
                    judge_id=judge.id,
                    part=part,
                    position=trial.position,
                    study_image_id=images[trial.image],
                    kind=trial.kind,
                    tiles=list(trial.tiles),
                    repeats=trial.repeats,
                    key=secrets.token_urlsafe(KEY_BYTES),
                )
            )
    judge.begun_at = now
    n_trials = len(parts["voting"])
    record_event(session, now, "draw trials", judge, actor_id=None, trials=n_trials, hidden=sorted(hidden))


def find_trial(session: Session, judge: Judge, part: Part, position: int) -> Trial:
    """Return the trial at a place of a judge's order.

    Raises:
        UnknownNameError: There is none.
    """
    found = session.scalar(
        select(Trial).where(Trial.judge_id == judge.id, Trial.part == part, Trial.position == position)
    )
    if found is None:
        raise UnknownNameError(f"there is no trial {position}; go back to the study's first page")
    return found


def count_trials(session: Session, judge: Judge, part: Part) -> int:
    """Count the trials that were drawn for a judge."""
    found = select(func.count()).where(Trial.judge_id == judge.id, Trial.part == part)
    return session.scalar(found) or 0


def find_tile_trial(session: Session, judge: Judge, key: str) -> tuple[Trial, StudyImage]:
    """Return the trial of a tile's address, if it is one of the judge's, with its image.

    Raises:
        UnknownNameError: It is not.
    """
    found = session.execute(
        select(Trial, StudyImage)
        .join(StudyImage, StudyImage.id == Trial.study_image_id)
        .where(Trial.key == key, Trial.judge_id == judge.id)
    ).one_or_none()
    if found is None:
        raise UnknownNameError("there is no such tile")
    return found[0], found[1]


def entry_of(trial: Trial, label: str) -> str:
    """Return the code of the entry under a label in a trial.

    Raises:
        UnknownNameError: There is no such label in it.
    """
    for place, code in enumerate(trial.tiles):
        if label_of(place) == label.upper():
            return code
    raise UnknownNameError(
        f"this trial has no candidate {label[:5]!r}; it has A to {label_of(len(trial.tiles) - 1)}"
    )


def labels_of(trial: Trial) -> dict[str, str]:
    """Return the label of each entry in a trial."""
    return {code: label_of(place) for place, code in enumerate(trial.tiles)}


def _images_by_name(session: Session, study: Study) -> dict[str, int]:
    rows = session.execute(
        select(Image.name, StudyImage.id)
        .join(StudyImage, StudyImage.image_id == Image.id)
        .where(StudyImage.study_id == study.id)
    )
    return {name: row_id for name, row_id in rows}  # noqa: C416 - rows are no pairs to mypy
