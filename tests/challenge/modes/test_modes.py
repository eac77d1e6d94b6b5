import inspect
from pathlib import Path

import pytest

import raim
from raim.challenge.modes import MODES, infer_mode
from raim.errors import InputError
from raim.server.web.rendering import STATIC
from raim.study import BLURRED, Vote

SHOWN = ("a", "b", "c", "d")
TOP_THREE, RATING = MODES["top-three"], MODES["rating"]
BAD = {
    "unknown": (("z",), {}, "'z' was not shown"),
    "twice": (("a", "a"), {}, "'a' is picked twice"),
    "too many": (("a", "b", "c", "d"), {}, "at most 3"),
    "grades": ((), {"a": 3}, "not for grades"),
}


def vote(*choice, shown=SHOWN, **ratings):
    return Vote(judge="J1", image="1", position=1, shown=shown, choice=choice, ratings=ratings)


@pytest.mark.parametrize("choice", [(), ("a",), ("d", "a"), ("c", "b", "a")], ids=len)
def test_a_partial_ballot_is_a_vote(choice):
    TOP_THREE.check(SHOWN, choice, {}, (3, 2, 1))


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_vote_is_refused_with_the_reason(name):
    choice, ratings, message = BAD[name]
    with pytest.raises(InputError, match=message):
        TOP_THREE.check(SHOWN, choice, ratings, (3, 2, 1))


def test_grades_are_one_to_five_and_come_without_picks():
    RATING.check(SHOWN, (), {"a": 1, "d": 5}, ())
    with pytest.raises(InputError, match="the grade of 'a' is 6"):
        RATING.check(SHOWN, (), {"a": 6}, ())
    with pytest.raises(InputError, match="grades, not for picks"):
        RATING.check(SHOWN, ("a",), {}, ())


def test_a_pick_has_points_who_was_not_picked_none_and_a_grade_is_itself():
    assert TOP_THREE.worth(vote("d", "a"), (3, 2, 1)) == {"a": 2, "b": 0, "c": 0, "d": 3}
    assert RATING.worth(vote(a=4), ()) == {"a": 4}


def test_a_vote_is_partial_if_less_was_said_than_could_be():
    assert TOP_THREE.is_partial(vote("a", "b"), (3, 2, 1))
    assert not TOP_THREE.is_partial(vote("a", "b", shown=("a", "b")), (3, 2, 1))
    assert RATING.is_partial(vote(a=1), ())
    assert not RATING.is_partial(vote(a=1, b=2, c=3, d=4), ())


def test_a_trap_catches_who_prefers_the_copy():
    shown = ("a", "b", BLURRED)
    assert TOP_THREE.is_trapped(vote("a", BLURRED, shown=shown), BLURRED)
    assert not TOP_THREE.is_trapped(vote("a", "b", BLURRED, shown=shown), BLURRED)
    assert RATING.is_trapped(vote(shown=shown, **{"a": 4, BLURRED: 4}), BLURRED)
    assert not RATING.is_trapped(vote(shown=shown, **{"a": 5, BLURRED: 4}), BLURRED)


@pytest.mark.parametrize(("answers", "name"), [
    ([vote("a", "b"), vote("a")], "top-three"),
    ([vote("a")], "best"),
    ([vote("a", shown=("a", "b"))], "pairwise"),
    ([vote(a=1), vote(b=3)], "rating"),
    ([vote("a"), vote("b"), vote(b=3)], "best"),
    ([], "top-three"),
], ids=str)  # fmt: skip
def test_the_mode_of_votes_is_the_one_that_most_of_them_fit(answers, name):
    assert infer_mode(answers) == name


@pytest.mark.parametrize("mode", MODES.values(), ids=str)
def test_every_mode_has_its_words_and_a_script_that_takes_its_votes(mode):
    assert mode.words
    assert mode.instruction.endswith(".")
    assert "export class TrialBallot extends " in (STATIC / mode.script).read_text(encoding="utf-8")


def test_nobody_but_the_modes_themselves_names_one():
    root = Path(inspect.getfile(raim)).parent
    named = [f"{mark}{name}{mark}" for name in ("top-three", "pairwise", "rating") for mark in "'\""]
    found = {
        path.relative_to(root).parent.as_posix()
        for ending in ("py", "js", "jinja")
        for path in root.rglob(f"*.{ending}")
        if "vendor" not in path.parts and any(name in path.read_text(encoding="utf-8") for name in named)
    }
    assert found == {"challenge/modes"}
