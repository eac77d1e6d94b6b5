import pytest

from raim.errors import InputError
from raim.study import check_choice

SHOWN = ("a", "b", "c", "d")
BAD = {
    "unknown": (("z",), {}, "'z' was not shown"),
    "twice": (("a", "a"), {}, "'a' is picked twice"),
    "too many": (("a", "b", "c", "d"), {}, "at most 3"),
    "grades": ((), {"a": 3}, "not for grades"),
}


@pytest.mark.parametrize("choice", [(), ("a",), ("d", "a"), ("c", "b", "a")], ids=len)
def test_a_partial_ballot_is_a_vote(choice):
    check_choice("top-three", SHOWN, choice, {}, n_picks=3)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_vote_is_refused_with_the_reason(name):
    choice, ratings, message = BAD[name]
    with pytest.raises(InputError, match=message):
        check_choice("top-three", SHOWN, choice, ratings, n_picks=3)


def test_grades_are_one_to_five_and_come_without_picks():
    check_choice("rating", SHOWN, (), {"a": 1, "d": 5}, n_picks=0)
    with pytest.raises(InputError, match="the grade of 'a' is 6"):
        check_choice("rating", SHOWN, (), {"a": 6}, n_picks=0)
    with pytest.raises(InputError, match="grades, not for picks"):
        check_choice("rating", SHOWN, ("a",), {}, n_picks=0)
