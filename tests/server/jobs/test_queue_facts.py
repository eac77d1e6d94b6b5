"""What pages say of the queue."""

import subprocess
import sys
from datetime import timedelta

from raim.server.database import WorkerHeartbeat
from raim.server.jobs import queue_overview, queue_places


def add_worker(world, name="one", pace=2.0, **values):
    with world.database.writing() as session:
        now = world.clock()
        given = {"started_at": now, "seen_at": now, "version": "1", "doing": "", "seconds_per_image": pace}
        session.add(WorkerHeartbeat(name=name, **given | values))


def submit_many(world, teams):
    return [world.submit(team, b"zip%d" % number, state="queued") for number, team in enumerate(teams)]


def test_places_count_from_one_in_the_order_of_scoring(world):
    ids = submit_many(world, ["ada", "ada", "bob"])
    checking = world.submit("cyn", b"checking")
    with world.database.reading() as session:
        places = queue_places(session, world.clock(), [*ids, checking])
        assert [places[each].position for each in (*ids, checking)] == [1, 3, 2, None]


def test_the_time_counts_what_is_under_way_the_groups_before_and_the_own_group(world):
    add_worker(world, pace=2.0)
    ids = submit_many(world, ["ada"] * 8)
    busy = world.submit("bob", b"busy", state="scoring")
    world.change(
        busy,
        lease_owner="one",
        lease_until=world.clock() + timedelta(minutes=1),
        images_total=10,
        images_done=4,
    )
    with world.database.reading() as session:
        places = queue_places(session, world.clock(), [busy, *ids])
        times = [places[each].expected_at for each in (busy, ids[0], ids[5], ids[7])]
    # Six of two images each go together; then the last two.
    assert [(time - world.clock()).total_seconds() for time in times] == [12, 36, 36, 44]


def test_two_workers_halve_the_time(world):
    (only,) = submit_many(world, ["ada"])
    add_worker(world, "one", pace=2.0)
    add_worker(world, "two", pace=None)
    with world.database.reading() as session:
        assert queue_places(session, world.clock(), [only])[only].expected_at == world.clock() + timedelta(
            seconds=2
        )


def test_without_a_live_worker_no_time_is_promised(world):
    (only,) = submit_many(world, ["ada"])
    add_worker(world, "stopped", stopped_at=world.clock())
    add_worker(world, "silent", seen_at=world.clock() - timedelta(seconds=61))
    with world.database.reading() as session:
        assert queue_places(session, world.clock(), [only])[only].expected_at is None
        overview = queue_overview(session, world.clock())
    assert (overview.workers, overview.done_at, overview.n_waiting, overview.images_waiting) == (
        [],
        None,
        1,
        2,
    )


def test_the_overview_counts_states_and_names_workers(world):
    submit_many(world, ["ada", "bob"])
    world.submit("cyn", b"checking")
    add_worker(world, doing="scoring submissions 1, 2")
    with world.database.reading() as session:
        overview = queue_overview(session, world.clock())
    assert overview.states == {"queued": 2, "checking": 1}
    assert [(each.name, each.doing) for each in overview.workers] == [("one", "scoring submissions 1, 2")]
    assert overview.done_at == world.clock() + timedelta(seconds=8)


def test_the_facts_load_neither_the_engine_nor_what_scores():
    code = (
        "import sys, raim.server.jobs;"
        "print([name for name in ('dbos', 'numba', 'torch', 'ncnn', 'imagecodecs') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        == "[]\n"
    )
