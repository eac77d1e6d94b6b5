"""The course of a study: opened once its tiles are there, closed, revealed, or discarded; all of it audited."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError
from raim.records.studies import LeavingOut, StudyStep
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Judge, Study, StudyEntry, StudyImage

LONGEST_REASON = 500


def take_step(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    study: Study,
    wanted: StudyStep,
    *,
    actor_id: int,
) -> None:
    """Take a study to its next state.

    Raises:
        InputError: A reason is missing, or judges have not finished and nobody is sure.
        StateError: The step is not possible now.
    """
    if wanted.step in {"open", "reopen"} and challenge.results_published_at is not None:
        raise StateError(
            "the gallery shows the teams' images with their names; hide it on the checklist's page, then open the study"
        )
    if wanted.step == "open":
        open_study(session, now, study, actor_id=actor_id)
    elif wanted.step == "reopen":
        reopen_study(session, now, study, reason=wanted.reason, actor_id=actor_id)
    elif wanted.step == "close":
        if study.state == "open" and not wanted.is_sure:
            _check_finished(session, study)
        close_study(session, now, study, actor_id=actor_id)
    elif wanted.step == "reveal":
        reveal_study(session, now, study, actor_id=actor_id)
    else:
        discard_study(session, now, study, reason=wanted.reason, actor_id=actor_id)


def open_study(session: Session, now: datetime, study: Study, *, actor_id: int | None) -> None:
    """Let judges vote.

    Raises:
        StateError: It is no draft, or tiles are missing.
    """
    _expect(session, study, "draft", "opened")
    left, faults = count_unmade(session, study)
    if faults:
        raise StateError(
            f"the tiles of {faults} images could not be made; see the study's page, fix them and try again"
        )
    if left:
        raise StateError(
            f"the tiles of {left} images are still being made; open the study when they are there"
        )
    study.state, study.opened_at = "open", now
    record_event(session, now, "open study", study, actor_id=actor_id)


def close_study(session: Session, now: datetime, study: Study, *, actor_id: int | None) -> None:
    """Take no more votes; nothing is shown yet.

    Raises:
        StateError: It is not open.
    """
    _expect(session, study, "open", "closed")
    study.state, study.closed_at = "closed", now
    judges, finished = session.execute(
        select(func.count(Judge.id), func.count(Judge.finished_at)).where(
            Judge.study_id == study.id, ~Judge.is_preview
        )
    ).one()
    record_event(session, now, "close study", study, actor_id=actor_id, judges=judges, finished=finished)


def reopen_study(session: Session, now: datetime, study: Study, *, reason: str, actor_id: int | None) -> None:
    """Take votes again, as long as nobody has seen the results.

    Raises:
        InputError: There is no reason.
        StateError: It is not closed, or its results were revealed.
    """
    _expect(session, study, "closed", "opened again")
    study.state, study.closed_at = "open", None
    why = check_reason(reason, "the study is opened again")
    record_event(session, now, "reopen study", study, actor_id=actor_id, reason=why)


def reveal_study(session: Session, now: datetime, study: Study, *, actor_id: int | None) -> None:
    """Show the results to organisers, with the teams' names.

    Raises:
        StateError: It is not closed.
    """
    _expect(session, study, "closed", "revealed")
    study.state, study.revealed_at = "revealed", now
    record_event(session, now, "reveal study", study, actor_id=actor_id)


def discard_study(
    session: Session, now: datetime, study: Study, *, reason: str, actor_id: int | None
) -> None:
    """Put a study aside; its votes are kept, and shown nowhere.

    Raises:
        InputError: There is no reason.
        StateError: It is revealed or discarded.
    """
    session.refresh(study, with_for_update=True)
    if study.state in {"revealed", "discarded"}:
        raise StateError(f"the study is {study.state} and stays so")
    reason = check_reason(reason, "the study is put aside")
    study.state, study.discarded_at = "discarded", now
    record_event(session, now, "discard study", study, actor_id=actor_id, reason=reason)


def leave_out(
    session: Session, now: datetime, entry: StudyEntry, wanted: LeavingOut, *, actor_id: int
) -> None:
    """Leave an entry out of the ranking after the vote, or take it back in; both rankings are shown, with the reason.

    Raises:
        InputError: There is no reason.
        StateError: The study is not revealed.
    """
    check_revealed(session.get_one(Study, entry.study_id), "an entry is left out")
    if wanted.is_back:
        entry.left_out_reason = entry.left_out_at = None
        record_event(session, now, "take entry back in", entry, actor_id=actor_id)
        return
    entry.left_out_reason, entry.left_out_at = check_reason(wanted.reason, "the entry is left out"), now
    record_event(session, now, "leave entry out", entry, actor_id=actor_id, reason=entry.left_out_reason)


def try_tiles_again(session: Session, now: datetime, study: Study, *, actor_id: int | None) -> int:
    """Let the job make the tiles again that it could not make; give of how many images."""
    rows = session.scalars(
        select(StudyImage).where(StudyImage.study_id == study.id, StudyImage.error.is_not(None))
    ).all()
    for row in rows:
        row.error, row.attempt = None, row.attempt + 1
    record_event(session, now, "make tiles again", study, actor_id=actor_id, images=len(rows))
    return len(rows)


def count_unmade(session: Session, study: Study) -> tuple[int, int]:
    """Count the images without tiles, and how many of them have failed."""
    row = session.execute(
        select(func.count(StudyImage.id), func.count(StudyImage.error)).where(
            StudyImage.study_id == study.id, StudyImage.pack_sha256.is_(None)
        )
    ).one()
    return row[0], row[1]


def studies_under_way(session: Session, challenge: CurrentChallenge) -> list[Study]:
    """Return the studies that judges vote in, or whose votes nobody has seen yet."""
    found = (
        select(Study)
        .where(Study.challenge_id == challenge.id, Study.state.in_(("open", "closed")))
        .order_by(Study.id)
    )
    return list(session.scalars(found))


def check_revealed(study: Study, action: str) -> None:
    """Refuse what nobody may decide before the results are seen by all organisers.

    Raises:
        StateError: The study is not revealed.
    """
    if study.state != "revealed":
        raise StateError(f"the study is {study.state}; {action} once it is revealed")


def _check_finished(session: Session, study: Study) -> None:
    found = select(Judge.name).where(
        Judge.study_id == study.id, ~Judge.is_preview, Judge.finished_at.is_(None), Judge.revoked_at.is_(None)
    )
    left = session.scalars(found.order_by(Judge.number)).all()
    if left:
        names = ", ".join(left[:10]) + (" and others" if len(left) > 10 else "")
        raise InputError(
            f"{names} {'has' if len(left) == 1 else 'have'} not finished; remind them, or tick that it is closed all "
            "the same: what they have voted so far counts"
        )


def _expect(session: Session, study: Study, state: str, action: str) -> None:
    session.refresh(
        study, with_for_update=True
    )  # votes that are being kept come first, later ones see the new state
    if study.state != state:
        article = {"open": "an open", "draft": "a draft of a", "closed": "a closed"}[state]
        raise StateError(f"the study is {study.state}; only {article} study can be {action}")


def check_reason(reason: str, action: str) -> str:
    """Return a reason as it is kept.

    Raises:
        InputError: There is none.
    """
    if not reason.strip():
        raise InputError(f"say why {action}; the reason is published or logged")
    return reason.strip()[:LONGEST_REASON]
