import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import WeightsFormatError
from raim.weights.numpy_pickle import ALLOWED as NUMPY_ALLOWED
from raim.weights.numpy_pickle import read_numpy_pickle
from raim.weights.pickles import MAX_DEPTH, MAX_MEMO, flatten, read_pickle
from raim.weights.torch_checkpoint import ALLOWED as TORCH_ALLOWED

BOTH = pytest.mark.parametrize(
    "allowed", [NUMPY_ALLOWED, TORCH_ALLOWED, {}], ids=["numpy", "torch", "nothing"]
)


def read(data: bytes, allowed=NUMPY_ALLOWED):
    return read_pickle(data, allowed, source="a test")[0]


def calling(module: str, name: str, argument: str) -> bytes:
    """Make a pickle that calls a function with one string."""
    text = argument.encode()
    string = b"X" + len(text).to_bytes(4, "little") + text
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + string + b"\x85R."


HOSTILE = [
    ("os", "system"),
    ("posix", "system"),
    ("nt", "system"),
    ("subprocess", "Popen"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("__builtin__", "eval"),
    ("builtins", "getattr"),
    ("builtins", "__import__"),
    ("operator", "attrgetter"),
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("numpy.testing._private.utils", "runstring"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy", "ndarray.tofile"),
    ("torch", "load"),
    ("torch.hub", "load"),
    ("torch._utils", "_rebuild_sparse_tensor"),
    ("torch.storage", "_load_from_bytes"),
    ("collections", "OrderedDict.__reduce_ex__"),
    ("copyreg", "_reconstructor"),
    ("pickle", "loads"),
]


@BOTH
@pytest.mark.parametrize(("module", "name"), HOSTILE)
def test_a_pickle_that_names_a_callable_is_refused_and_the_name_said(module, name, allowed):
    with pytest.raises(WeightsFormatError, match=f"{module}.{name}.*nothing was executed"):
        read(calling(module, name, "echo pwned"), allowed)


@BOTH
def test_nothing_a_hostile_pickle_wants_happens(tmp_path: Path, allowed):
    target = tmp_path / "pwned"
    data = calling(os.name, "mkdir", str(target))
    with pytest.raises(WeightsFormatError):
        read(data, allowed)
    assert not target.exists()
    pickle.loads(data)  # noqa: S301 - shows that the pickle is one that would act
    assert target.exists()


@pytest.mark.parametrize("protocol", [4, 5])
def test_other_opcodes_cannot_bring_a_name_in(protocol):
    with pytest.raises(WeightsFormatError, match="opcode"):
        read(pickle.dumps(os.system, protocol=protocol))


def test_protocol_0_is_refused():
    with pytest.raises(WeightsFormatError, match="opcode"):
        read(pickle.dumps({"a": 1}, protocol=0))


def test_an_instance_opcode_is_refused():
    with pytest.raises(WeightsFormatError, match="opcode INST"):
        read(b"(ios\nsystem\n.")


def test_an_extension_code_is_refused():
    with pytest.raises(WeightsFormatError, match="opcode EXT1"):
        read(b"\x80\x02\x82\x01.")


def test_an_allowed_stand_in_cannot_be_misused_as_a_callable():
    for argument in ("O", "object", "V8", "i4,O", "U5"):
        with pytest.raises(WeightsFormatError):
            read(calling("numpy", "dtype", argument))
    with pytest.raises(WeightsFormatError):
        read(calling("numpy.core.multiarray", "_reconstruct", "x"))


def test_a_persistent_id_is_refused_where_none_is_expected():
    with pytest.raises(WeightsFormatError, match="outside of itself"):
        read(b"\x80\x02K\x01Q.")


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 10_000])
def test_deep_nesting_is_refused(depth):
    for nested in (b")" + b"\x85" * depth, b"]" * depth + b"a" * (depth - 1)):  # tuples, lists
        with pytest.raises(WeightsFormatError, match="deep"):
            read(b"\x80\x02" + nested + b".", {})


def test_nesting_hidden_by_the_memo_is_refused():
    nested = b")" + b"".join(b"\x85q\x01h\x01\x86" for _ in range(MAX_DEPTH))
    with pytest.raises(WeightsFormatError):
        read(b"\x80\x02" + nested + b".", {})


def test_allowed_nesting_is_read():
    tree: object = 1
    for _ in range(MAX_DEPTH - 1):
        tree = {"a": tree}
    assert read(pickle.dumps(tree, protocol=2), {}) == tree


def test_a_wide_dictionary_is_not_deep():
    wide = {str(i): (i, i) for i in range(3000)}
    assert read(pickle.dumps(wide, protocol=2), {}) == wide


def test_a_huge_memo_index_is_refused():
    with pytest.raises(WeightsFormatError, match="memo"):
        read(b"\x80\x02}r" + (MAX_MEMO + 1).to_bytes(4, "little") + b".", {})


def test_too_many_opcodes_are_refused(monkeypatch):
    monkeypatch.setattr("raim.weights.pickles.MAX_OPCODES", 1000)
    with pytest.raises(WeightsFormatError, match="opcodes"):
        read(b"\x80\x02" + b"N" * 1001 + b".", {})


def test_a_claimed_length_beyond_the_end_is_refused():
    with pytest.raises(WeightsFormatError):
        read(b"\x80\x02B\xff\xff\xff\x7fabc.", {})


@given(st.binary(max_size=200))
def test_random_bytes_raise_the_stated_error_only(data):
    try:
        read(b"\x80\x02" + data, TORCH_ALLOWED)
    except WeightsFormatError:
        return


SAMPLE = pickle.dumps({"layer": {"kernel": np.ones((2, 3), np.float32)}}, protocol=3)


@given(st.data())
def test_a_changed_pickle_gives_arrays_or_the_stated_error(data):
    changed = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        arrays = read_numpy_pickle(bytes(changed), source="a test")
    except WeightsFormatError:
        return
    assert all(type(array) is np.ndarray and array.dtype.kind in "fi" for array in arrays.values())


def test_a_dictionary_within_itself_is_refused():
    endless: dict = {}
    endless["a"] = endless
    with pytest.raises(WeightsFormatError, match="dict"):
        flatten(read(pickle.dumps(endless, protocol=2), {}), int, source="a test")


def test_a_dictionary_that_multiplies_is_refused():
    laugh: dict = {"a": 1}
    for _ in range(25):
        laugh = {"a": laugh, "b": laugh}
    with pytest.raises(WeightsFormatError, match="dict"):
        flatten(read(pickle.dumps(laugh, protocol=2), {}), int, source="a test")


def test_leaves_keep_their_order():
    assert list(flatten({"b": 1, "a": {"z": 2, "y": 3}}, int, source="a test")) == ["b", "a/z", "a/y"]
