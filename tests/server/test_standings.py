"""What is kept of a challenge: new as soon as what it shows is committed, and not made again for anything else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from desk_world import NOON, VERSION, make_world
from raim.scoring.profiles import find_profile
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.phases import pause
from raim.server.auditing import record_event
from raim.server.database import Phase, Submission
from raim.server.settings import read_settings
from raim.server.standings import make_standings
from raim.server.storage import open_storage
from raim.server.submissions.states import change_state
from raim.server.web import server as module
from raim.server.web.server import WebServer

HOUR = timedelta(hours=1)


@pytest.fixture
def world(database, tmp_path):
    """Give the challenge with a submission that is being scored, and a server that keeps what it shows."""
    world = make_world(database)
    world.team("A")
    world.number = world.submission("A", state="scoring")
    world.server = WebServer(
        settings=read_settings({}, folder=tmp_path),
        database=database,
        storage=open_storage("memory://world"),
        secret=b"",
    )
    return world


def board(world):
    with world.database.reading() as session:
        challenge = world.server.challenge(session)
        phase = challenge.definition.phase("first")
        return world.server.standings.get(session, challenge, phase, find_profile("raim-2024"))


def finish(world, session):
    row = session.get_one(Submission, world.number)
    world.add_results(session, world.challenge(), row, 71.0)
    change_state(session, world.now, world.number, "scored")


def fail_to_log_in(session):
    record_event(session, NOON, "fail to log in", None, actor_id=None)


def makes_a_new_board(world, action):
    before = board(world)
    action()
    return board(world) is not before


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_score_is_on_the_board_at_its_commit_though_another_event_was_committed_between(world):
    with world.database.writing() as worker:
        finish(world, worker)
        worker.flush()
        with world.database.writing() as other:
            fail_to_log_in(other)
        assert not board(world).rows
    assert [row.row.entry.score for row in board(world).rows] == [71.0]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_pause_holds_at_its_commit_though_another_event_was_committed_between(world):
    with world.database.writing() as organiser:
        row = organiser.get_one(Phase, world.challenge().phase_ids["first"])
        pause(organiser, NOON, row, actor_id=world.organiser)
        organiser.flush()
        with world.database.writing() as other:
            fail_to_log_in(other)
        with world.database.reading() as reader:
            world.server.challenge(reader)
    with world.database.reading() as reader:
        assert world.server.challenge(reader).paused_at == {"first": NOON}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_failed_log_in_leaves_the_board_that_is_kept(world):
    def fail():
        with world.database.writing() as session:
            fail_to_log_in(session)

    assert not makes_a_new_board(world, fail)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_submission_that_begins_to_be_scored_leaves_the_board_and_one_that_is_scored_makes_it_again(world):
    waiting = world.submission("A", state="queued", score=1.0)

    def begin():
        with world.database.writing() as session:
            change_state(session, world.now, waiting, "scoring")

    def end():
        with world.database.writing() as session:
            finish(world, session)

    assert not makes_a_new_board(world, begin)
    assert makes_a_new_board(world, end)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_reader_that_was_slow_does_not_bring_the_old_file_back(world, monkeypatch):
    new = replace(world.definition, name="Another name")
    load = module.load_current

    def load_slowly(session, definition):
        found = load(session, definition)
        if definition.name != new.name:
            monkeypatch.setattr(module, "load_current", load)
            import_challenge(world.database, world.server.storage, NOON, new, scorer_version=VERSION)
        return found

    monkeypatch.setattr(module, "load_current", load_slowly)
    with world.database.reading() as session:
        world.server.challenge(session)
    with world.database.reading() as session:
        assert world.server.challenge(session).definition.name == "Another name"


def test_each_phase_has_its_rule_of_which_entry_counts(world):
    best = world.submission("A", score=80.0, received_at=NOON + HOUR)
    last = world.submission("A", score=70.0, received_at=NOON + 2 * HOUR)
    chosen = world.submission("A", score=60.0, received_at=NOON, is_chosen=True)
    phases = world.definition.phases
    for rule, number in (("best", best), ("last", last), ("chosen", chosen), (None, best)):
        changed = tuple(replace(each, counts=rule) if each.scored else each for each in phases)
        world.definition = replace(world.definition, phases=changed)
        with world.database.reading() as session:
            challenge = world.challenge()
            found = make_standings(
                session, challenge, challenge.definition.phase("first"), find_profile("raim-2024")
            )
        assert [(each.rank, each.submission_id) for each in found.rows] == [(1, number)]
