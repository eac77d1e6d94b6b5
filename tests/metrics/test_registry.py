import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import raim
from raim.errors import InputError, UnknownNameError
from raim.metrics import MEASURES, find_measure

SOURCE = Path(raim.__file__).parent
RNG = np.random.default_rng(0)
REFERENCE = np.kron(RNG.integers(20, 230, (18, 24, 3)), np.ones((12, 12, 1))).astype(np.uint8)
RESTORED = (REFERENCE * 0.9 + RNG.normal(0, 15, REFERENCE.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", ["ms_ssim", "gmsd"])
def test_a_measure_is_named_in_three_files_at_most(name):
    naming = [
        path for path in SOURCE.rglob("*.py") if re.search(rf"\b{name}", path.read_text(), re.IGNORECASE)
    ]
    assert len(naming) <= 3, naming


@pytest.mark.parametrize("name", MEASURES)
def test_values_lie_in_the_range_of_a_record_and_move_in_its_direction(name):
    record = MEASURES[name]
    (worse, _), (better, _) = record.measure_arrays([RESTORED, REFERENCE], REFERENCE, {})
    low, high = record.value_range
    assert low <= worse <= high
    assert low <= better <= high
    if record.needs_reference:
        assert (better > worse) == record.higher_is_better
        assert better == (high if record.higher_is_better else pytest.approx(low, abs=1e-7))


@pytest.mark.parametrize("name", MEASURES)
def test_the_options_of_a_record_are_those_that_both_of_its_forms_take(name):
    record = MEASURES[name]
    for form, own in (
        (record.array_form, {"data_range", "strip_rows", "engine", "device"}),
        (record.tensor_form, set()),
    ):
        parameters = inspect.signature(form).parameters.values()
        assert {each.name for each in parameters if each.kind is each.KEYWORD_ONLY} - own == set(
            record.options
        )


def test_options_are_refused_with_the_nearest_or_what_is_expected():
    with pytest.raises(UnknownNameError, match="did you mean 'rounded_luma'"):
        find_measure("gmsd").check_options({"rounded": True})
    with pytest.raises(InputError, match="the option epsilon of psnr is -1, expected a number from 0 up"):
        find_measure("psnr").check_options({"epsilon": -1})
