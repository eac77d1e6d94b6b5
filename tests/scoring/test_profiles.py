import json
import pickle

import pytest

from raim.errors import InputError, UnknownNameError
from raim.scoring import PROFILES, MeasureChoice, Profile, find_profile

# Of the report's Table 1 no image is published; this is the formula of DESIGN section 1 written out.
VALUES = {"psnr": 28.3, "ssim": 0.81, "lpips": 0.23, "dists": 0.11, "niqe": 4.7}


def test_raim_2024_is_the_formula_that_gives_the_published_table():
    p, s, l, d, n = VALUES.values()
    expected = (
        20 * p / 50 + 15 * (s - 0.5) / 0.5 + 20 * (1 - l / 0.4) + 40 * (1 - d / 0.3) + 30 * (1 - n / 10)
    )
    assert find_profile("raim-2024").score(VALUES) == pytest.approx(expected, abs=1e-12)


def test_the_printed_variant_is_the_printed_formula_and_always_96_33_higher():
    p, s, l, d, n = VALUES.values()
    printed = 20 * p / 50 + 15 * (s - 0.5) / 0.5 + 20 * (1 - l) / 0.4 + 40 * (1 - d) / 0.3 + 30 * (1 - n) / 10
    score = find_profile("raim-2024-printed").score(VALUES)
    assert score == pytest.approx(printed, abs=1e-12)
    assert score - find_profile("raim-2024").score(VALUES) == pytest.approx(289 / 3, abs=1e-9)


def test_raim_2026_hdr_has_three_measures_on_rgb_without_a_border():
    profile = find_profile("raim-2026-hdr")
    assert profile.columns == ("psnr", "ssim", "lpips", "score")
    assert profile.border_px == 0
    assert profile.score(VALUES) == pytest.approx(30 * 28.3 / 50 + 22.5 * 0.31 / 0.5 + 30 * (1 - 0.23 / 0.4))


def test_terms_are_not_clipped():
    terrible = {"psnr": 0.0, "ssim": 0.0, "lpips": 1.0, "dists": 1.0, "niqe": 20.0}
    assert find_profile("raim-2024").score(terrible) < -100


def test_the_direction_of_each_column_follows_from_the_score():
    directions = {
        column: find_profile("raim-2024").is_higher_better(column)
        for column in find_profile("raim-2024").columns
    }
    assert directions == {
        "psnr": True,
        "ssim": True,
        "lpips": False,
        "dists": False,
        "niqe": False,
        "score": True,
    }


def test_an_unknown_profile_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'raim-2024'"):
        find_profile("raim2024")


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_printable_and_goes_to_worker_processes(name):
    profile = PROFILES[name]
    assert json.loads(json.dumps(profile.as_dict()))["border_px"] == profile.border_px
    assert pickle.loads(pickle.dumps(profile)) == profile  # noqa: S301 - our own bytes


def choice(**changes):
    return MeasureChoice(**{"name": "psnr", "weight": 1.0, "zero_at": 0.0, "one_at": 50.0, **changes})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"name": "pnsr"}, UnknownNameError, "no measure named 'pnsr'; did you mean 'psnr'"),
        (
            {"options": {"color": "y"}},
            UnknownNameError,
            "no option of psnr named 'color'; did you mean 'colour'",
        ),
        ({"options": {"colour": "luma"}}, InputError, "colour of psnr is 'luma', expected 'rgb' or 'y'"),
        ({"options": {"epsilon": -1.0}}, InputError, "epsilon of psnr is -1.0, expected a number from 0 up"),
        ({"options": {"epsilon": float("inf")}}, InputError, "expected a number from 0 up"),
        ({"options": {"epsilon": True}}, InputError, "expected a number from 0 up"),
        ({"name": "ssim", "options": {"clip_contrast": 1.0}}, InputError, "expected True or False"),
        ({"name": "dists", "options": {"net": "vgg16"}}, UnknownNameError, "no option of dists named 'net'"),
        ({"one_at": 0.0}, InputError, "zero_at and one_at of psnr are both 0"),
        ({"weight": float("nan")}, InputError, "weight of psnr is nan, expected a finite number"),
        ({"zero_at": float("-inf")}, InputError, "zero_at of psnr is -inf"),
        ({"label": "score"}, InputError, "the label of psnr is 'score'"),
        *(
            ({"label": label}, InputError, f"the label of psnr is '{label}'")
            for label in ("team", "rank", "Score", "TEAM")
        ),
        ({"weight": True}, InputError, "weight of psnr is True"),
        ({"one_at": 10**400}, InputError, "zero_at|one_at"),
        ({"label": "<b>"}, InputError, "the label of psnr is '<b>'"),
    ],
)
def test_a_choice_that_nothing_could_be_measured_by_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        choice(**changes)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("name", 5, "the name of a measure is 5"),
        ("label", 5, "the label of psnr is 5"),
        ("options", None, "the options of psnr are None, expected a mapping"),
        ("options", ["colour"], "expected a mapping"),
        ("weight", "a", "weight of psnr is 'a', expected a finite number"),
        ("zero_at", None, "zero_at of psnr is None"),
    ],
)
def test_a_choice_of_a_wrong_type_is_refused_where_no_type_checker_sees_it(name, value, message):
    made = choice()
    object.__setattr__(made, name, value)  # the type checker of the tests watches __init__
    with pytest.raises(InputError, match=message):
        made.__post_init__()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"border_px": -3}, "the border of p is -3, expected pixels, 0 or more"),
        ({"border_px": True}, "the border of p is True"),
        ({"measures": ()}, "has no measure"),
        ({"measures": (choice(), choice(options={"colour": "y"}))}, "has 'psnr' 2 times; give each a label"),
        ({"measures": (choice(label="A"), choice(label="a"))}, "has 'A' 2 times"),
    ],
)
def test_a_profile_that_nothing_could_be_measured_by_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        Profile(**{"name": "p", "note": "", "border_px": 0, "measures": (choice(),), **changes})


@pytest.mark.parametrize("name", PROFILES)
def test_the_form_of_a_profile_in_files_has_labels_only_where_there_are_some(name):
    assert all("label" not in plain for plain in find_profile(name).as_dict()["measures"])
    labelled = Profile(name="p", note="", border_px=0, measures=(choice(label="PSNR-Y"),))
    assert labelled.as_dict()["measures"][0]["label"] == "PSNR-Y"
    assert labelled.columns == ("PSNR-Y", "score")


def test_the_least_size_counts_from_inside_the_border():
    profile = find_profile("raim-2024")
    assert profile.why_too_small(200, 104) is profile.why_too_small(104, 200) is None
    assert "NIQE needs at least 2 blocks of 96x96" in profile.why_too_small(199, 104)
    assert profile.why_too_small(8, 900) == "it is 8x900; nothing is left once 4 px are cut off each side"


def test_a_negative_weight_turns_the_direction():
    assert [choice(weight=weight).higher_is_better for weight in (1.0, 0.0, -1.0)] == [True, True, False]
