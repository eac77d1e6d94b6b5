import pytest
from sqlalchemy import select

from raim.errors import AccessError, StateError
from raim.server.database import Member, Submission
from raim.server.submissions.choices import choose, withdraw
from raim.server.submissions.states import change_state


def scored(session, contest):
    submission = contest.submit(session)
    for state in ("checking", "queued", "scoring", "scored"):
        change_state(session, contest.now, submission.id, state)
    return submission


def test_one_entry_counts_and_a_withdrawn_one_does_not(contest):
    chosen = select(Submission.id).where(Submission.is_chosen)
    with contest.database.writing() as session:
        member = session.get_one(Member, contest.member)
        first, second = scored(session, contest), scored(session, contest)
        for submission in (first, second):
            choose(session, contest.now, submission.id, member)
            assert session.scalars(chosen).all() == [submission.id]
        withdraw(session, contest.now, second.id, member)
        assert session.scalars(chosen).all() == []


def test_an_entry_without_a_result_cannot_count(contest):
    with contest.database.writing() as session:
        submission = contest.submit(session)
        with pytest.raises(StateError, match="is receiving, it cannot count"):
            choose(session, contest.now, submission.id, session.get_one(Member, contest.member))


@pytest.mark.parametrize("act", [choose, withdraw])
def test_another_teams_entry_is_out_of_reach(contest, act):
    with contest.database.writing() as session:
        submission = scored(session, contest)
        with pytest.raises(AccessError, match="is another team's"):
            act(session, contest.now, submission.id, session.get_one(Member, contest.other))
