"""The gallery of results: shown to everybody from when an organiser publishes it."""

from datetime import datetime

from sqlalchemy.orm import Session

from raim.server.auditing import record_event
from raim.server.database import Challenge


def publish_results(session: Session, now: datetime, challenge_id: int, *, actor_id: int) -> None:
    """Show the gallery of results to everybody."""
    row = session.get_one(Challenge, challenge_id)
    row.results_published_at = row.results_published_at or now
    _record(session, now, "publish results", row, actor_id)


def hide_results(session: Session, now: datetime, challenge_id: int, *, actor_id: int) -> None:
    """Show the gallery of results to organisers only."""
    row = session.get_one(Challenge, challenge_id)
    row.results_published_at = None
    _record(session, now, "hide results", row, actor_id)


def _record(session: Session, now: datetime, action: str, row: Challenge, actor_id: int) -> None:
    record_event(session, now, action, actor_id=actor_id, subject="challenge", subject_id=row.id)
