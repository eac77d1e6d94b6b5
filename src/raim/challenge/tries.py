"""How often a team may submit: tries per day of the challenge and in all, and the next possible time.

A day begins at midnight of the challenge's `day_timezone` (UTC unless it says otherwise). Only submissions that
took a try are counted: the caller leaves out those that were refused or failed through the server's fault.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from raim.challenge.challenge import Challenge
from raim.challenge.phase import Phase, SubmissionKind
from raim.challenge.rules import Role, describe_moment, phase_state
from raim.challenge.verdict import ALLOWED, Verdict, refused

MICROSECOND = timedelta(microseconds=1)


def may_submit(
    challenge: Challenge,
    phase: Phase,
    kind: SubmissionKind,
    *,
    now: datetime,
    earlier: Sequence[datetime],
    role: Role = "member",
    is_paused: bool = False,
    is_approved: bool = True,
    is_finalist: bool = False,
) -> Verdict:
    """Return whether a team may submit now.

    Args:
        challenge: The challenge.
        phase: One of its phases, perhaps with dates that an organiser has changed.
        kind: What is to be submitted.
        now: Aware time; of an upload, when it commits length and SHA-256.
        earlier: When the team's submissions of this kind in this phase that took a try began.
        role: Who asks; only members submit (an organiser's baseline is entered by a team of the organisers).
        is_paused: Whether an organiser has paused the phase.
        is_approved: Whether the team is approved, where that is required.
        is_finalist: Whether the team is one of the finalists.
    """
    barred = _bar(challenge, phase, kind, role=role, is_approved=is_approved, is_finalist=is_finalist)
    if barred:
        return refused(barred)
    possible = next_possible_submission(challenge, phase, kind, now=now, earlier=earlier)
    state = phase_state(phase, now, is_paused=is_paused)
    if state == "upcoming":
        return refused(f"{phase.name} opens at {describe_moment(phase.opens)}", possible)
    if state == "paused":
        return refused(f"{phase.name} is paused by the organisers; nothing is lost, try again later")
    if state == "closed":
        return refused(f"{phase.name} closed at {describe_moment(phase.closes)}")
    if possible is not None and possible <= now:
        return ALLOWED
    return refused(_why_no_try(challenge, phase, kind, possible, earlier), possible)


def next_possible_submission(
    challenge: Challenge, phase: Phase, kind: SubmissionKind, *, now: datetime, earlier: Sequence[datetime]
) -> datetime | None:
    """Return the next time at which a team has a try and the phase is open; `now` if it has one, None if never.

    Args:
        challenge: For its `day_timezone`.
        phase: For its dates and tries.
        kind: What is to be submitted.
        now: Aware time.
        earlier: As in `may_submit`.
    """
    intake = phase.intakes.get(kind)
    if intake is None or (intake.tries_in_all is not None and len(earlier) >= intake.tries_in_all):
        return None
    possible = max(now, phase.opens)
    if intake.tries_per_day is not None:
        zone = challenge.day_timezone
        used = Counter(day_of(each, zone) for each in earlier)
        while used[day_of(possible, zone)] >= intake.tries_per_day:
            possible = day_begins(day_of(possible, zone) + timedelta(days=1), zone)
    return possible if possible < phase.closes else None


def tries_left(
    challenge: Challenge, phase: Phase, kind: SubmissionKind, *, now: datetime, earlier: Sequence[datetime]
) -> tuple[int | None, int | None]:
    """Return how many tries a team has left today and in all; None is no limit. Arguments as above."""
    intake = phase.intakes.get(kind)
    if intake is None:
        return 0, 0
    today = sum(
        day_of(each, challenge.day_timezone) == day_of(now, challenge.day_timezone) for each in earlier
    )
    in_all = None if intake.tries_in_all is None else max(0, intake.tries_in_all - len(earlier))
    per_day = None if intake.tries_per_day is None else max(0, intake.tries_per_day - today)
    if per_day is not None and in_all is not None:
        per_day = min(per_day, in_all)
    return per_day, in_all


def grow_tries(tries: int, lengths: Iterable[tuple[timedelta, timedelta]]) -> int:
    """Return the tries of a phase that grow with its length, rounded up once.

    Args:
        tries: As they were.
        lengths: Of the phase before and after each extension that adds tries.

    Example:
        >>> grow_tries(10, [(timedelta(days=14), timedelta(days=16))])
        12
    """
    grown = Fraction(tries)
    for before, after in lengths:
        grown *= Fraction(after // MICROSECOND, before // MICROSECOND)
    return math.ceil(grown)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """Return the day of a time in a zone.

    Example:
        >>> day_of(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), ZoneInfo("Asia/Tokyo"))
        datetime.date(2026, 3, 2)
    """
    return moment.astimezone(zone).date()


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day in a zone, in UTC, where clocks skip midnight too.

    Example:
        >>> day_begins(date(2026, 3, 2), ZoneInfo("Asia/Tokyo")).isoformat()
        '2026-03-01T15:00:00+00:00'
    """
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _bar(
    challenge: Challenge,
    phase: Phase,
    kind: SubmissionKind,
    *,
    role: Role,
    is_approved: bool,
    is_finalist: bool,
) -> str:
    """Return what keeps somebody from submitting at any time; "" if nothing does."""
    if kind not in phase.intakes:
        return f"{phase.name} takes no {kind} submissions"
    if role != "member":
        return "only members of a team submit; log in as one"
    if challenge.registration.approval_required and not is_approved:
        return "your team waits for an organiser's approval; it can submit after it"
    if phase.open_to == "finalists" and not is_finalist:
        return f"{phase.name} is for finalists"
    return ""


def _why_no_try(
    challenge: Challenge,
    phase: Phase,
    kind: SubmissionKind,
    possible: datetime | None,
    earlier: Sequence[datetime],
) -> str:
    intake = phase.intakes[kind]
    if intake.tries_in_all is not None and len(earlier) >= intake.tries_in_all:
        return f"all {intake.tries_in_all} tries of {phase.name} are used"
    used = f"all {intake.tries_per_day} tries of this day are used"
    if possible is None:
        return f"{used}, and {phase.name} closes before the next day"
    return f"{used}; the next day begins at {describe_moment(possible)} (midnight in {challenge.day_timezone.key})"
