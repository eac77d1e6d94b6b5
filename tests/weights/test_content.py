import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import WeightsTamperedError
from raim.weights.content import content_sha256, read_tensors, write_tensors

TENSORS = {
    "kernel": np.arange(24, dtype="f4").reshape(2, 3, 2, 2),
    "half": np.array([1.5, -2], "f2"),
    "double": np.eye(3),
    "index": np.array([[1, 2]], "i8"),
    "scalar": np.array(2.5, "f4"),
    "none": np.zeros((0, 3), "f4"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "set" / "a.safetensors"
    write_tensors(target, TENSORS)
    return target


def test_what_was_written_is_read(path):
    found = read_tensors(path, content=content_sha256(TENSORS))
    assert set(found) == set(TENSORS)
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
        assert type(found[name]) is np.ndarray


def test_the_library_reads_the_same_file(path):
    for name, array in safetensors.numpy.load_file(path).items():
        np.testing.assert_array_equal(array, TENSORS[name], strict=True)


def test_arrays_cannot_be_written_to(path):
    found = read_tensors(path, content=content_sha256(TENSORS))
    with pytest.raises(ValueError, match="read-only"):
        found["kernel"][0] = 0


def test_the_hash_is_of_names_types_shapes_and_values_in_sorted_order():
    digest = hashlib.sha256(b"a\0<f4\0(2,)\0" + bytes(8) + b"b\0<f8\0()\0" + bytes(8)).hexdigest()
    assert content_sha256({"b": np.zeros((), "f8"), "a": np.zeros(2, "f4")}) == digest


@given(st.permutations(list(TENSORS)))
def test_the_hash_does_not_depend_on_the_order(names):
    assert content_sha256({name: TENSORS[name] for name in names}) == content_sha256(TENSORS)


def test_the_hash_sees_every_change():
    changed = [
        {**TENSORS, "kernel": TENSORS["kernel"].reshape(3, 2, 2, 2)},
        {**TENSORS, "half": TENSORS["half"].view("i2")},
        {**TENSORS, "half": np.array([1.5, -2.002], "f2")},
        {("Kernel" if name == "kernel" else name): array for name, array in TENSORS.items()},
        {name: array for name, array in TENSORS.items() if name != "none"},
    ]
    assert len({content_sha256(tensors) for tensors in [TENSORS, *changed]}) == 6


def test_a_changed_byte_among_the_values_is_refused_and_the_file_named(path):
    whole = path.read_bytes()
    for place in range(8 + int.from_bytes(whole[:8], "little"), len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(WeightsTamperedError, match=path.name):
            read_tensors(path, content=content_sha256(TENSORS))


def test_a_changed_byte_in_the_header_changes_nothing_or_is_refused(path):
    whole, rng = path.read_bytes(), np.random.default_rng(7)
    for place in range(8 + int.from_bytes(whole[:8], "little")):
        path.write_bytes(whole[:place] + rng.bytes(1) + whole[place + 1 :])
        try:
            found = read_tensors(path, content=content_sha256(TENSORS))
        except WeightsTamperedError:
            continue
        assert content_sha256(found) == content_sha256(TENSORS)


def test_every_truncation_is_refused(path):
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsTamperedError, match="delete it"):
            read_tensors(path, content=content_sha256(TENSORS))
