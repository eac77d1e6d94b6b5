from raim.study import BLURRED, Ballots, Vote
from raim.study.consistency import compare_repeats, count_traps

SHOWN = ("a", "b", "c", "d")


def vote(image, *choice, kind="counted", shown=SHOWN, **changes):
    return Vote(judge="J", image=image, position=1, kind=kind, shown=shown, choice=choice, **changes)


def ballots(**changes):
    return Ballots(entries=SHOWN, images=("1",), judges=("J",), **changes)


def test_the_same_said_twice_is_wholly_consistent():
    found = compare_repeats([vote("1", "a", "b", "c"), vote("1", "a", "b", "c", kind="repeat")])
    assert (found.n, found.same_first, found.overlap, found.correlation) == (1, 1, 1, 1)


def test_other_picks_are_counted_as_what_they_have_in_common():
    found = compare_repeats([
        vote("1", "a", "b", "c"), vote("1", "d", "b", "a", kind="repeat"),
        vote("2", "a"), vote("2", "a", kind="repeat"), vote("3", "a", "b", "c"),
    ])  # fmt: skip
    assert (found.n, found.same_first, found.overlap) == (2, 0.5, (2 / 3 + 1) / 2)


def test_without_repeats_there_is_no_number():
    found = compare_repeats([vote("1", "a"), vote("2", kind="repeat")])
    assert (found.n, found.same_first, found.overlap, found.correlation) == (0, None, None, None)


def test_ratings_are_compared_by_the_best_grade_and_the_order():
    found = compare_repeats([
        vote("1", ratings={"a": 5, "b": 3, "c": 1, "d": 1}),
        vote("1", ratings={"a": 5, "b": 2, "c": 1, "d": 1}, kind="repeat"),
    ])  # fmt: skip
    assert (found.same_first, found.overlap) == (1, None)
    assert found.correlation > 0.9


def test_a_blurred_copy_among_the_picks_is_a_trap_that_caught():
    shown = ("a", BLURRED, "c", "d")
    votes = [
        vote("1", "a", "c", "d", kind="trap", shown=shown),
        vote("2", "a", BLURRED, kind="trap", shown=shown),
    ]
    found = count_traps(ballots(), votes)
    assert (found.n, found.n_trapped) == (2, 1)


def test_where_all_are_picked_the_blurred_copy_may_be_last():
    shown = ("a", BLURRED, "c")
    last = vote("1", "a", "c", BLURRED, kind="trap", shown=shown)
    middle = vote("1", "a", BLURRED, "c", kind="trap", shown=shown)
    assert count_traps(ballots(), [last]).n_trapped == 0
    assert count_traps(ballots(), [middle]).n_trapped == 1


def test_a_trap_without_a_vote_is_none():
    assert count_traps(ballots(), [vote("1", kind="trap")]).n == 0
