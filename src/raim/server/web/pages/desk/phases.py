"""Phases: their dates in the file and in force, pauses, and challenge.toml read again."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import InputError, RaimError
from raim.server.contest.phases import pause, resume, set_dates
from raim.server.contest.rereading import Reread, read_again
from raim.server.database import Phase, Submission
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import Slug, Text
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
PATH = "/desk/phases/{phase_id}"
FORM = "%Y-%m-%dT%H:%M:%S"  # of <input type="datetime-local" step="1">


@router.get("/desk/phases", name="desk.phases")
def show_phases(context: Admitted) -> Response:
    """Show all phases."""
    return _show(context)


@router.post(f"{PATH}/dates", name="desk.phase.dates")
def change_dates(context: Admitted, phase_id: Slug, opens: Text = "", closes: Text = "") -> Response:
    """Change when a phase is open; times are in the challenge's zone."""
    zone = context.contest.challenge.timezone
    try:
        with context.server.database.writing() as session:
            row = find_phase_row(context, session, phase_id)
            set_dates(
                session,
                context.now,
                row,
                opens_at=parse_local(opens, zone, shown=row.opens_at),
                closes_at=parse_local(closes, zone, shown=row.closes_at),
                actor_id=context.user_id,
            )
    except RaimError as error:
        return _show(context, error=error, typed={phase_id: (opens, closes)})
    return go_to(f"{context.here}/desk/phases", note="saved")


@router.post(f"{PATH}/pause", name="desk.phase.pause")
def pause_phase(context: Admitted, phase_id: Slug) -> Response:
    """Take no new submissions for a while."""
    with context.server.database.writing() as session:
        pause(session, context.now, find_phase_row(context, session, phase_id), actor_id=context.user_id)
    return go_to(f"{context.here}/desk/phases", note="paused")


@router.post(f"{PATH}/resume", name="desk.phase.resume")
def resume_phase(context: Admitted, phase_id: Slug) -> Response:
    """End a pause."""
    with context.server.database.writing() as session:
        resume(session, context.now, find_phase_row(context, session, phase_id), actor_id=context.user_id)
    return go_to(f"{context.here}/desk/phases", note="resumed")


@router.post("/desk/challenge/read", name="desk.challenge.read")
def read_file(context: Admitted) -> Response:
    """Read challenge.toml again: all its problems are shown, or it is in force."""
    return _show(context, reread=read_challenge_again(context))


def read_challenge_again(context: Context) -> Reread:
    """Read challenge.toml again; without problems the server takes it."""
    from raim.server.jobs.versions import scorer_version

    server = context.server
    reread = read_again(
        server.database,
        server.storage,
        context.now,
        server.settings.folder,
        context.contest,
        scorer_version=scorer_version,
        actor_id=context.user_id,
    )
    if reread.challenge is not None:
        server.replace_challenge(reread.challenge)
    return reread


def find_phase_row(context: Context, session: Session, phase_id: str) -> Phase:
    """Give the row of a phase.

    Raises:
        UnknownNameError: There is no such phase; the nearest is named.
    """
    return session.get_one(Phase, context.contest.phase_ids[context.contest.challenge.phase(phase_id).id])


def parse_local(text: str, zone: ZoneInfo, *, shown: datetime | None = None) -> datetime:
    """Read the time of a form, which is in the challenge's zone; of an hour that comes twice, the first is meant.

    Args:
        text: As typed.
        zone: Of the challenge.
        shown: The time that the form showed; typed as it was shown it stays, to its fraction and in its hour.

    Raises:
        InputError: It is no time, or one that a change of clocks leaves out.

    Example:
        >>> parse_local("2026-07-01T12:00", ZoneInfo("Europe/Zurich")).isoformat()
        '2026-07-01T10:00:00+00:00'
    """
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no time; write it as 2026-03-31T12:00, in {zone.key}") from error
    if local.tzinfo is not None:
        raise InputError(f"{text[:40]!r} names a zone of its own; write it in {zone.key}, without a zone")
    if shown is not None and local == shown.astimezone(zone).replace(tzinfo=None, microsecond=0):
        return shown
    try:
        moment = local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise InputError(f"{text[:40]!r} is too far away") from error
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        raise InputError(f"there is no {text[:40]} in {zone.key}: the clocks are put forward then")
    return moment


def _show(
    context: Context,
    *,
    error: RaimError | None = None,
    typed: dict[str, tuple[str, str]] | None = None,
    reread: Reread | None = None,
) -> Response:
    with context.server.database.reading() as session:
        # What was changed a moment ago is shown, not what held when the request came.
        contest = context.server.contest(session)
        rows = {
            row.slug: row for row in session.scalars(select(Phase).where(Phase.challenge_id == contest.id))
        }
        counts = _counts(session)
        zone = contest.challenge.timezone
        phases = [
            {
                "phase": phase,
                "row": rows[phase.id],
                "state": contest.state(phase, context.now),
                "counts": counts.get(rows[phase.id].id, {}),
                "typed": (typed or {}).get(phase.id) or _as_typed(rows[phase.id], zone),
            }
            for phase in contest.challenge.phases
        ]
        return render(
            context,
            "desk_phases.html.jinja",
            status=409 if reread and reread.problems else 200 if error is None else status_of(error)[0],
            error="" if error is None else str(error),
            phases=phases,
            reread=reread,
            in_force=contest,
            zone=zone.key,
        )


def _as_typed(row: Phase, zone: ZoneInfo) -> tuple[str, str]:
    return f"{row.opens_at.astimezone(zone):{FORM}}", f"{row.closes_at.astimezone(zone):{FORM}}"


def _counts(session: Session) -> dict[int, dict[str, int]]:
    """Count the scored submissions of each phase, and those that wait to be scored again."""
    rows = session.execute(
        select(Submission.phase_id, func.count(), func.count(Submission.rescore_asked_at))
        .where(Submission.where("has_score"))
        .group_by(Submission.phase_id)
    )
    found: dict[int, Any] = {}
    for phase_id, scored, waiting in rows:
        found[phase_id] = {"scored": scored, "waiting": waiting}
    return found
