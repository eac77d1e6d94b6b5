import json

import pytest

from raim.challenge import StudyRule
from raim.errors import InputError
from raim.study import StudyDesign

BAD = {
    "one entry": ({"entries": ("a",)}, "at least two"),
    "the same twice": ({"entries": ("a", "a")}, "at least two different"),
    "no image": ({"images": {}}, "at least one image"),
    "too many tiles": ({"tiles": 4}, "expected 2 to 3"),
    "one tile": ({"tiles": 1}, "expected 2 to 3"),
    "share": ({"repeats_share": 1.5}, "the share of repeats is 1.5"),
    "traps": ({"n_traps": -1}, "0 or more"),
    "schema": ({"schema": "raim-study/9"}, "reads 'raim-study/1'"),
}


def design(**changes):
    return StudyDesign(
        **{"seed": 1, "entries": ("a", "b", "c"), "images": {"1": "moire", "2": ""}, **changes}
    )


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_shown_is_refused(name):
    changes, message = BAD[name]
    with pytest.raises(InputError, match=message):
        design(**changes)


def test_json_and_back_is_the_same_design():
    for made in (design(), design(mode="pairwise", points=(1,)), design(tiles=2, conflicts="hide-tile")):
        assert StudyDesign.from_plain(json.loads(json.dumps(made.to_plain()))) == made


def test_an_unknown_key_is_refused():
    with pytest.raises(InputError, match="unknown \\['colour'\\]"):
        StudyDesign.from_plain({**design().to_plain(), "colour": "red"})


def test_picks_are_as_many_as_there_are_points_and_tiles():
    assert (design().n_picks, design(tiles=2).n_picks) == (3, 2)
    assert (design(mode="best", points=(1,)).n_picks, design(mode="rating", points=()).n_picks) == (1, 0)


def test_a_challenges_rule_becomes_a_design():
    rule = StudyRule(phase="final", judges=5, repeats_share=0.1, traps=1, training=0, tiles=2)
    made = StudyDesign.from_rule(rule, entries=("a", "b", "c"), images={"1": ""}, seed=3)
    assert (made.n_judges, made.repeats_share, made.n_traps, made.n_training, made.tiles) == (5, 0.1, 1, 0, 2)
    assert not made.is_complete
