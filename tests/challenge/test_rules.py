from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from challenge_case import make_challenge, utc
from raim.challenge import (
    counts_as_in_time,
    current_phase,
    describe_deadline,
    is_leaderboard_visible,
    may_download,
    next_phase,
    phase_state,
    references_are_hidden,
)
from raim.errors import InputError, UnknownNameError

CHALLENGE = make_challenge()
TUNING, FEEDBACK, FINAL = CHALLENGE.phases
MICROSECOND = timedelta(microseconds=1)


def test_a_phase_is_open_from_its_first_moment_and_no_longer_when_it_closes():
    states = [
        phase_state(FEEDBACK, moment)
        for edge in (FEEDBACK.opens, FEEDBACK.closes)
        for moment in (edge - MICROSECOND, edge)
    ]
    assert states == ["upcoming", "open", "open", "closed"]


def test_pausing_matters_only_while_a_phase_is_open():
    moments = (utc(3, 9), utc(3, 11), utc(3, 21))
    assert [phase_state(FEEDBACK, each, is_paused=True) for each in moments] == [
        "upcoming",
        "paused",
        "closed",
    ]


def test_one_phase_ends_where_the_next_begins():
    assert current_phase(CHALLENGE, utc(3, 10) - MICROSECOND) == TUNING
    assert current_phase(CHALLENGE, utc(3, 10)) == FEEDBACK


def test_between_phases_there_is_none_but_a_next_one():
    assert current_phase(CHALLENGE, utc(3, 25)) is None
    assert next_phase(CHALLENGE, utc(3, 25)) == FINAL
    assert next_phase(CHALLENGE, utc(5, 1)) is None


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(InputError, match="2026-03-01T00:00:00 has no time zone"):
        phase_state(TUNING, datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("started", "finished", "is_in_time"),
    [
        (utc(3, 20, 11, 59), utc(3, 20, 11, 59), True),
        (utc(3, 20, 11, 59), utc(3, 20, 13, 0), True),
        (utc(3, 20, 11, 59), utc(3, 20, 13, 0) + MICROSECOND, False),
        (utc(3, 20, 12, 0), utc(3, 20, 12, 1), False),
        (utc(3, 10) - MICROSECOND, utc(3, 11), False),
        (utc(3, 12), utc(3, 11), False),
    ],
    ids=["before", "within grace", "after grace", "began late", "began early", "ends before it began"],
)
def test_an_upload_that_began_in_time_may_end_within_the_grace(started, finished, is_in_time):
    assert counts_as_in_time(started, finished, FEEDBACK, grace=3600) is is_in_time
    assert counts_as_in_time(started, finished, FEEDBACK, grace=timedelta(hours=1)) is is_in_time


def test_the_deadline_is_described_as_it_is_enforced():
    text = describe_deadline(FEEDBACK, 3600)
    assert "begun before 2026-03-20 12:00 UTC" in text
    assert "ends by 2026-03-20 13:00 UTC" in text


@given(st.datetimes(datetime(2026, 2, 1), datetime(2026, 5, 1), timezones=st.just(utc(1, 1).tzinfo)))  # noqa: DTZ001
def test_references_of_a_scored_set_stay_hidden_at_any_time(now):
    assert references_are_hidden(CHALLENGE, "b", now)
    for role in ("public", "member", "judge"):
        assert not may_download(CHALLENGE, "b", "reference", role=role, now=now, is_finalist=True).is_allowed


def test_references_that_a_phase_gives_out_are_hidden_until_it_opens():
    assert references_are_hidden(CHALLENGE, "a", utc(3, 1) - MICROSECOND)
    assert not references_are_hidden(CHALLENGE, "a", utc(3, 1))


def test_inputs_come_with_their_phase_and_the_refusal_says_when():
    early = may_download(CHALLENGE, "a", "input", role="member", now=utc(2, 1))
    assert (early.is_allowed, early.next_possible) == (False, utc(3, 1))
    assert early.reason == "the inputs of A are given out from 2026-03-01 00:00 UTC on"
    assert may_download(CHALLENGE, "a", "input", role="member", now=utc(3, 1)).is_allowed


def test_downloads_stay_after_a_phase_unless_it_says_otherwise():
    assert may_download(CHALLENGE, "a", "input", role="member", now=utc(5, 1)).is_allowed
    assert may_download(CHALLENGE, "b", "input", role="member", now=utc(3, 15)).is_allowed
    gone = may_download(CHALLENGE, "b", "input", role="member", now=utc(3, 20, 12))
    assert gone.reason == "the inputs of B are no longer given out"


@pytest.mark.parametrize("role", ["public", "judge"])
def test_only_members_of_teams_download(role):
    assert "log in" in may_download(CHALLENGE, "a", "input", role=role, now=utc(3, 2)).reason


def test_an_organiser_downloads_everything_at_any_time():
    assert may_download(CHALLENGE, "b", "reference", role="organiser", now=utc(1, 1)).is_allowed


def test_finalists_data_are_for_finalists():
    verdict = may_download(CHALLENGE, "c", "input", role="member", now=utc(4, 2))
    assert verdict.reason == "the inputs of C are for finalists"
    assert may_download(CHALLENGE, "c", "input", role="member", now=utc(4, 2), is_finalist=True).is_allowed


def test_a_team_that_waits_for_approval_downloads_nothing_where_it_is_required():
    strict = make_challenge(approval=True)
    for challenge, is_allowed in ((strict, False), (CHALLENGE, True)):
        verdict = may_download(challenge, "a", "input", role="member", now=utc(3, 2), is_approved=False)
        assert verdict.is_allowed is is_allowed


def test_an_unknown_data_set_is_an_error_and_not_a_hidden_one():
    for question in (
        lambda: references_are_hidden(CHALLENGE, "x", utc(3, 2)),
        lambda: may_download(CHALLENGE, "x", "input", role="organiser", now=utc(3, 2)),
    ):
        with pytest.raises(UnknownNameError, match="no data set named 'x'"):
            question()


@pytest.mark.parametrize(
    ("phase", "now", "who"),
    [
        (FEEDBACK, utc(3, 9), {"organiser"}),
        (FEEDBACK, utc(3, 11), {"organiser", "member"}),
        (FEEDBACK, utc(3, 21), {"organiser", "member", "judge", "public"}),
        (FINAL, utc(4, 2), {"organiser"}),
    ],
    ids=["upcoming", "open for teams", "closed", "for organisers"],
)
def test_a_leaderboard_is_seen_by_whom_its_phase_says(phase, now, who):
    roles = ("public", "member", "judge", "organiser")
    assert {role for role in roles if is_leaderboard_visible(phase, role, now)} == who
