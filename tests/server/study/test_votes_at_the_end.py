"""Two transactions at once: a vote against the end of voting. Only PostgreSQL lets two write at a time."""

import threading

import pytest
from sqlalchemy import func, select

from desk_world import make_world
from raim.errors import StateError
from raim.records.judging import Ballot
from raim.server import database as tables
from raim.server.study.judges import revoke_judge
from raim.server.study.trials import draw_trials, find_trial
from raim.server.study.voting import cast_vote, finish_judging
from study_world import StudyWorld

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
LONG_S, SHORT_S = 20, 0.3
BALLOT = Ballot(choice=("A",))


def read(session, study):
    """Give the study, its judge and the judge's first trial, as a request has them before it votes."""
    row = session.get_one(tables.Study, study.study_id)
    judge = session.get_one(tables.Judge, study.judges[0][0])
    return row, judge, find_trial(session, judge, "voting", 1) if judge.begun_at else None


def finish(study):
    with study.writing() as session:
        row, judge, _ = read(session, study)
        finish_judging(session, study.world.now, row, judge)


def revoke(study):
    with study.writing() as session:
        revoke_judge(session, study.world.now, read(session, study)[1], actor_id=None)


def reveal(study):
    study.step("close").step("reveal")


ENDS = {
    "finished": finish,
    "closed": lambda study: study.step("close"),
    "revealed": reveal,
    "discarded": lambda study: study.step("discard", reason="a test"),
    "revoked": revoke,
}


@pytest.fixture
def study(database):
    """Give an open study whose only judge has their trials."""
    world = make_world(database)
    world.images("one", "two")
    made = StudyWorld(world=world, phase="last", data_set="pairs", board_phase="first")
    for team in ("Alpha", "Beta"):
        made.finalist(team, score=70.0)
    made.build(judges=1, traps=0, training=0).invite("Ada").open()
    with made.writing() as session:
        row, judge, _ = read(session, made)
        draw_trials(session, world.now, row, judge)
    return made


def count_votes(study):
    with study.world.database.reading() as session:
        return session.scalar(select(func.count(tables.Vote.id)))


@pytest.mark.parametrize("end", ENDS)
def test_a_vote_that_was_on_its_way_is_refused_once_voting_has_ended(study, end):
    with study.writing() as session:
        read_before = read(session, study)
        ENDS[end](study)
        with pytest.raises(StateError):
            cast_vote(session, study.world.now, *read_before, BALLOT)
    assert count_votes(study) == 0


@pytest.mark.parametrize("end", ENDS)
def test_the_end_waits_for_a_vote_that_is_being_kept(study, end):
    with study.writing() as session:
        cast_vote(session, study.world.now, *read(session, study), BALLOT)
        session.flush()
        ending = threading.Thread(target=ENDS[end], args=(study,))
        ending.start()
        ending.join(SHORT_S)
        assert ending.is_alive()
    ending.join(LONG_S)
    assert not ending.is_alive()
    assert count_votes(study) == 1


def test_two_judges_vote_at_the_same_time(study):
    study.invite("Bob")
    with study.writing() as session:
        row = session.get_one(tables.Study, study.study_id)
        other = session.get_one(tables.Judge, study.judges[1][0])
        draw_trials(session, study.world.now, row, other)
    with study.writing() as first, study.writing() as second:
        cast_vote(first, study.world.now, *read(first, study), BALLOT)
        first.flush()
        row = second.get_one(tables.Study, study.study_id)
        other = second.get_one(tables.Judge, study.judges[1][0])
        cast_vote(second, study.world.now, row, other, find_trial(second, other, "voting", 1), BALLOT)
    assert count_votes(study) == 2
