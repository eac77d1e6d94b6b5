import json
import pickle

import pytest

from raim.errors import UnknownNameError
from raim.scoring import PROFILES, find_profile

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
