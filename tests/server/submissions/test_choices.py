import pytest
from sqlalchemy import select

from raim.errors import AccessError, StateError
from raim.server.database import Member, Submission
from raim.server.submissions.choices import choose, withdraw
from raim.server.submissions.states import change_state


def scored(session, challenge):
    submission = challenge.submit(session)
    for state in ("checking", "queued", "scoring", "scored"):
        change_state(session, challenge.now, submission.id, state)
    return submission


def chosen_here(session, challenge):
    return challenge.load(session, counts="chosen")


def test_one_entry_counts_and_a_withdrawn_one_does_not(challenge):
    chosen = select(Submission.id).where(Submission.is_chosen)
    with challenge.database.writing() as session:
        member = session.get_one(Member, challenge.member)
        first, second = scored(session, challenge), scored(session, challenge)
        for submission in (first, second):
            choose(session, challenge.now, chosen_here(session, challenge), submission.id, member)
            assert session.scalars(chosen).all() == [submission.id]
        withdraw(session, challenge.now, second.id, member)
        assert session.scalars(chosen).all() == []


def test_an_entry_without_a_result_cannot_count(challenge):
    with challenge.database.writing() as session:
        submission = challenge.submit(session)
        with pytest.raises(StateError, match="is receiving, it cannot count"):
            choose(
                session,
                challenge.now,
                chosen_here(session, challenge),
                submission.id,
                session.get_one(Member, challenge.member),
            )


def test_another_teams_entry_is_out_of_reach(challenge):
    with challenge.database.writing() as session:
        submission = scored(session, challenge)
        other, here = session.get_one(Member, challenge.other), chosen_here(session, challenge)
        with pytest.raises(AccessError, match="is another team's"):
            choose(session, challenge.now, here, submission.id, other)
        with pytest.raises(AccessError, match="is another team's"):
            withdraw(session, challenge.now, submission.id, other)


def test_nothing_is_chosen_where_the_best_or_the_last_entry_counts(challenge):
    with challenge.database.writing() as session:
        submission, member = scored(session, challenge), session.get_one(Member, challenge.member)
        for rule in ("best", "last"):
            with pytest.raises(StateError, match=f"the {rule} entry of a team counts in First"):
                choose(session, challenge.now, challenge.load(session, counts=rule), submission.id, member)
        final = challenge.submit(session, kind="final")
        for state in ("checking", "accepted"):
            change_state(session, challenge.now, final.id, state)
        assert choose(session, challenge.now, challenge.load(session), final.id, member).is_chosen
