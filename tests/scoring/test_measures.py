import numpy as np
import pytest

from raim.errors import UnknownNameError
from raim.scoring import MeasureChoice
from raim.scoring.definitions import describe_engine, measure_definition
from raim.scoring.measures import find_measure, measure_candidates

TINY = np.zeros((8, 9, 3), np.uint8)


def choice(name, **options):
    return MeasureChoice(name=name, options=options, weight=1, zero_at=0, one_at=1)


def test_a_window_that_does_not_fit_is_a_reason_and_no_number():
    measured = measure_candidates(choice("ssim"), [TINY], TINY)[0]
    assert measured.value is None
    assert "11" in measured.unscored


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
    assert not find_measure("niqe").has_reference
