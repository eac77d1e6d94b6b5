"""What organisers change about phases from the page: dates and pauses."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import InputError
from raim.server.auditing import record_event
from raim.server.database import Phase, Submission


def set_dates(
    session: Session, now: datetime, phase: Phase, *, opens_at: datetime, closes_at: datetime, actor_id: int
) -> None:
    """Change when a phase is open; what was received stays received.

    Raises:
        InputError: It would close before it opens, overlap another phase, or shut out submissions already received.
    """
    if opens_at >= closes_at:
        raise InputError(f"{phase.title} would close at {closes_at:%Y-%m-%d %H:%M} UTC, before it opens")
    others = session.scalars(
        select(Phase).where(Phase.challenge_id == phase.challenge_id, Phase.id != phase.id)
    )
    for other in others:
        if opens_at < other.closes_at and other.opens_at < closes_at:
            raise InputError(
                f"{phase.title} would overlap {other.title}, which is open from {other.opens_at:%Y-%m-%d %H:%M} to "
                f"{other.closes_at:%Y-%m-%d %H:%M} UTC; change that one first"
            )
    outside = session.scalar(
        select(Submission.received_at)
        .where(
            Submission.phase_id == phase.id,
            Submission.takes_try,
            (Submission.received_at < opens_at) | (Submission.received_at >= closes_at),
        )
        .limit(1)
    )
    if outside is not None:
        raise InputError(
            f"a submission was received at {outside:%Y-%m-%d %H:%M} UTC, outside of the new dates; keep it inside"
        )
    before = [phase.opens_at.isoformat(), phase.closes_at.isoformat()]
    after = [opens_at.isoformat(), closes_at.isoformat()]
    phase.opens_at, phase.closes_at = opens_at, closes_at
    record_event(session, now, "change dates", phase, actor_id=actor_id, before=before, after=after)


def pause(session: Session, now: datetime, phase: Phase, *, actor_id: int) -> None:
    """Take no new submissions for a while; uploads that have begun go on."""
    phase.paused_at = phase.paused_at or now
    record_event(session, now, "pause phase", phase, actor_id=actor_id)


def resume(session: Session, now: datetime, phase: Phase, *, actor_id: int) -> None:
    """End a pause."""
    phase.paused_at = None
    record_event(session, now, "resume phase", phase, actor_id=actor_id)
