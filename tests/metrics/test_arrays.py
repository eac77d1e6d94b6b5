import inspect

import numpy as np
import pytest

from raim.errors import InputError
from raim.metrics.arrays import check_image, check_pair, unit_rows, white_level


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_images_of_the_stated_types_pass(dtype):
    check_image(np.zeros((2, 3, 3), dtype))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 5)), r"image has shape \(4, 5\), expected \(h, w, 3\); repeat a grey image"),
        (np.zeros((4, 5, 4)), r"shape \(4, 5, 4\)"),
        (np.zeros((0, 5, 3)), r"shape \(0, 5, 3\)"),
        (np.zeros((4, 5, 3), np.int32), "type int32, expected one of uint8, uint16, float32, float64"),
        (np.zeros((4, 5, 3), bool), "type bool"),
        (np.full((4, 5, 3), -0.25), "values from -0.25 to -0.25, expected 0 to 1"),
        (np.full((4, 5, 3), 200.0), "values from 200 to 200"),
        (np.full((4, 5, 3), np.nan), r"not numbers \(NaN\)"),
        (np.full((4, 5, 3), np.inf), "values from inf to inf"),
    ],
)
def test_all_else_is_refused_with_its_values(image, message):
    with pytest.raises(InputError, match=message):
        check_image(image)


def test_what_is_not_an_array_is_refused():
    unchecked = inspect.unwrap(check_image)  # past the test run's own checker
    with pytest.raises(InputError, match="restored is a list, expected a numpy array"):
        unchecked([[1]], name="restored")


def test_both_of_a_pair_are_checked():
    good, bad = np.zeros((2, 2, 3)), np.full((2, 2, 3), 2.0)
    with pytest.raises(InputError, match="restored has values"):
        check_pair(bad, good)
    with pytest.raises(InputError, match="reference has values"):
        check_pair(good, bad)


@pytest.mark.parametrize("data_range", [0, -1, np.nan, np.inf])
def test_white_is_positive(data_range):
    with pytest.raises(InputError, match="expected the positive value of white"):
        white_level(np.zeros((1, 1, 3), np.uint8), data_range)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float64, 1)])
def test_unit_rows_put_white_at_one(dtype, white):
    rows = unit_rows(np.full((2, 2, 3), white, dtype))
    assert rows.dtype == np.float32
    assert (rows == 1).all()
