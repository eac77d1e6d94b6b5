import threading
from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from raim.challenge import Intake
from raim.errors import StateError, TooLargeError, TooManyRequestsError
from raim.server.database import Member, Phase, Submission, Team
from raim.server.submissions.states import change_state
from raim.server.submissions.tries import count_tries

HOUR = timedelta(hours=1)


def left(session, challenge, now, **phase):
    team_id = session.get_one(Member, challenge.member).team_id
    loaded = challenge.load(session, **phase)
    return count_tries(session, now, loaded, team_id=team_id, phase="first", kind="scored")


def test_a_day_of_the_challenge_gives_new_tries_at_its_midnight(challenge):
    midnight = challenge.now + 12 * HOUR
    with challenge.database.writing() as session:
        challenge.submit(session, challenge.now)
        challenge.submit(session, challenge.now + HOUR)
        tries = left(session, challenge, challenge.now + 2 * HOUR)
        assert (tries.left_today, tries.left_in_all) == (0, 1)
        assert tries.next_at == midnight
        with pytest.raises(StateError, match="the next day begins at 2026-03-02 00:00 UTC"):
            challenge.submit(session, midnight - timedelta(microseconds=1))
        challenge.submit(session, midnight)
        assert left(session, challenge, midnight).next_at is None
        with pytest.raises(StateError, match="all 3 tries of First are used"):
            challenge.submit(session, challenge.now + 100 * HOUR)


def test_no_time_is_promised_past_the_end_or_before_the_beginning(challenge):
    end = challenge.now + timedelta(days=10)
    with challenge.database.writing() as session:
        assert left(session, challenge, challenge.now - HOUR).next_at == challenge.now
        challenge.submit(session, end - 3 * HOUR)
        challenge.submit(session, end - 2 * HOUR)
        assert left(session, challenge, end - HOUR).next_at is None
        with pytest.raises(StateError, match="closes before the next day"):
            challenge.submit(session, end - HOUR)


@pytest.mark.parametrize("repetition", range(3))
def test_of_six_posts_at_once_one_takes_the_last_try(challenge, repetition):
    with challenge.database.writing() as session:
        challenge.submit(session)
    start, ends = threading.Barrier(6), []

    def post():
        start.wait()
        try:
            with challenge.database.writing() as session:
                challenge.submit(session)
            ends.append("taken")
        except StateError:
            ends.append("refused")

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["refused"] * 5 + ["taken"]
    with challenge.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 2


def test_a_transaction_that_fails_takes_no_try(challenge):
    with pytest.raises(RuntimeError), challenge.database.writing() as session:
        challenge.submit(session)
        raise RuntimeError
    with challenge.database.reading() as session:
        assert left(session, challenge, challenge.now).left_today == 2


def test_our_fault_gives_the_try_back(challenge):
    with challenge.database.writing() as session:
        submission = challenge.submit(session)
        change_state(session, challenge.now, submission.id, "failed", error="the disk is full")
        tries = left(session, challenge, challenge.now)
        assert (tries.left_today, tries.left_in_all, tries.next_at) == (2, 3, challenge.now)


def test_teams_and_kinds_have_their_own_tries(challenge):
    with challenge.database.writing() as session:
        for kind in ("scored", "feedback"):
            for member in (challenge.member, challenge.other) * 2:
                submission = challenge.submit(session, kind=kind, member=member)
                change_state(session, challenge.now, submission.id, "checking")
        assert session.scalar(select(func.count()).select_from(Submission)) == 8


def test_dates_decide_to_the_microsecond(challenge):
    end, instant = challenge.now + timedelta(days=10), timedelta(microseconds=1)
    with challenge.database.writing() as session:
        with pytest.raises(StateError, match="opens at 2026-03-01 12:00 UTC"):
            challenge.submit(session, challenge.now - instant)
        with pytest.raises(StateError, match="closed at 2026-03-11 12:00 UTC"):
            challenge.submit(session, end)
        challenge.submit(session, challenge.now)
        challenge.submit(session, end - instant)


def test_a_pause_and_a_suspended_team_are_refused_with_their_reason(challenge):
    with challenge.database.writing() as session:
        phase = session.get_one(Phase, challenge.phase)
        phase.paused_at = challenge.now
        session.flush()
        with pytest.raises(StateError, match="is paused by the organisers"):
            challenge.submit(session)
        phase.paused_at = None
        session.get_one(Team, session.get_one(Member, challenge.member).team_id).state = "suspended"
        session.flush()
        with pytest.raises(StateError, match="is suspended"):
            challenge.submit(session)


def test_a_phase_for_finalists_refuses_others(challenge):
    with challenge.database.writing() as session:
        loaded = challenge.load(session, open_to="finalists")
        with pytest.raises(StateError, match="First is for finalists"):
            challenge.submit(session, challenge=loaded)


def test_without_limits_only_the_rate_of_uploads_counts(challenge):
    free = Intake(on="one")
    with challenge.database.writing() as session:
        loaded = challenge.load(session, scored=free)
        for _ in range(60):
            submission = challenge.submit(session, challenge=loaded)
            change_state(session, challenge.now, submission.id, "checking")
        tries = left(session, challenge, challenge.now, scored=free)
        assert (tries.left_today, tries.left_in_all, tries.next_at) == (None, None, challenge.now)
        with pytest.raises(TooManyRequestsError, match="60 uploads within an hour") as caught:
            challenge.submit(session, challenge=loaded)
        assert caught.value.retry_at == challenge.now + HOUR


def test_three_uploads_of_a_team_are_under_way_at_once_and_no_more(challenge):
    with challenge.database.writing() as session:
        loaded = challenge.load(session, scored=Intake(on="one"))
        begun = [challenge.submit(session, challenge=loaded) for _ in range(3)]
        with pytest.raises(StateError, match="3 uploads of your team are under way"):
            challenge.submit(session, challenge=loaded)
        change_state(session, challenge.now, begun[0].id, "withdrawn")
        challenge.submit(session, challenge=loaded)


def test_an_unusable_promise_is_refused(challenge):
    with challenge.database.writing() as session:
        for promise in ({"n_bytes": 0}, {"sha256": "A" * 64}, {"sha256": "a" * 63}):
            with pytest.raises(ValidationError, match="|".join(promise)):
                challenge.submit(session, **promise)
        with pytest.raises(TooLargeError, match="a submission may have 2147483648"):
            challenge.submit(session, n_bytes=2**31 + 1)
