import numpy as np
import pytest

from measure_forms import replace_forms
from raim.errors import InputError, UnexpectedError, UnknownNameError, UnscorableError, WeightsMissingError
from raim.metrics import dists, find_measure, lpips, niqe, psnr, ssim
from raim.metrics.lpips import BACKBONES
from raim.scoring import MeasureChoice, Profile, find_profile, score_pair
from raim.scoring.cache import describe_engine, measure_definition
from raim.scoring.pairs import cut_border, match_arrays, measure_candidates

TINY = np.zeros((8, 9, 3), np.uint8)
SMALLEST = [  # height and width of the smallest image that has a value
    ("psnr", {}, 1, 1),
    ("ssim", {}, 11, 11),
    ("ms_ssim", {}, 161, 161),
    ("gmsd", {}, 6, 6),
    ("lpips", {}, 31, 31),
    ("lpips", {"net": "vgg16"}, 16, 16),
    ("dists", {}, 1, 1),
    ("niqe", {}, 192, 96),
]


def noise(*shape):
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def choice(name, **options):
    return MeasureChoice(name=name, options=options, weight=1, zero_at=0, one_at=1)


@pytest.mark.parametrize(("name", "options", "height", "width"), SMALLEST)
def test_the_smallest_image_has_a_value_and_a_smaller_one_a_reason(name, options, height, width):
    large = noise(height, width, 3)
    (measured,) = measure_candidates(name, options, [large], 255 - large)
    assert (measured.unscored, measured.fault) == (None, None)
    assert np.isfinite(measured.value)
    if height > 1:
        small = large[1:]
        (measured,) = measure_candidates(name, options, [small], small)
        assert (measured.value, measured.fault) == (None, None)
        assert measured.unscored.startswith(
            f"the image is {width}x{height - 1}, {find_measure(name).title} needs at least"
        )


def test_the_smallest_side_of_lpips_is_that_of_its_backbone():
    for net, backbone in BACKBONES.items():
        side = find_measure("lpips").block_px({"net": net})
        backbone.check_size(side, side)
        with pytest.raises(UnscorableError):
            backbone.check_size(side, side - 1)


def test_a_group_that_fails_is_measured_one_by_one_and_a_failure_is_its_own(monkeypatch):
    good, poison = noise(32, 32, 3), np.zeros((32, 32, 3), np.uint8)

    def fail(images, reference, **_):
        if len(images) > 2:
            raise MemoryError
        if any(image is poison for image in images):
            raise RuntimeError("shape mismatch")
        return [float(len(images)) for _ in images]

    replace_forms(monkeypatch, "dists", each_form=fail)
    found = measure_candidates("dists", {}, [good, poison, good], good)
    assert [each.value for each in found] == [1.0, None, 1.0]
    assert "RuntimeError: shape mismatch" in found[1].unscored
    assert isinstance(found[1].fault, UnexpectedError)


@pytest.mark.parametrize("name", ["psnr", "niqe"])
def test_a_fault_or_nan_of_any_measure_is_a_failure_and_no_number(monkeypatch, name):
    replace_forms(monkeypatch, name, array_form=lambda *_: float("nan"))
    image = noise(96, 192, 3)
    (measured,) = measure_candidates(name, {}, [image], image)
    assert measured.value is None
    assert isinstance(measured.fault, UnexpectedError)


def test_weights_that_are_missing_concern_all_and_end_it(monkeypatch):
    def fail(*_, **__):
        raise WeightsMissingError("run: raim weights fetch")

    replace_forms(monkeypatch, "dists", each_form=fail)
    with pytest.raises(WeightsMissingError):
        measure_candidates("dists", {}, [TINY, TINY], TINY)


def test_an_unknown_measure_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'psnr'"):
        find_measure("pnsr")


def test_a_definition_names_the_weights_that_the_options_choose():
    assert set(measure_definition(choice("lpips", net="vgg16"), 0, "cpu")["weights"]) == {
        "vgg16",
        "lpips-heads-vgg16",
    }


def test_an_engine_is_described_with_version_and_device():
    assert describe_engine("cpu").startswith("ncnn ")
    assert describe_engine("cpu", "winograd").startswith("winograd by numpy ")
    pytest.importorskip("torch", reason="the extra torch is not installed")
    assert describe_engine("cuda").endswith(" on cuda")


def test_niqe_does_not_depend_on_the_reference():
    assert not find_measure("niqe").needs_reference


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


def test_grey_against_colour_is_unscorable_with_the_way_out(quick):
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
