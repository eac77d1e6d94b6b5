"""The tick, with an engine that only remembers: what is due is made once, what is lost is made good."""

import threading
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from sqlalchemy import select

from jobs_world import make_neighbour, make_study, score_waiting
from raim.errors import StateError
from raim.server.database import Challenge, DataSet, StudyImage, WorkerHeartbeat, clock
from raim.server.jobs import context, worker, workflows
from raim.server.jobs.context import gone_workers, renew_heartbeat, start_heartbeat, stop_heartbeat
from raim.server.jobs.faults import Throttle
from raim.server.jobs.reconciling import MOST_ATTEMPTS, Reconciler, begin_again, read_due
from raim.server.jobs.workflows import JobEngine
from raim.server.settings import Settings


class FakeEngine(JobEngine):
    def __init__(self):
        self.made, self.ended, self.resumed = [], set(), []
        self.left = []

    def enqueue(self, job):
        if job.id not in self.made:
            self.made.append(job.id)

    def find_ended(self, ids):
        return self.ended & set(ids)

    def find_left(self, workers):
        return self.left if workers else []

    def resume(self, workers):
        self.resumed.append(sorted(workers))


@pytest.fixture
def reconciler(world):
    return Reconciler(world.context(), FakeEngine(), _look_again=Throttle(0))


def leased(world, state, **values):
    number = world.submit("ada", state.encode(), state=state)
    world.change(number, lease_owner="two", lease_until=world.clock(), attempt=1, **values)
    return number


def test_many_workers_ask_less_often_each(world, reconciler, monkeypatch):
    reconciler.tick()
    assert reconciler.spread == 1
    with world.database.writing() as session:
        for number in range(16):
            start_heartbeat(session, world.clock(), f"worker {number}")
        start_heartbeat(session, world.clock(), "ended")
        stop_heartbeat(session, world.clock(), "ended")
    reconciler.tick()
    assert reconciler.spread == 2
    engine = Mock()
    monkeypatch.setattr(workflows, "DBOS", engine)
    monkeypatch.setattr(workflows, "_define", lambda _context: JobEngine({}))
    workflows.launch(reconciler.context, "sqlite:///raim.db")
    asked = {call.kwargs["polling_interval_sec"] for call in engine.register_queue.call_args_list}
    assert asked == {2 * workflows.POLL_S}


def test_jobs_have_ids_that_say_what_they_are_for(world):
    checking = world.submit("ada", b"one")
    queued = world.submit("bob", b"two", state="queued")
    with world.database.reading() as session:
        check, score = read_due(session)
    assert check.id == f"check-{checking}-0"
    assert score.id == f"score-{queued}-{score.scorer_version}-{score.reference_version}-0"
    assert score.scorer_version.startswith("raim-2024-")
    assert len(score.reference_version) == 64


def test_a_version_that_this_raim_does_not_know_is_left_to_others(world):
    world.submit("bob", b"two", state="queued")
    with world.database.writing() as session:
        session.query(Challenge).one().scorer_version = "raim-2031-abcdefabcdef"
    with world.database.reading() as session:
        assert read_due(session) == []


def test_jobs_for_a_worker_of_some_challenges_are_its_own(world):
    moire = make_neighbour(world, "moire")
    world.submit("ada", b"one")
    checking, queued = moire.submit("ada", b"two"), moire.submit("bob", b"three", state="queued")
    engine = FakeEngine()
    Reconciler(world.context(challenges=frozenset({"moire"})), engine).tick()
    version, reference = (
        world.rows(Challenge, slug="moire")[0].scorer_version,
        world.rows(DataSet, challenge_id=moire.challenge_id, slug="feedback-pairs")[0].version,
    )
    assert engine.made == [
        f"check-{checking}-0 for moire",
        f"score-{queued}-{version}-{reference}-0 for moire",
    ]


def test_tiles_are_left_to_a_worker_that_serves_all_while_one_lives(world):
    make_study(world)
    lent = Reconciler(world.context(challenges=frozenset({"my-challenge"})), FakeEngine())
    with world.database.writing() as session:
        start_heartbeat(session, world.clock(), "common")
    lent.tick()
    assert lent.engine.made == []
    world.clock.move(61)
    lent.tick()
    assert [each.partition("-")[0] for each in lent.engine.made] == ["tiles"] * len(world.rows(StudyImage))


def test_what_is_due_is_made_once_in_order_of_arrival(world, reconciler):
    ids = [world.submit(team, b"zip%d" % number) for number, team in enumerate(("ada", "bob"))]
    reconciler.tick()
    reconciler.tick()
    assert reconciler.engine.made == [f"check-{each}-0" for each in ids]


def test_a_submission_with_a_lease_is_not_due(world, reconciler):
    number = leased(world, "checking")
    world.change(number, lease_until=world.clock() + timedelta(seconds=60))
    reconciler.tick()
    assert reconciler.engine.made == []


@pytest.mark.parametrize(
    ("state", "then"), [("checking", "checking"), ("scoring", "queued"), ("scored", "scored")]
)
def test_a_lease_that_is_long_over_is_given_back(world, reconciler, state, then):
    asked = {"rescore_asked_at": world.clock()} if state == "scored" else {}
    number = leased(world, state, **asked)
    world.clock.move(59)
    reconciler.tick()
    assert world.read(number).lease_owner == "two"
    world.clock.move(2)
    reconciler.tick()
    row = world.read(number)
    assert (row.state, row.lease_owner, row.lease_until) == (then, None, None)
    reconciler.tick()
    assert len(reconciler.engine.made) == 1
    assert reconciler.engine.made[0].endswith("-1")


def test_a_job_that_ended_while_its_submission_waits_is_made_again(world, reconciler):
    number = world.submit("ada", b"zip")
    reconciler.tick()
    reconciler.engine.ended = {f"check-{number}-0"}
    reconciler.tick()
    reconciler.tick()
    assert reconciler.engine.made == [f"check-{number}-0", f"check-{number}-1"]


def test_what_never_comes_to_an_end_fails_and_gives_its_try_back(world):
    number = world.submit("ada", b"zip", state="queued")
    world.change(number, attempt=MOST_ATTEMPTS)
    with world.database.writing() as session:
        begin_again(session, world.clock(), read_due(session))
    row = world.read(number)
    assert (row.state, row.takes_try) == ("failed", False)
    assert f"begun {MOST_ATTEMPTS} times" in row.error


def test_the_jobs_of_workers_that_are_gone_are_resumed(world, reconciler):
    reconciler.engine.left = [("score-1", "queue")]
    with world.database.writing() as session:
        for name in ("one", "silent", "stopped", "live"):
            start_heartbeat(session, world.clock(), name)
        stop_heartbeat(session, world.clock(), "stopped")
    world.clock.move(61)
    with world.database.writing() as session:
        session.get(WorkerHeartbeat, "live").seen_at = world.clock()
    reconciler.tick()
    assert reconciler.engine.resumed == [["silent", "stopped"]]


def test_a_worker_whose_name_another_has_taken_is_reported(world):
    begun, context = world.clock(), world.context()
    context.seconds_per_image = 2.0
    with context.busy("check", "x" * 300, []), world.database.writing() as session:
        start_heartbeat(session, begun, "one")
        renew_heartbeat(session, context, begun)
    world.clock.move(5)
    with world.database.writing() as session:
        start_heartbeat(session, world.clock(), "one")
    with (
        world.database.writing() as session,
        pytest.raises(StateError, match="another worker has the name 'one'"),
    ):
        renew_heartbeat(session, context, begun)
    with world.database.reading() as session:
        row = session.get(WorkerHeartbeat, "one")
        assert (row.seconds_per_image, row.doing) == (2.0, "")
        assert gone_workers(session, world.clock()) == []


def test_one_job_is_enough_for_all_that_are_scored_with_it(world, pool):
    ids = [world.submit(team, state="queued") for team in ("ada", "bob", "cyn")]
    assert score_waiting(world.context(pool=pool)) == [ids]
    with world.database.reading() as session:
        assert read_due(session) == []


class WrongTime(datetime):
    """The time of a machine whose clock is wrong."""

    off = timedelta()

    @classmethod
    def now(cls, zone=None):
        return datetime.now(zone) + cls.off


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # workers of SQLite are on one machine
def test_a_live_worker_whose_clock_is_an_hour_off_is_not_taken_for_dead(database, world, monkeypatch, hours):
    monkeypatch.setattr(WrongTime, "off", timedelta(hours=hours))
    url = database.engine.url.render_as_string(hide_password=False)
    settings = Settings(
        folder=world.folder / "remote",
        database_url=url,
        storage_url=(world.folder / "files").as_uri(),
        secret_key_file=world.folder / "secret.key",
    )
    for module in (worker, context, clock):
        monkeypatch.setattr(module, "datetime", WrongTime)
    monkeypatch.setattr(worker, "launch", lambda *_: Mock(spec=JobEngine))
    seen, stop = [], threading.Event()

    def look(*_):
        with database.reading() as session:
            row = session.scalars(select(WorkerHeartbeat)).one()
            is_right = abs(datetime.now(UTC) - row.seen_at) < timedelta(minutes=30)
            seen.append((gone_workers(session, datetime.now(UTC)), is_right))
        stop.set()

    monkeypatch.setattr(worker, "_tick_on", look)
    worker.run_worker(settings, name="wrong", processes=1, stop=stop)
    assert seen == [([], True)]
