"""What pages say of the queue."""

import subprocess
import sys
import threading
from datetime import timedelta

from jobs_world import make_neighbour
from raim.server.current_challenge import load_current
from raim.server.database import WorkerHeartbeat
from raim.server.jobs import ForecastCache, read_queue
from raim.server.jobs.forecast import make_forecast
from raim.server.jobs.waiting import read_waiting


def add_worker(world, name="one", pace=2.0, **values):
    with world.database.writing() as session:
        now = world.clock()
        given = {"started_at": now, "seen_at": now, "version": "1", "seconds_per_image": pace}
        session.add(WorkerHeartbeat(name=name, **given | values))


def submit_many(world, teams):
    return [world.submit(team, b"zip%d" % number, state="queued") for number, team in enumerate(teams)]


def test_places_count_from_one_in_the_order_of_scoring(world):
    ids = submit_many(world, ["ada", "ada", "bob"])
    checking = world.submit("cyn", b"checking")
    with world.database.reading() as session:
        forecast = make_forecast(session, world.clock())
        assert [forecast.place(each).position for each in (*ids, checking)] == [1, 3, 2, None]


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
        forecast = make_forecast(session, world.clock())
        times = [forecast.place(each).expected_at for each in (busy, ids[0], ids[5], ids[7])]
    # Six of two images each go together; then the last two.
    assert [(time - world.clock()).total_seconds() for time in times] == [12, 36, 36, 44]


def test_two_workers_halve_the_time(world):
    (only,) = submit_many(world, ["ada"])
    add_worker(world, "one", pace=2.0)
    add_worker(world, "two", pace=None)
    with world.database.reading() as session:
        forecast = make_forecast(session, world.clock())
    assert forecast.place(only).expected_at == world.clock() + timedelta(seconds=2)


def test_without_a_live_worker_no_time_is_promised(world):
    (only,) = submit_many(world, ["ada"])
    add_worker(world, "stopped", stopped_at=world.clock())
    add_worker(world, "silent", seen_at=world.clock() - timedelta(seconds=61))
    with world.database.reading() as session:
        forecast = make_forecast(session, world.clock())
    assert forecast.place(only).expected_at is None
    assert (forecast.workers, forecast.done_at, forecast.n_waiting, forecast.n_images) == ((), None, 1, 2)


def test_the_overview_counts_states_and_names_workers(world):
    submit_many(world, ["ada", "bob"])
    world.submit("cyn", b"checking")
    add_worker(world, doing="scoring submissions 1, 2")
    with world.database.reading() as session:
        overview = read_queue(session, make_forecast(session, world.clock()))
    assert overview.states == {"queued": 2, "checking": 1}
    assert [(each.name, each.doing) for each in overview.workers] == [("one", "scoring submissions 1, 2")]
    assert overview.done_at == world.clock() + timedelta(seconds=8)


def test_a_worker_for_some_challenges_has_their_part_of_the_fair_order(world):
    moire = make_neighbour(world, "moire")
    ours = submit_many(moire, ["ada", "ada", "bob"])
    submit_many(world, ["ada", "bob"])
    with world.database.reading() as session:
        every, own = read_waiting(session), read_waiting(session, {"moire"})
    assert [each.submission_id for each in own] == [ours[0], ours[2], ours[1]]
    assert own == [each for each in every if each.challenge == "moire"]


def test_the_time_is_that_of_the_workers_that_serve_the_challenge(world):
    moire = make_neighbour(world, "moire")
    (first,) = submit_many(world, ["ada"])
    (second,) = submit_many(moire, ["ada"])
    add_worker(world, "lent", pace=1.0, challenges=["moire"])
    with world.database.reading() as session:
        forecast = make_forecast(session, world.clock())
    assert forecast.place(first).expected_at is None
    assert forecast.place(second).expected_at == world.clock() + timedelta(seconds=2)
    assert forecast.done_at is None
    add_worker(world, "common", pace=1.0)
    with world.database.reading() as session:
        forecast = make_forecast(session, world.clock())
    times = [forecast.place(each).expected_at - world.clock() for each in (first, second)]
    assert times == [timedelta(seconds=4), timedelta(seconds=1)]  # four images by one worker; two by both


def test_organisers_see_the_workers_of_their_challenge(world):
    moire = make_neighbour(world, "moire")
    add_worker(world, "common")
    add_worker(world, "lent", challenges=["moire", "night"])
    with world.database.reading() as session:
        forecast = make_forecast(session, world.clock())
        shown = {
            each.definition.id: read_queue(session, forecast, load_current(session, each.definition)).workers
            for each in (world, moire)
        }
        every = forecast.workers
    by_challenge = {slug: {each.name: each.challenges for each in rows} for slug, rows in shown.items()}
    assert by_challenge == {"my-challenge": {"common": []}, "moire": {"common": [], "lent": ["moire"]}}
    assert {each.name: each.challenges for each in every} == {"common": [], "lent": ["moire", "night"]}


def test_the_facts_load_neither_the_engine_nor_what_scores():
    code = (
        "import sys, raim.server.jobs;"
        "print([name for name in ('dbos', 'numba', 'torch', 'ncnn', 'imagecodecs') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        == "[]\n"
    )


def test_a_forecast_is_made_once_for_all_who_ask_within_a_second(world):
    (first,) = submit_many(world, ["ada"])
    cache, now = ForecastCache(), world.clock()
    with world.database.reading() as session:
        made = cache.get(session, now)
    world.submit("bob", b"later", state="queued")
    with world.database.reading() as session:
        assert cache.get(session, now + timedelta(seconds=0.9)) is made
        assert cache.get(session, now + timedelta(seconds=1)).n_waiting == 2
        assert cache.get(session, now - timedelta(seconds=9)).made_at == now - timedelta(seconds=9)
    assert (made.n_waiting, made.place(first).position, made.place(first + 1).position) == (1, 1, None)


def test_while_one_makes_a_forecast_nobody_else_waits_for_it(world):
    cache, now = ForecastCache(), world.clock()
    with world.database.reading() as session:
        made = cache.get(session, now)
        with cache.lock:
            assert cache.get(session, now + timedelta(seconds=9)) is made
        assert cache.get(session, now + timedelta(seconds=9)) is not made


def test_who_asks_soon_after_has_the_last_forecast_while_a_thread_makes_the_next(world):
    cache, now = ForecastCache(), world.clock()
    with world.database.reading() as session:
        made = cache.get(session, now, world.database)
        submit_many(world, ["ada"])
        with cache.lock:
            assert cache.get(session, now + timedelta(seconds=2), world.database) is made
        assert cache.get(session, now + timedelta(seconds=2), world.database) is made
        for each in [each for each in threading.enumerate() if each.name == "forecast"]:
            each.join()
        assert cache.get(session, now + timedelta(seconds=2), world.database).n_waiting == 1
        late = now + timedelta(seconds=9)
        assert cache.get(session, late, world.database).made_at == late
