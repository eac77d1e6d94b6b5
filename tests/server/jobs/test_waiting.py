"""The order of the queue, by properties and on rows, and what pages say of it."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jobs_world import make_neighbour
from raim.server.current_challenge import load_current
from raim.server.database import WorkerHeartbeat
from raim.server.jobs.waiting import (
    MOST_TOGETHER,
    Waiting,
    list_groups,
    next_group,
    order_waiting,
    queue_overview,
    queue_places,
    read_waiting,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make(teams, *, data_sets=None, again=(), challenges=None):
    return [
        Waiting(
            submission_id=number,
            team_id=team,
            data_set_id=(data_sets or [1] * len(teams))[number],
            received_at=NOON + timedelta(minutes=number),
            is_again=number in again,
            challenge=str((challenges or [1] * len(teams))[number]),
        )
        for number, team in enumerate(teams)
    ]


teams = st.lists(st.integers(1, 4), max_size=12)


@given(teams=teams, recent=st.dictionaries(st.integers(1, 4), st.integers(0, 3)))
def test_no_team_has_a_second_turn_before_another_that_had_fewer(teams, recent):
    turns = Counter(recent)
    left = Counter(teams)
    for each in order_waiting(make(teams), recent):
        assert turns[each.team_id] == min(turns[team] for team in left if left[team])
        turns[each.team_id] += 1
        left[each.team_id] -= 1


@given(teams=teams)
def test_a_team_keeps_the_order_in_which_it_sent(teams):
    ordered = order_waiting(make(teams), {})
    for team in set(teams):
        own = [each.submission_id for each in ordered if each.team_id == team]
        assert own == sorted(own)


@given(teams=teams, sets=st.lists(st.integers(1, 2), min_size=12, max_size=12))
def test_groups_hold_each_submission_once_and_one_data_set(teams, sets):
    groups = list_groups(order_waiting(make(teams, data_sets=sets), {}))
    assert sorted(each.submission_id for group in groups for each in group) == list(range(len(teams)))
    assert all(
        len(group) <= MOST_TOGETHER and len({each.data_set_id for each in group}) == 1 for group in groups
    )


def test_one_team_that_sends_twenty_delays_nobody_by_more_than_one():
    ordered = order_waiting(make([1] * 20 + [2, 3, 4]), {})
    assert [each.team_id for each in ordered[:5]] == [1, 2, 3, 4, 1]
    assert {each.team_id for each in next_group(ordered)} == {1, 2, 3, 4}


def test_challenges_take_turns_and_the_one_served_longest_ago_comes_first():
    waiting = make([*range(20), 30, 31], challenges=[1] * 20 + [2, 2], data_sets=[1] * 20 + [2, 2])
    groups = list_groups(order_waiting(waiting, {}, {"1": NOON}))
    assert [[each.challenge for each in group] for group in groups[:3]] == [["2"] * 2, ["1"] * 6, ["1"] * 6]
    groups = list_groups(order_waiting(waiting, {}, {"1": NOON, "2": NOON + timedelta(minutes=1)}))
    assert [[each.challenge for each in group] for group in groups[:3]] == [["1"] * 6, ["2"] * 2, ["1"] * 6]


@given(
    challenges=st.lists(st.integers(1, 3), max_size=40),
    served=st.dictionaries(st.integers(1, 3), st.integers(0, 50)),
)
def test_no_challenge_has_a_second_pass_before_another_that_waits_had_one(challenges, served):
    at = {str(challenge): NOON + timedelta(minutes=minute) for challenge, minute in served.items()}
    ordered = order_waiting(make(list(range(len(challenges))), challenges=challenges), {}, at)
    left, had = Counter(map(str, challenges)), Counter()
    for each in ordered:
        passes = {challenge: had[challenge] // MOST_TOGETHER for challenge in left if left[challenge]}
        assert passes[each.challenge] == min(passes.values())
        had[each.challenge] += 1
        left[each.challenge] -= 1


def test_what_is_scored_again_comes_after_what_is_new_and_not_with_it():
    ordered = order_waiting(make([1, 2, 3], again={0}), {})
    assert [each.submission_id for each in ordered] == [1, 2, 0]
    assert [[each.submission_id for each in group] for group in list_groups(ordered)] == [[1, 2], [0]]


def test_rows_that_wait_are_read_in_fair_order(world):
    ids = [
        world.submit(team, b"zip" + bytes([number]), state="queued")
        for number, team in enumerate(("ada", "ada", "bob"))
    ]
    world.submit("cyn", b"checking")
    world.submit("cyn", b"final", kind="final", state="accepted")
    done = world.submit("bob", b"done", state="scored")
    world.change(done, state_at=world.clock())
    with world.database.reading() as session:
        waiting = read_waiting(session)
        assert [each.submission_id for each in waiting] == [ids[0], ids[1], ids[2]]
    world.change(done, rescore_asked_at=world.clock())
    with world.database.reading() as session:
        waiting = read_waiting(session)
    assert [(each.submission_id, each.is_again, each.n_images) for each in waiting][-1] == (done, True, 2)


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
        places = queue_places(session, world.clock(), [first, second])
        assert places[first].expected_at is None
        assert places[second].expected_at == world.clock() + timedelta(seconds=2)
        assert queue_overview(session, world.clock()).done_at is None
    add_worker(world, "common", pace=1.0)
    with world.database.reading() as session:
        places = queue_places(session, world.clock(), [first, second])
        times = [places[each].expected_at - world.clock() for each in (first, second)]
    assert times == [timedelta(seconds=4), timedelta(seconds=1)]  # four images by one worker; two by both


def test_organisers_see_the_workers_of_their_challenge(world):
    moire = make_neighbour(world, "moire")
    add_worker(world, "common")
    add_worker(world, "lent", challenges=["moire", "night"])
    with world.database.reading() as session:
        shown = {
            each.definition.id: queue_overview(
                session, world.clock(), load_current(session, each.definition)
            ).workers
            for each in (world, moire)
        }
        every = queue_overview(session, world.clock()).workers
    told = {slug: {each.name: each.challenges for each in rows} for slug, rows in shown.items()}
    assert told == {"my-challenge": {"common": []}, "moire": {"common": [], "lent": ["moire"]}}
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
