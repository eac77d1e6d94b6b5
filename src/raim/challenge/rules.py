"""What the dates of a challenge allow at a given time. The clock is always passed in, as an aware time.

A phase is open from `opens` on and no longer at `closes`. Whoever asks has a role: "public" (not logged in),
"member" (of a team), "judge" or "organiser". An organiser may do what everybody may, at any time.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from raim.challenge.challenge import Challenge
from raim.challenge.data_set import DataSetPart
from raim.challenge.phase import Phase
from raim.challenge.verdict import ALLOWED, Verdict, refused
from raim.errors import InputError

Role = Literal["public", "member", "judge", "organiser"]
PhaseState = Literal["upcoming", "open", "paused", "closed"]


def phase_state(phase: Phase, now: datetime, *, is_paused: bool = False) -> PhaseState:
    """Return the state of a phase.

    Args:
        phase: The phase.
        now: Aware time.
        is_paused: Whether an organiser has paused it; that matters only while it would be open.
    """
    _check_aware(now)
    if now < phase.opens:
        return "upcoming"
    if now >= phase.closes:
        return "closed"
    return "paused" if is_paused else "open"


def current_phase(challenge: Challenge, now: datetime) -> Phase | None:
    """Return the phase whose dates hold now; None before, between and after phases."""
    return next((phase for phase in challenge.phases if phase_state(phase, now) == "open"), None)


def next_phase(challenge: Challenge, now: datetime) -> Phase | None:
    """Return the phase that opens next; None if none does."""
    upcoming = [phase for phase in challenge.phases if phase_state(phase, now) == "upcoming"]
    return min(upcoming, key=lambda phase: phase.opens, default=None)


def counts_as_in_time(
    started_at: datetime, finished_at: datetime, phase: Phase, *, grace: timedelta | float
) -> bool:
    """Return whether an upload counts for a phase.

    It must have begun (committed its length and SHA-256) while the phase was open, and must have ended before
    the deadline or within the grace after it, the last moment of which still counts.

    Args:
        started_at: When length and SHA-256 were committed.
        finished_at: When the last byte had come.
        phase: The phase.
        grace: As a timedelta or in seconds; `Uploads.grace_seconds` of the challenge.
    """
    _check_aware(started_at, finished_at)
    extra = grace if isinstance(grace, timedelta) else timedelta(seconds=grace)
    has_begun_in_time = phase_state(phase, started_at) == "open"
    return has_begun_in_time and started_at <= finished_at <= phase.closes + extra


def may_download(
    challenge: Challenge,
    data_set_id: str,
    part: DataSetPart,
    *,
    role: Role,
    now: datetime,
    is_approved: bool = True,
    is_finalist: bool = False,
) -> Verdict:
    """Return whether somebody may download inputs or references.

    Judges and the public get no files; members of teams get what open phases give out, and what closed ones
    gave out and keep giving.

    Args:
        challenge: The challenge.
        data_set_id: Which data set.
        part: "input" or "reference".
        role: Who asks.
        now: Aware time.
        is_approved: Whether the member's team is approved, where that is required.
        is_finalist: Whether the member's team is one of the finalists.

    Raises:
        UnknownNameError: There is no such data set.
    """
    _check_aware(now)
    name = challenge.data_set(data_set_id).name
    if role == "organiser":
        return ALLOWED
    barred = _bar_from_data(challenge, role, is_approved=is_approved)
    if barred:
        return refused(barred)
    givers = [phase for phase in challenge.phases if data_set_id in _given(phase, part)]
    open_to_asker = [phase for phase in givers if phase.open_to == "teams" or is_finalist]
    if any(_gives(phase, now) for phase in open_to_asker):
        return ALLOWED
    if givers and not open_to_asker:
        return refused(f"the {part}s of {name} are for finalists")
    return _not_now(f"the {part}s of {name}", open_to_asker, now)


def _bar_from_data(challenge: Challenge, role: Role, *, is_approved: bool) -> str:
    if role != "member":
        return "log in as a member of a team to download data"
    if challenge.registration.approval_required and not is_approved:
        return "your team waits for an organiser's approval; data can be downloaded after it"
    return ""


def _not_now(what: str, givers: Sequence[Phase], now: datetime) -> Verdict:
    upcoming = [phase.opens for phase in givers if now < phase.opens]
    if upcoming:
        return refused(f"{what} are given out from {describe_moment(min(upcoming))} on", min(upcoming))
    return refused(f"{what} are {'no longer' if givers else 'not'} given out")


def references_are_hidden(challenge: Challenge, data_set_id: str, now: datetime) -> bool:
    """Return whether the references of a set must stay unseen: until a phase gives them out to every team.

    Raises:
        UnknownNameError: There is no such data set.
    """
    _check_aware(now)
    challenge.data_set(data_set_id)
    return not any(
        data_set_id in phase.gives_references_of and phase.open_to == "teams" and _gives(phase, now)
        for phase in challenge.phases
    )


def is_leaderboard_visible(phase: Phase, role: Role, now: datetime) -> bool:
    """Return whether somebody sees the leaderboard of a phase: nobody but organisers before the phase has opened."""
    if role == "organiser":
        return True
    state = phase_state(phase, now)
    audience = phase.leaderboard_after if state == "closed" else phase.leaderboard
    if state == "upcoming" or audience == "organisers":
        return False
    return audience == "public" or role == "member"


def describe_deadline(phase: Phase, grace_seconds: int) -> str:
    """Return the deadline's rule in the words of `counts_as_in_time`, for pages and messages.

    Example:
        >>> from datetime import UTC, datetime
        >>> opens, closes = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4))
        >>> print(describe_deadline(Phase(id="a", name="A", opens=opens, closes=closes), 3600))
        An upload counts if it has begun before 2026-04-01 00:00 UTC and ends by 2026-04-01 01:00 UTC.
    """
    closes, ends = phase.closes, phase.closes + timedelta(seconds=grace_seconds)
    return f"An upload counts if it has begun before {describe_moment(closes)} and ends by {describe_moment(ends)}."


def describe_moment(moment: datetime) -> str:
    """Return a time in UTC, with its seconds if it has any.

    Example:
        >>> describe_moment(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
        '2026-03-01 12:00 UTC'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC").replace(":00 UTC", " UTC")


def _given(phase: Phase, part: DataSetPart) -> tuple[str, ...]:
    return phase.gives_out if part == "input" else phase.gives_references_of


def _gives(phase: Phase, now: datetime) -> bool:
    return phase.opens <= now and (phase.keeps_giving or now < phase.closes)


def _check_aware(*times: datetime) -> None:
    for time in times:
        if time.tzinfo is None:
            raise InputError(
                f"the time {time.isoformat()} has no time zone; expected an aware time, such as UTC"
            )
