import numpy as np
import pytest

from measure_forms import replace_forms
from raim.errors import InputError, UnexpectedError, UnknownNameError, UnscorableError
from raim.metrics import dists, lpips, niqe, psnr, ssim
from raim.scoring import MeasureChoice, Profile, find_profile, score_pair
from raim.scoring.pairs import cut_border, match_arrays

RNG = np.random.default_rng(5)
REFERENCE = RNG.integers(0, 256, (120, 220, 3), np.uint8)
RESTORED = np.clip(REFERENCE + RNG.integers(-40, 41, REFERENCE.shape), 0, 255).astype(np.uint8)


def test_the_profile_measures_what_is_left_inside_the_border():
    scored = score_pair(RESTORED, REFERENCE, find_profile("raim-2024"), name="0001")
    x, y = RESTORED[4:-4, 4:-4], REFERENCE[4:-4, 4:-4]
    expected = {
        "psnr": psnr(x, y, colour="y", epsilon=1e-8),
        "ssim": ssim(x, y, colour="y", rounded_luma=True, clip_contrast=True),
        "lpips": lpips(x, y),
        "dists": dists(x, y),
        "niqe": niqe(x),
    }
    assert {key: scored.values[key] for key in expected} == pytest.approx(expected, abs=1e-9)
    assert scored.score == pytest.approx(find_profile("raim-2024").score(expected), abs=1e-6)
    assert (scored.name, scored.unscored) == ("0001", None)


def test_an_image_too_small_for_niqe_keeps_its_other_measures_but_has_no_score():
    scored = score_pair(RESTORED[:100, :100], REFERENCE[:100, :100], find_profile("raim-2024"))
    assert scored.values["psnr"] > 10
    assert scored.values["niqe"] is None
    assert scored.score is None
    assert "niqe" in scored.unscored


def test_a_flat_image_says_how_unsure_its_niqe_is():
    flat = REFERENCE.copy()
    flat[:, :60] = 128
    assert "flat" in score_pair(flat, flat, find_profile("raim-2024")).warnings[0]


def test_two_grey_images_are_measured_as_three_equal_channels(quick):
    grey = RESTORED[..., 0], REFERENCE[..., 0]
    colour = [np.repeat(image[..., None], 3, 2) for image in grey]
    assert score_pair(*grey, quick) == score_pair(*colour, quick)


def test_grey_against_colour_is_unscorable_with_the_mend(quick):
    with pytest.raises(
        UnscorableError, match="it is grey, its reference colour; save it with the reference's channels"
    ):
        score_pair(RESTORED[..., 0], REFERENCE, quick)


def test_sixteen_bits_against_eight_measure_the_same(quick):
    mixed = score_pair(RESTORED.astype(np.uint16) * 257, REFERENCE, quick)
    assert mixed.values == pytest.approx(score_pair(RESTORED, REFERENCE, quick).values, abs=1e-9)


def test_images_of_two_sizes_are_refused(quick):
    with pytest.raises(InputError, match="220x119, its reference 220x120"):
        score_pair(RESTORED[:-1], REFERENCE, quick)


def test_a_border_that_leaves_nothing_is_unscorable():
    with pytest.raises(UnscorableError, match="8x20; nothing is left once 4 px"):
        cut_border(np.zeros((20, 8, 3), np.uint8), 4)


def test_arrays_of_one_form_are_not_copied():
    restored, reference = match_arrays(RESTORED, REFERENCE)
    assert restored is RESTORED
    assert reference is REFERENCE


def test_a_profile_is_named_or_given(quick):
    assert score_pair(RESTORED, REFERENCE, "raim-2026-hdr").values["psnr"] > 20
    with pytest.raises(UnknownNameError, match="raim-2024"):
        score_pair(RESTORED, REFERENCE, "raim-2025")


def test_an_infinite_measure_is_shown_and_leaves_no_score():
    exact = MeasureChoice(name="psnr", weight=1, zero_at=0, one_at=50)
    profile = Profile(name="p", note="", border_px=0, measures=(exact,))
    scored = score_pair(REFERENCE, REFERENCE, profile)
    assert scored.values == {"psnr": float("inf"), "score": None}
    assert "identical to its reference" in scored.unscored
    assert not scored.failed


def test_no_weights_make_an_infinite_score():
    huge = MeasureChoice(name="psnr", weight=1e308, zero_at=0, one_at=1e-3)
    scored = score_pair(RESTORED, REFERENCE, Profile(name="p", note="", border_px=0, measures=(huge,)))
    assert (scored.score, "no finite number" in scored.unscored) == (None, True)


@pytest.mark.parametrize("name", ["raim-2024", "raim-2024-printed", "raim-2026-hdr"])
def test_no_profile_has_an_infinite_score_for_an_identical_image(name):
    scored = score_pair(REFERENCE, REFERENCE, name)
    assert scored.values["psnr"] == pytest.approx(80)  # pyiqa's epsilon
    assert np.isfinite(scored.score)


def test_a_fault_in_a_measure_of_a_pair_is_raised(quick, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("by zero")

    replace_forms(monkeypatch, "ssim", array_form=fail)
    with pytest.raises(UnexpectedError, match="ZeroDivisionError: by zero"):
        score_pair(RESTORED, REFERENCE, quick)


@pytest.mark.parametrize("dtype", [np.int64, np.float16, bool])
def test_a_type_that_is_no_image_is_refused_in_words(quick, dtype):
    with pytest.raises(InputError, match="is of type"):
        score_pair(RESTORED.astype(dtype), REFERENCE, quick)
