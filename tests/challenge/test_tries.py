from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from challenge_case import make_challenge, utc
from raim.challenge import may_submit, next_possible_submission, tries_left
from raim.challenge.tries import day_begins, day_of

CHALLENGE = make_challenge()  # 2 tries a day, 5 in all, from 10 March to 20 March at noon
TUNING, FEEDBACK, FINAL = CHALLENGE.phases


def ask(now, earlier=(), *, challenge=CHALLENGE, kind="scored", phase=1, **more):
    return may_submit(challenge, challenge.phases[phase], kind, now=now, earlier=earlier, **more)


def test_a_team_with_a_try_may_submit():
    verdict = ask(utc(3, 11), [utc(3, 10), utc(3, 10)])
    assert (verdict.is_allowed, verdict.reason, verdict.next_possible) == (True, "", None)


def test_the_tries_of_a_day_come_back_at_midnight():
    verdict = ask(utc(3, 11, 20), [utc(3, 11, 0), utc(3, 11, 19)])
    assert not verdict.is_allowed
    assert verdict.next_possible == utc(3, 12)
    assert verdict.reason == (
        "all 2 tries of this day are used; the next day begins at 2026-03-12 00:00 UTC (midnight in UTC)"
    )


def test_the_day_is_that_of_the_challenge_and_not_of_utc():
    tokyo = make_challenge("Asia/Tokyo")
    earlier = [utc(3, 11, 14), utc(3, 11, 14)]  # 23:00 in Tokyo
    assert ask(utc(3, 11, 14, 30), earlier, challenge=tokyo).next_possible == utc(3, 11, 15)
    assert ask(utc(3, 11, 15), earlier, challenge=tokyo).is_allowed


def test_all_tries_used_means_never():
    verdict = ask(utc(3, 15), [utc(3, day) for day in range(10, 15)])
    assert (verdict.is_allowed, verdict.next_possible) == (False, None)
    assert verdict.reason == "all 5 tries of Feedback are used"


def test_no_try_comes_back_after_the_phase_has_closed():
    verdict = ask(utc(3, 20, 8), [utc(3, 20, 1), utc(3, 20, 2)])
    assert verdict.next_possible is None
    assert verdict.reason.endswith("Feedback closes before the next day")


@pytest.mark.parametrize(
    ("now", "reason", "possible"),
    [
        (utc(3, 9), "Feedback opens at 2026-03-10 00:00 UTC", utc(3, 10)),
        (utc(3, 20, 12), "Feedback closed at 2026-03-20 12:00 UTC", None),
    ],
    ids=["upcoming", "closed"],
)
def test_a_phase_that_is_not_open_says_when(now, reason, possible):
    verdict = ask(now)
    assert (verdict.is_allowed, verdict.reason, verdict.next_possible) == (False, reason, possible)


def test_a_paused_phase_takes_nothing():
    assert "paused by the organisers" in ask(utc(3, 11), is_paused=True).reason


def test_a_phase_takes_only_its_kinds_of_submission():
    assert ask(utc(3, 2), phase=0).reason == "Tuning takes no scored submissions"
    assert ask(utc(3, 11), kind="final").reason == "Feedback takes no final submissions"
    assert next_possible_submission(CHALLENGE, TUNING, "scored", now=utc(3, 2), earlier=[]) is None
    assert tries_left(CHALLENGE, TUNING, "scored", now=utc(3, 2), earlier=[]) == (0, 0)


def test_a_kind_without_limits_is_never_refused():
    earlier = [utc(3, 11)] * 1000
    assert ask(utc(3, 11), earlier, kind="feedback").is_allowed
    assert tries_left(CHALLENGE, FEEDBACK, "feedback", now=utc(3, 11), earlier=earlier) == (None, None)


@pytest.mark.parametrize("role", ["public", "judge", "organiser"])
def test_only_members_of_teams_submit(role):
    assert "only members of a team" in ask(utc(3, 11), role=role).reason


def test_the_final_is_for_finalists():
    assert ask(utc(4, 2), kind="final", phase=2).reason == "Final is for finalists"
    assert ask(utc(4, 2), kind="final", phase=2, is_finalist=True).is_allowed


def test_a_team_waits_for_approval_only_where_it_is_required():
    strict = make_challenge(approval=True)
    assert "organiser's approval" in ask(utc(3, 11), challenge=strict, is_approved=False).reason
    assert ask(utc(3, 11), is_approved=False).is_allowed


def test_the_tries_that_are_left_today_are_never_more_than_those_in_all():
    earlier = [utc(3, 10), utc(3, 10), utc(3, 11), utc(3, 11)]
    assert tries_left(CHALLENGE, FEEDBACK, "scored", now=utc(3, 11, 5), earlier=earlier) == (0, 1)
    assert tries_left(CHALLENGE, FEEDBACK, "scored", now=utc(3, 12), earlier=earlier) == (1, 1)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("Europe/Zurich", date(2026, 3, 29), "2026-03-28T23:00:00+00:00"),
        ("Europe/Zurich", date(2026, 3, 30), "2026-03-29T22:00:00+00:00"),  # the night before had 23 hours
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00:00+00:00"),  # clocks go from 00:00 to 01:00
    ],
    ids=["winter", "summer", "midnight skipped"],
)
def test_a_day_begins_when_clocks_say_so(zone, day, begins):
    moment = day_begins(day, ZoneInfo(zone))
    assert moment.isoformat() == begins
    assert day_of(moment, ZoneInfo(zone)) == day
    assert day_of(moment - timedelta(seconds=1), ZoneInfo(zone)) == day - timedelta(days=1)


MOMENTS = st.integers(0, 10 * 24 * 60 + 719).map(lambda minutes: utc(3, 10) + timedelta(minutes=minutes))
ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles", "Europe/Zurich", "Asia/Kathmandu"])


@given(st.lists(MOMENTS, max_size=5), MOMENTS, ZONES)
def test_the_next_possible_time_is_the_first_at_which_a_team_may_submit(earlier, now, zone):
    challenge = make_challenge(zone)
    earlier = [each for each in earlier if each <= now]
    possible = next_possible_submission(challenge, challenge.phases[1], "scored", now=now, earlier=earlier)
    if possible is None:
        probes = [now + timedelta(hours=hours) for hours in range(0, 24 * 11, 5)]
        assert not any(ask(probe, earlier, challenge=challenge).is_allowed for probe in probes)
        return
    assert ask(possible, earlier, challenge=challenge).is_allowed
    assert possible >= now
    if possible > now:
        assert not ask(possible - timedelta(microseconds=1), earlier, challenge=challenge).is_allowed


@given(st.lists(MOMENTS, max_size=40), ZONES)
def test_a_team_that_always_asks_never_gets_more_than_its_tries(moments, zone):
    challenge = make_challenge(zone, tries_in_all=7)
    taken = []
    for moment in sorted(moments):
        if ask(moment, taken, challenge=challenge).is_allowed:
            taken.append(moment)
    days = [day_of(each, ZoneInfo(zone)) for each in taken]
    assert len(taken) <= 7
    assert all(days.count(day) <= 2 for day in days)
