import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from raim.errors import WeightsFormatError
from raim.weights.numpy_pickle import read_numpy_pickle


def dumps(tree) -> bytes:
    return pickle.dumps(tree, protocol=3)


@given(
    hnp.arrays(
        hnp.floating_dtypes(endianness="<") | hnp.integer_dtypes(endianness="<", sizes=(32, 64)),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_arrays_come_back_as_numpy_itself_would_read_them(array):
    for given_array in (array, np.asarray(array, order="F")):
        (found,) = read_numpy_pickle(dumps({"a": given_array}), source="a test").values()
        np.testing.assert_array_equal(found, array, strict=True)


def test_keys_of_the_levels_are_joined():
    tree = {"VGG16_0": {"Conv_0": {"bias": np.zeros(2, "f4")}}, "step": np.zeros((), "i4")}
    assert list(read_numpy_pickle(dumps(tree), source="a test")) == ["VGG16_0/Conv_0/bias", "step"]


@pytest.mark.parametrize(
    "array",
    [
        np.array([print], object),
        np.array(["text"]),
        np.zeros(2, ">f4"),
        np.zeros(2, "f4,i4"),
        np.zeros(2, "c8"),
    ],
    ids=["objects", "text", "big-endian", "record", "complex"],
)
def test_anything_but_plain_numbers_is_refused(array):
    with pytest.raises(WeightsFormatError):
        read_numpy_pickle(dumps({"a": array}), source="a test")


@pytest.mark.parametrize("tree", [{"a": 1}, {"a": [np.zeros(2, "f4")]}, [1], "text", {"a": np.ndarray}])
def test_anything_but_dictionaries_of_arrays_is_refused(tree):
    with pytest.raises(WeightsFormatError, match="a test"):
        read_numpy_pickle(dumps(tree), source="a test")


def test_a_shape_that_lies_is_refused():
    data = dumps({"a": np.zeros(3, "f4")}).replace(b"K\x03\x85", b"K\x04\x85")
    with pytest.raises(WeightsFormatError, match=r"shape \(4,\) has 12 bytes"):
        read_numpy_pickle(data, source="a test")


def test_every_truncation_is_refused():
    data = dumps({"a": {"b": np.arange(5, dtype="f4")}})
    for length in range(len(data)):
        with pytest.raises(WeightsFormatError):
            read_numpy_pickle(data[:length], source="a test")
