"""The order of the queue, by properties and on rows."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from raim.server.jobs.waiting import (
    MOST_TOGETHER,
    Waiting,
    list_groups,
    next_group,
    order_waiting,
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


@given(
    teams=teams, sets=st.lists(st.integers(1, 3), min_size=12, max_size=12), again=st.sets(st.integers(0, 11))
)
def test_groups_are_those_that_are_taken_up_one_after_the_other(teams, sets, again):
    left = order_waiting(make(teams, data_sets=sets[: len(teams)], again=again), {})
    foreseen, taken = list_groups(left), []
    while left:
        taken.append(next_group(left))
        left = [each for each in left if each not in taken[-1]]
    assert foreseen == taken
