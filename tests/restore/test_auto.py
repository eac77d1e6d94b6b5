import dataclasses

import numpy as np
import pytest

from raim.images import read_image
from raim.restore import find_restorer, inspect_photograph, restore
from raim.restore.auto import Rules, choose
from raim.scoring import find_profile, score_pair

SHARP = inspect_photograph(np.random.default_rng(0).random((64, 64, 3), np.float32))
CLEAN = dataclasses.replace(SHARP, noise=0.2, flat_noise=0.3, bandwidth=0.2, clipped=0.0)


def test_a_noisy_photograph_is_denoised_and_keeps_a_little_grain():
    choice = choose(dataclasses.replace(CLEAN, noise=1.0, flat_noise=3.0, bandwidth=0.7))
    assert choice.restorer == "ffdnet"
    assert choice.sigma == pytest.approx(3.0 * Rules().noise_gain)
    assert choice.share < 1
    assert "because flat places have a noise of 3.0" in choice.reason


def test_a_blurred_photograph_is_reduced_and_enlarged():
    choice = choose(CLEAN)
    assert (choice.restorer, choice.reduction) == ("enlarge", 4)
    assert "detail ends at 0.20" in choice.reason


def test_texture_of_an_enlarged_photograph_is_not_taken_for_noise():
    assert choose(dataclasses.replace(CLEAN, noise=0.1, flat_noise=2.0)).restorer == "enlarge"


def test_a_sharp_clean_photograph_is_left_as_it_is():
    choice = choose(dataclasses.replace(CLEAN, bandwidth=0.9))
    assert choice.restorer == "identity"
    assert "because it is sharp" in choice.reason


def test_the_noise_level_stays_in_what_the_net_was_trained_on():
    assert choose(dataclasses.replace(CLEAN, noise=60.0, flat_noise=60.0)).sigma == 75


def test_it_says_what_it_measured_and_why_it_chose():
    image = np.full((64, 64, 3), 99, np.uint8)
    image[::2] = 180
    result = restore(image, "auto")
    assert len(result.notes) == 1
    assert "measured: 64x64, noise sigma" in result.notes[0]


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("scenario", "name", "gain"),
    [("out_of_focus", "lytro_14", 30), ("denoise", "polyu_Canon5D2_5_160_6400_reciever_2", 20)],
)
def test_it_raises_the_score_of_real_photographs(shared, scenario, name, gain):
    folder = shared / "data" / "paired" / scenario
    before, reference = (
        read_image(next((folder / part).glob(f"{name}.*"))).pixels for part in ("input", "reference")
    )
    after = restore(before, find_restorer("auto"), threads=1).pixels
    profile = find_profile("raim-2024")
    assert score_pair(after, reference, profile).score - score_pair(before, reference, profile).score > gain
