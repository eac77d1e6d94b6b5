import numpy as np
import pytest

from measure_forms import replace_forms
from raim.errors import UnexpectedError, UnknownNameError, UnscorableError, WeightsMissingError
from raim.metrics import find_measure
from raim.metrics.lpips import BACKBONES
from raim.scoring import MeasureChoice
from raim.scoring.definitions import describe_engine, measure_definition
from raim.scoring.measures import measure_candidates

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


def test_the_smallest_side_of_lpips_is_that_of_its_trunk():
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
    pytest.importorskip("torch", reason="the extra torch is not installed")
    assert describe_engine("cuda").endswith(" on cuda")


def test_niqe_does_not_depend_on_the_reference():
    assert not find_measure("niqe").needs_reference
