"""What organisers change about phases from the page: dates, extensions and pauses."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import InputError
from raim.server.auditing import record_event
from raim.server.database import Extension, Phase, Submission


def set_dates(
    session: Session, now: datetime, phase: Phase, *, opens_at: datetime, closes_at: datetime, actor_id: int
) -> None:
    """Change when a phase is open; what was received stays received.

    Raises:
        InputError: It would close before it opens, overlap another phase, or shut out submissions already received; or
            it has begun and would close later, which is an extension.
    """
    if opens_at >= closes_at:
        raise InputError(f"{phase.title} would close at {closes_at:%Y-%m-%d %H:%M} UTC, before it opens")
    _check_overlap(session, phase, opens_at, closes_at)
    if phase.opens_at <= now and closes_at > phase.closes_at:
        raise InputError(f"{phase.title} has begun: to let it close later, extend it, and say why")
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


def extend(
    session: Session,
    now: datetime,
    phase: Phase,
    *,
    closes_at: datetime,
    reason: str,
    tries: str,
    actor_id: int,
) -> Extension:
    """Let a phase close later, for a reason that everybody reads.

    Args:
        session: A writing session.
        now: The time.
        phase: Which.
        closes_at: When it closes instead.
        reason: Why.
        tries: "none" are added, or "pro rata": the tries in all grow as the length of the phase does.
        actor_id: Who does it.

    Raises:
        InputError: It would not close later, be over already or overlap another phase, or the reason is missing.
    """
    session.refresh(phase, with_for_update=True)  # two at once follow each other
    if not reason.strip():
        raise InputError("say why the phase is extended; everybody reads it beside the phase")
    if closes_at <= max(phase.closes_at, now):
        raise InputError(
            f"{phase.title} closes at {phase.closes_at:%Y-%m-%d %H:%M} UTC; an extension ends later than that, and "
            "later than now"
        )
    _check_overlap(session, phase, phase.opens_at, closes_at)
    extension = Extension(
        phase_id=phase.id,
        extended_by=actor_id,
        extended_at=now,
        opens_at=phase.opens_at,
        closes_before=phase.closes_at,
        closes_after=closes_at,
        reason=reason.strip(),
        tries=tries,
    )
    phase.closes_at = closes_at
    session.add(extension)
    record_event(
        session,
        now,
        "extend phase",
        phase,
        actor_id=actor_id,
        before=extension.closes_before.isoformat(),
        after=closes_at.isoformat(),
        reason=extension.reason,
        tries=tries,
    )
    return extension


def _check_overlap(session: Session, phase: Phase, opens_at: datetime, closes_at: datetime) -> None:
    others = select(Phase).where(Phase.challenge_id == phase.challenge_id, Phase.id != phase.id)
    for other in session.scalars(others):
        if opens_at < other.closes_at and other.opens_at < closes_at:
            raise InputError(
                f"{phase.title} would overlap {other.title}, which is open from {other.opens_at:%Y-%m-%d %H:%M} to "
                f"{other.closes_at:%Y-%m-%d %H:%M} UTC; change that one first"
            )


def pause(session: Session, now: datetime, phase: Phase, *, actor_id: int) -> None:
    """Take no new submissions for a while; uploads that have begun go on."""
    phase.paused_at = phase.paused_at or now
    record_event(session, now, "pause phase", phase, actor_id=actor_id)


def resume(session: Session, now: datetime, phase: Phase, *, actor_id: int) -> None:
    """End a pause."""
    phase.paused_at = None
    record_event(session, now, "resume phase", phase, actor_id=actor_id)
