"""Whole worker processes: they do their work, die at every stage, and are replaced."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text, true

from jobs_world import make_neighbour, make_study, make_world
from own_postgresql import start_own_postgresql
from patience import PATIENCE_S, wait_until
from raim.errors import SettingsError, StateError, UnknownNameError
from raim.sandbox import describe, probe
from raim.scoring import score_folders
from raim.server.database import (
    AuditEvent,
    EntryResult,
    Result,
    StudyImage,
    WorkerHeartbeat,
    migrate,
    open_database,
)
from raim.server.jobs import WorkerChild
from raim.server.jobs.tiling import run_tiling
from raim.server.jobs.worker import Pace, check_place, check_storage, check_worker_folder, run_worker
from raim.server.jobs.worker_child import settings_environment
from raim.server.settings import Settings
from raim.server.storage import has_file, local_path, open_storage
from raim.server.study.packs import forget_packs

SCRIPT = Path(__file__).resolve().parents[2] / "dying_worker.py"
KILLED = -9


def make_settings(world, url):
    return Settings(
        folder=world.folder,
        database_url=url,
        storage_url=(world.folder / "files").as_uri(),
        secret_key_file=world.folder / "secret.key",
    )


@pytest.fixture
def place(database_url, example, tmp_path):
    """Make a world in a database of its own, with its settings."""
    database = open_database(database_url)
    migrate(database.engine)
    world = make_world(database, example, tmp_path)
    yield world, make_settings(world, database_url)
    database.engine.dispose()


def start(
    settings, name="one", *challenges, stage="none", deaths=0, silence=60.0, with_signal=signal.SIGKILL
):
    arguments = [name, stage, str(deaths), str(settings.folder / "deaths"), str(silence), *challenges]
    environment = os.environ | settings_environment(settings) | {"RAIM_OFFLINE": "1"}
    environment["DYING_SIGNAL"] = str(int(with_signal))
    return subprocess.Popen([sys.executable, str(SCRIPT), *arguments], env=environment)


def all_scored(world, ids):
    return lambda: all(world.read(each).state == "scored" for each in ids)


def score_alone(world, number):
    """Score a submission in this process, as `raim score` does."""
    path = local_path(world.storage, world.read(number).committed_sha256)
    return score_folders([path], world.example / "data/feedback-pairs/reference").entries[0].mean["score"]


def scores(world):
    return {each.submission_id: each.score for each in world.rows(EntryResult)}


def seen(world):
    with world.database.reading() as session:
        return session.query(WorkerHeartbeat).count()


def times_scored(world):
    return [
        each.subject_id
        for each in world.rows(AuditEvent, action="change state")
        if each.details.get("after") == "scored"
    ]


def test_a_missing_database_is_reported(tmp_path):
    with pytest.raises(SettingsError, match="start the server first"):
        check_place(f"sqlite:///{tmp_path / 'none.db'}")


def test_a_file_on_another_machines_disk_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "raim.db"
    path.touch()
    check_place(f"sqlite:///{path}")
    monkeypatch.setattr("raim.server.jobs.worker._file_system", lambda _: "nfs4")
    with pytest.raises(SettingsError, match="use PostgreSQL"):
        check_place(f"sqlite:///{path}")
    with pytest.raises(SettingsError, match=r"\(nfs4\).*start `raim serve --no-worker`"):
        check_worker_folder(tmp_path)


@pytest.mark.parametrize("version", ["s9999", None])
def test_a_database_of_another_version_of_raim_is_refused(place, version):
    world, settings = place
    with world.database.writing() as session:
        session.execute(text("DELETE FROM alembic_version"))
        if version:
            session.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": version})
    with pytest.raises(StateError, match=f"has the schema {version}, this version of raim s"):
        run_worker(settings, name="new")


def test_a_storage_without_the_challenges_files_is_refused(world, tmp_path):
    check_storage(world.database, world.storage, "one")
    other = open_storage((tmp_path / "elsewhere").as_uri())
    with pytest.raises(SettingsError, match="does not hold the challenge's files"):
        check_storage(world.database, other, "other")


def test_a_database_that_cannot_be_reached_is_reported_after_some_patience(tmp_path, monkeypatch):
    monkeypatch.setattr("raim.server.jobs.worker.REACH_TRIES", 2)
    monkeypatch.setattr("raim.server.jobs.worker.REACH_PAUSE_S", 0.01)
    settings = Settings(
        folder=tmp_path,
        database_url=f"postgresql+psycopg://raim:secret@/raim?host={tmp_path}",
        storage_url=(tmp_path / "files").as_uri(),
        secret_key_file=tmp_path / "secret.key",
    )
    with pytest.raises(SettingsError, match="cannot be reached") as caught:
        run_worker(settings, name="one")
    assert "secret" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database_url", "stage", "deaths"),
    [
        ("sqlite", "check running", 1),
        ("sqlite", "batch half done", 2),
        ("postgresql", "results not committed", 1),
    ],
    indirect=["database_url"],  # benchmarks/faults.py has all stages on both databases, and more deaths
)
def test_killed_again_and_again_it_scores_each_once_with_the_same_numbers(place, stage, deaths):
    world, settings = place
    ids = [world.submit(team, noise=number) for number, team in enumerate(("ada", "bob"))]
    for _ in range(deaths):
        assert start(settings, stage=stage, deaths=deaths).wait(PATIENCE_S) == KILLED
    worker = start(settings, stage=stage, deaths=deaths)
    wait_until(all_scored(world, ids))
    worker.terminate()
    assert worker.wait(PATIENCE_S) == 0
    assert sorted(times_scored(world)) == ids
    assert len(world.rows(Result)) == 2 * len(ids)
    assert scores(world) == {each: score_alone(world, each) for each in ids}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database_url", "stage"),
    [("sqlite", "tiles made"), ("postgresql", "tiles kept")],
    indirect=["database_url"],
)
def test_killed_it_makes_all_tiles_the_same(place, stage):
    world, settings = place
    make_study(world)
    assert start(settings, stage=stage, deaths=1).wait(PATIENCE_S) == KILLED
    worker = start(settings, stage=stage, deaths=1)
    wait_until(lambda: all(row.pack_sha256 for row in world.rows(StudyImage)))
    worker.terminate()
    assert worker.wait(PATIENCE_S) == 0
    made = {row.id: row.pack_sha256 for row in world.rows(StudyImage)}
    assert all(has_file(world.storage, sha256) for sha256 in made.values())
    with world.database.writing() as session:
        forget_packs(session, true())
    for number in made:
        assert run_tiling(world.context(), number) == "made"
    assert {row.id: row.pack_sha256 for row in world.rows(StudyImage)} == made


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_another_worker_takes_over_from_a_silent_one(place):
    world, settings = place
    ids = [world.submit(team, noise=number) for number, team in enumerate(("ada", "bob"))]
    other = start(settings, "other", silence=3.0)
    wait_until(lambda: scores(world).keys() == set(ids))
    more = world.submit("cyn", noise=2)
    other.terminate()
    assert other.wait(PATIENCE_S) == 0
    assert start(settings, "one", stage="batch half done", deaths=1, silence=3.0).wait(PATIENCE_S) == KILLED
    assert world.read(more).state == "scoring"
    survivor = start(settings, "other", silence=3.0)
    wait_until(all_scored(world, [more]))
    survivor.terminate()
    assert survivor.wait(PATIENCE_S) == 0
    assert world.read(more).attempt == 2  # the check's lease and the score's, which was taken over as it was
    assert sorted(times_scored(world)) == [*ids, more]


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_that_was_silent_and_wakes_up_changes_nothing_that_another_has_done(place):
    world, settings = place
    number = world.submit("ada", noise=0)
    asleep = start(
        settings, "one", stage="batch half done", deaths=1, silence=3.0, with_signal=signal.SIGSTOP
    )
    wait_until(lambda: status(asleep.pid) == "T", "a worker that sleeps in the middle of a batch")
    other = start(settings, "other", silence=3.0)
    wait_until(all_scored(world, [number]))
    before = scores(world)
    asleep.send_signal(signal.SIGCONT)
    more = world.submit("bob", noise=1)
    other.terminate()
    assert other.wait(PATIENCE_S) == 0
    wait_until(all_scored(world, [more]))  # by the one that slept
    asleep.terminate()
    assert asleep.wait(PATIENCE_S) == 0
    assert scores(world) == before | {more: score_alone(world, more)}
    assert sorted(times_scored(world)) == [number, more]


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_worker_for_one_challenge_leaves_the_others_to_a_second_worker(place):
    night, settings = place
    moire = make_neighbour(night, "moire")
    ours = [moire.submit(team, noise=number) for number, team in enumerate(("ada", "bob"))]
    others = [night.submit(team, noise=number) for number, team in enumerate(("ada", "bob", "cyn"), start=2)]
    lent = start(settings, "lent", "moire", silence=3.0)
    wait_until(all_scored(night, ours))
    assert [(night.read(each).state, night.read(each).attempt) for each in others] == [("checking", 0)] * 3
    common = start(settings, "common", silence=3.0)
    wait_until(all_scored(night, others))
    with night.database.reading() as session:
        serving = {row.name: row.challenges for row in session.query(WorkerHeartbeat)}
    assert serving == {"common": [], "lent": ["moire"]}
    lent.terminate()
    assert lent.wait(PATIENCE_S) == 0
    common.terminate()
    assert common.wait(PATIENCE_S) == 0
    assert sorted(times_scored(night)) == sorted([*ours, *others])


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_a_worker_for_one_challenge_leaves_is_taken_over_and_nothing_the_other_way(place):
    night, settings = place
    moire = make_neighbour(night, "moire")
    ours = moire.submit("ada", noise=0)
    died = start(settings, "lent", "moire", stage="batch half done", deaths=1, silence=3.0)
    assert died.wait(PATIENCE_S) == KILLED
    assert night.read(ours).state == "scoring"
    common = start(settings, "common", stage="batch half done", deaths=2, silence=3.0)
    assert common.wait(PATIENCE_S) == KILLED  # over the same batch, which it has taken over
    other = night.submit("ada", noise=1)
    lent = start(settings, "lent", "moire", silence=3.0)
    wait_until(all_scored(night, [ours]))
    assert night.read(other).state == "checking"
    common = start(settings, "common", silence=3.0)
    wait_until(all_scored(night, [other]))
    for each in (lent, common):
        each.terminate()
        assert each.wait(PATIENCE_S) == 0
    assert sorted(times_scored(night)) == sorted([ours, other])


def test_a_challenge_that_the_server_has_not_is_reported(world):
    settings = make_settings(world, world.database.engine.url.render_as_string(hide_password=False))
    with pytest.raises(UnknownNameError, match="no challenge named 'my-chalenge'; did you mean"):
        run_worker(settings, name="one", challenges=["my-chalenge"])


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_servers_child_is_started_again_when_it_dies_and_ends_with_it(place):
    world, settings = place
    with WorkerChild(replace(settings, worker_processes=1)) as child:
        wait_until(lambda: child.pid is not None and seen(world))
        first = child.pid
        os.kill(first, 9)
        wait_until(lambda: child.pid not in {None, first})
        number = world.submit("ada")
        wait_until(all_scored(world, [number]))
        second = child.pid
        with world.database.reading() as session:
            row = session.query(WorkerHeartbeat).one()
            assert (row.stopped_at, row.sandbox) == (None, describe(probe()))
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)
    with world.database.reading() as session:
        assert session.query(WorkerHeartbeat).one().stopped_at is not None


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_of_a_name_are_refused(place):
    _, settings = place
    first = start(settings)
    wait_until((settings.folder / "work/one.lock").exists)
    time.sleep(1)
    with pytest.raises(StateError, match="runs already"):
        run_worker(settings, name="one", pace=Pace())
    first.terminate()
    assert first.wait(PATIENCE_S) == 0


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_killed_server_takes_its_worker_along(place):
    world, settings = place
    code = (
        "import os, time; from raim.server.jobs import WorkerChild; from raim.server.settings import read_settings\n"
        "with WorkerChild(read_settings(os.environ)) as child:\n"
        "    while child.pid is None: time.sleep(0.1)\n"
        "    print(child.pid, flush=True); time.sleep(600)"
    )
    environment = os.environ | settings_environment(settings) | {"RAIM_OFFLINE": "1"}
    server = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
    )
    worker = int(server.stdout.readline())
    wait_until(lambda: seen(world))
    server.kill()
    server.communicate()
    wait_until(lambda: not is_alive(worker))


def is_alive(pid):
    """Say whether a process runs; one that has ended and that nobody waits for does not."""
    return status(pid) not in {"", "Z"}


def status(pid):
    """Give the letter for what a process does; "" if there is none."""
    path = Path(f"/proc/{pid}/stat")
    return path.read_text().rpartition(")")[2].split()[0] if path.exists() else ""


@pytest.mark.slow
def test_a_database_that_restarts_under_load_loses_nothing(example, tmp_path):
    with start_own_postgresql() as postgresql:
        database = open_database(postgresql.url)
        migrate(database.engine)
        world = make_world(database, example, tmp_path)
        ids = [world.submit(team, noise=number) for number, team in enumerate(("ada", "bob", "cyn"))]
        worker = start(make_settings(world, postgresql.url))
        try:
            wait_until(lambda: any(world.read(each).lease_owner for each in ids))
            for mode in ("immediate", "fast"):
                database.engine.dispose()
                postgresql.restart(mode, pause_s=2)
                time.sleep(3)
            wait_until(all_scored(world, ids))
        finally:
            worker.terminate()
            assert worker.wait(PATIENCE_S) == 0
        assert sorted(times_scored(world)) == ids
        assert len(world.rows(Result)) == 2 * len(ids)
        database.engine.dispose()
