import pytest
from sqlalchemy import select

from desk_world import NOON, make_world
from raim.errors import StateError, UnknownNameError
from raim.scoring.profiles import find_profile
from raim.server.database import EntryResult, Submission
from raim.server.jobs.waiting import read_waiting
from raim.server.standings import make_standings
from raim.server.submissions.rescoring import (
    ask_rescore,
    ask_rescore_all,
    look_at_flags,
    mark_submission,
    restart_failed,
    unseen_flags,
)
from raim.server.submissions.states import change_state


@pytest.fixture
def world(database):
    made = make_world(database)
    for name in ("Ada", "Bob"):
        made.team(name)
    return made


def test_a_scored_submission_joins_the_queue_again_and_keeps_its_results(world):
    number = world.submission("Ada", score=71.5)
    with world.database.writing() as session:
        assert read_waiting(session) == []
        ask_rescore(session, NOON, number, actor_id=world.organiser)
        assert [(each.submission_id, each.is_again) for each in read_waiting(session)] == [(number, True)]
        assert session.scalars(select(EntryResult.score)).all() == [71.5]
    assert world.row(Submission, number).state == "scored"


def test_asking_twice_keeps_the_place_in_the_queue(world):
    number = world.submission("Ada")
    later = NOON.replace(hour=15)
    with world.database.writing() as session:
        for now in (NOON, later):
            ask_rescore(session, now, number, actor_id=world.organiser)
    assert world.row(Submission, number).rescore_asked_at == NOON


@pytest.mark.parametrize("state", ["queued", "scoring", "failed", "refused", "withdrawn"])
def test_only_what_is_scored_can_be_scored_again(world, state):
    number = world.submission("Ada", state=state)
    with world.database.writing() as session, pytest.raises(StateError, match=f"is {state}; only one that"):
        ask_rescore(session, NOON, number, actor_id=world.organiser)


def test_a_submission_that_is_not_there_is_said_to_be_unknown(world):
    for act in (ask_rescore, restart_failed):
        with world.database.writing() as session, pytest.raises(UnknownNameError):
            act(session, NOON, 999, actor_id=world.organiser)


def test_an_entry_that_is_withdrawn_is_not_scored_again(world):
    number = world.submission("Ada")
    with world.database.writing() as session:
        ask_rescore(session, NOON, number, actor_id=world.organiser)
    with world.database.writing() as session:
        change_state(session, NOON, number, "withdrawn")
        assert read_waiting(session) == []


def test_all_of_a_phase_are_asked_for_once(world):
    scored = [world.submission("Ada", score=70), world.submission("Bob", score=60)]
    world.submission("Ada", state="refused")
    world.submission("Bob", state="accepted", kind="final", phase="last")
    phase = world.challenge().phase_ids["first"]
    with world.database.writing() as session:
        assert ask_rescore_all(session, NOON, phase, actor_id=world.organiser) == 2
        assert ask_rescore_all(session, NOON, phase, actor_id=world.organiser) == 0
        assert sorted(each.submission_id for each in read_waiting(session)) == scored


def test_a_failed_submission_begins_again_with_its_check_and_takes_no_try(world):
    number = world.submission("Ada", state="failed", attempt=3, images_done=2, images_total=5)
    with world.database.writing() as session:
        restart_failed(session, NOON, number, actor_id=world.organiser)
    row = world.row(Submission, number)
    assert (row.state, row.error, row.takes_try, row.images_done) == ("checking", None, False, 0)
    assert row.attempt == 3  # a job's name is made of it, and no job is made twice


def test_a_file_that_never_came_whole_cannot_be_started_again(world):
    number = world.submission("Ada", state="receiving", error="the disk is full")
    with world.database.writing() as session:
        session.get_one(Submission, number).state = "failed"
    with world.database.writing() as session, pytest.raises(StateError, match="never came whole"):
        restart_failed(session, NOON, number, actor_id=world.organiser)


def test_what_has_not_failed_is_not_started_again(world):
    number = world.submission("Ada")
    with world.database.writing() as session, pytest.raises(StateError, match="only a failed one"):
        restart_failed(session, NOON, number, actor_id=world.organiser)


def test_an_entry_out_of_competition_is_listed_without_a_rank(world):
    first, second = world.submission("Ada", score=80), world.submission("Bob", score=70)
    with world.database.writing() as session:
        mark_submission(
            session,
            NOON,
            session.get_one(Submission, first),
            is_verified=True,
            is_out_of_competition=True,
            actor_id=world.organiser,
        )
    challenge = world.challenge()
    with world.database.reading() as session:
        rows = make_standings(
            session, challenge, challenge.definition.phase("first"), find_profile("raim-2024")
        ).rows
    assert [(each.submission_id, each.row.rank, each.is_verified) for each in rows] == [
        (first, None, True),
        (second, 1, False),
    ]


def test_marks_that_stay_are_not_written_down(world):
    number = world.submission("Ada")
    with world.database.writing() as session:
        row = session.get_one(Submission, number)
        for verified in (False, True, True):
            mark_submission(
                session,
                NOON,
                row,
                is_verified=verified,
                is_out_of_competition=False,
                actor_id=world.organiser,
            )
    assert world.actions().count("mark submission") == 1


def test_flags_are_unseen_until_they_are_looked_at_and_a_new_one_is_unseen_again(world):
    number = world.submission("Ada", flags={"same-file": "it is that of Bob"})
    world.submission("Bob")
    challenge = world.challenge()
    with world.database.writing() as session:
        row = session.get_one(Submission, number)
        assert unseen_flags(session, challenge) == {number: {"same-file": "it is that of Bob"}}
        look_at_flags(session, NOON, row, actor_id=world.organiser)
        session.flush()
        assert unseen_flags(session, challenge) == {}
        row.flags = {**row.flags, "reference-pixels": "1 of 1"}
        session.flush()
        assert unseen_flags(session, challenge) == {number: {"reference-pixels": "1 of 1"}}
