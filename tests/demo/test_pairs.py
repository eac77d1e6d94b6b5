import pytest

from raim.demo.pairs import find_demo_pairs
from raim.errors import InputError


@pytest.fixture
def touch(tmp_path):
    def make(*paths: str):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
        return tmp_path

    return make


def names(found):
    return [(pair.name, pair.scenario) for pair in found.pairs]


def test_pairs_of_the_folder_itself_have_no_scenario(touch):
    found = find_demo_pairs(touch("input/a.jpg", "reference/a.png"))
    assert names(found) == [("a", None)]
    assert found.pairs[0].input.name == "a.jpg"


def test_each_folder_below_is_a_scenario_at_any_of_three_levels(touch):
    folder = touch(
        "paired/noise/input/a.png",
        "paired/noise/reference/a.png",
        "blur/input/b.png",
        "blur/reference/b.png",
        "unpaired/text/c.png",
    )
    assert names(find_demo_pairs(folder)) == [("b", "blur"), ("a", "noise")]


def test_a_name_of_two_scenarios_gets_the_scenario_in_front(touch):
    folder = touch(*[f"{s}/{kind}/0001.png" for s in ("x", "y") for kind in ("input", "reference")])
    assert names(find_demo_pairs(folder)) == [("x_0001", "x"), ("y_0001", "y")]


def test_a_prefixed_name_never_takes_that_of_another(touch):
    folder = touch(
        *[f"{s}/{kind}/0001.png" for s in ("x", "y") for kind in ("input", "reference")],
        *[f"a/{kind}/x_0001.png" for kind in ("input", "reference")],
    )
    assert [name for name, _ in names(find_demo_pairs(folder))] == ["x_0001", "x_0001_2", "y_0001"]


def test_what_has_no_partner_is_left_out_and_named(touch):
    found = find_demo_pairs(touch("input/a.png", "reference/a.png", "input/b.png", "reference/c.png"))
    assert found.left_out == (
        "reference/c.png: there is no input of this name",
        "input/b.png: there is no reference of this name",
    )


def test_other_files_and_hidden_ones_are_no_images(touch):
    found = find_demo_pairs(touch("input/a.png", "reference/a.png", "input/notes.txt", "input/._a.png"))
    assert (len(found.pairs), found.left_out) == (1, ())


@pytest.mark.parametrize("paths", [(), ("input/a.png", "reference/b.png"), ("a.png",)])
def test_a_folder_without_pairs_is_an_error_that_says_what_is_needed(touch, paths):
    with pytest.raises(InputError, match="it must hold input/ and reference/"):
        find_demo_pairs(touch(*paths))


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        find_demo_pairs(tmp_path / "nowhere")
