import base64
import io
import os
import pickle
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from raim.errors import WeightsFormatError
from raim.weights.pickles import LEGACY_MAGIC, read_numpy_pickle, read_torch_checkpoint

# What torch.save of torch 2 writes for {"params": {...}} with the tensors of EXPECTED, compressed.
ZIP = zlib.decompress(
    base64.b64decode(
        "eNqlVstvG0UYH7/W7jbk1dKkoYSUpwOp410/Yrd5sbRL0SKRboVkRULW1t7Gq252/e2OQ0GqFIQc6I1KCHGCXvkLkEDiwJEbHBCH"
        "3nqoOHGHCzO7sbMzqZMm2WSy8mZ+j+/zfD97TUskEcpk0L5rFI0jw2u0rC1zvmlgI9e+Y6vKMFpnru34PUA1gexvG56x6UPsHsSz"
        "tRh5YECigV3CkKt3sGX7Yt0zb3Usu1nHpuO7Xn1LFiGZzdbSZLNPdhobJqRCiKjaroFvhg9FEALCPKRrCXJvtDuQ0QQMp25oSItr"
        "iR0QtYQW24HT9xsN17bNBrZcxxc/8JqmZzavWg0swtCsDs9hGNZhpCYSFuwZjt92fbMJoy1io5VqCa10KyAeo8QJLb4D41qM8p+5"
        "36L4sxie1+FcUC8R6mw6MMFjJ28QSLwL57VEF6ZC3AsYLujwYo20GrUM+zZMh6jdYq+TR/1aXwpqlWCG0MUxXAxq7MLLWqwLr4R0"
        "r2J4TYfXa6d6bTex6cEbA7rd3yFCtmc20JBhlmgkMbwZ9pGU+xa5kT7OhTqXMOR0mP8yeJH/AiQd5FqKIC2nad6FAlPE+66z0S+i"
        "GAgUoEQEYhjKVCBGmRfCWyUUqGK4rMOVoJ9+w7ANDxYZi0VYChmWCcPsbIhawbCqw9tBNx3XMUFhMCV4h2AQhqtUFWnJHbimJamq"
        "GuLfxXBdh/c6fm5NS2duev+e+yWOEF1rA6dhAi31pyF32/U2DVzfMj2fnDNVqXJDcYRLohZ+/OfR59Q5XYMtTKGFPQu781I3bGvD"
        "2TQdrCqF47goF6mBlY/hb1I+ih9oYAyt9A3c+gSbLh0vVbly/OrX120LY9ukHrpLj8/TcyAc6GEYLTOpNJ9XlcsnMBCybq+QP6vk"
        "l6xtsh6uUkcTXz15MEn+MXmIoznWkaQq2Wd2hCpomWp9v/XRb/Q8Jw/RWmW1ZFVZPEn718Oa9xb1Mtn54bPR4BPgYC9F1ktBVfJH"
        "9pLeZaO67T+fuFQoc4juIqtbVJUKOn79M0HNuZ8u/Mr2Hz1L/0sn7f/gOkfQmb5WP2lGeLGCSN3//t3Gh4fP7zSS9wIksO+bnkUS"
        "5FODfl7Wraaq5I5YjSSXK6XyQqFarpaL5EcuS5JUKBZLclWSKyUpL1UqhfxCEHM/3/krmyU+soHLGDXb9xlN4dF9zvnvITw6GqAT"
        "7DuWQINymyeJhuAUQ/IgSrIveXmeaJCNMTzjSbQ/QHl4NHWGGfg3ScRlH4+NpgiLzaY4rMRjo1PPYr/msTKPjU4ui50ROGyBx0Yn"
        "j8V+y2OLPezTZzN6nU1z2BKvG52ZEQa7HcEOOCvRozzNgP+IgJ8+ZGuaIMz1RjJxqY8c4u7/haWiu5leRApBWvqnw9fht4WUEGKG"
        "gv3h3v8Bx3WeTQ=="
    )
)
LEGACY = zlib.decompress(
    base64.b64decode(
        "eNp9k9lu00AUhr0loYZC2Slr2ROWkDixk7C0AUopDFvNjW9QZJyhNnLtHHtSAVKl3CS0PAMXXPJqPAISFxx70tAKg6XxjM8c/9/M"
        "f2YG0hfV//V16efc+++vZssD6fkPGd8bIBStGUEQelHIQif0O+s0ir0wABETrGmc8T3GfNqhQdezA5A2LRWD7GOPdmLvE41B3gCl"
        "aOUwGLthxCBHJEvGLy9gkCeKpSQaYbAKBaL0+5xp5ROkHdlrMYgbIBUtEQM2yA4LI8ctd/rM82O1E9G3fc/vdhgN4jDqrGsqsopW"
        "IYFhpr1KIcd/UZf80GaveVCFvLUfc1p1w6joDd2oN1tVDQrpupxeH/aQ/AsGUytEIBKRR6ASmYgj2LvloAU+dRg6EKsvoy6NaHfR"
        "c5gK+0omTDPYb8IB7kBkB3EvjGkXZlxclJtzM6EHXQ47lMBkIo3gMBET5pEtN9E8yuCYCcdTRxDeXwvgxP/0Zsd6J1dQRhrCKSIP"
        "4TTXOsPgrAnnUstd238Hc1xpbNEyhiYOnf8jXjcqmlZrNAy4gOISil9MnRnCJSIO4TIXv8LgqglFa2q7dJTRCEr/qNgkQ4Vrf28H"
        "ibWqXmlocB2JChJv8FqgPTexw1qUOfUWg4oJ1c30Q/sMNRPq6WHzgi79APquDT7DYzbZoLHbPV1rGRVoIE5EXDPBiQmnxbvbHHeH"
        "wV0T7qXViB3btyOYz66GXqtW6rAw1mujXqnENe4zeGDCw7QKQRhQWMw0QNPrNaMJj1BBQIWlZEUCUUbwmCjJipa52hMGT00g/Rhv"
        "zpvktmaUTcwSlrLslrOOlJLlVC5ru3laloTx0xTmt4fK9kBot3e2vLDzGSwkCXxugO1bWxzPFMa9OMmda/8G4wskjg=="
    )
)
GRID = np.arange(6, dtype="f4").reshape(2, 3)
EXPECTED = {
    "a": GRID,
    "transposed": GRID.T,
    "column": GRID[:, 1],
    "half": np.array([0.5, 1.5], "f2"),
    "parameter": np.full((2, 2), 3, "f4"),
    "index": np.array([[7]], "i8"),
    "scalar": np.array(2.5, "f4"),
    "none": np.zeros((0, 4), "f4"),
}
FORMS = pytest.mark.parametrize("data", [ZIP, LEGACY], ids=["zip", "legacy"])
READERS = pytest.mark.parametrize("read", [read_numpy_pickle, read_torch_checkpoint], ids=["numpy", "torch"])


def dumps(tree) -> bytes:
    return pickle.dumps(tree, protocol=3)


def calling(module: str, name: str, argument: str) -> bytes:
    """Make a pickle that calls a function with one string."""
    text = argument.encode()
    string = b"X" + len(text).to_bytes(4, "little") + text
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + string + b"\x85R."


@given(
    hnp.arrays(
        hnp.floating_dtypes(endianness="<") | hnp.integer_dtypes(endianness="<", sizes=(32, 64)),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_arrays_come_back_as_they_were(array):
    for given_array in (array, np.asarray(array, order="F")):
        (found,) = read_numpy_pickle(dumps({"a": given_array}), source="a test").values()
        np.testing.assert_array_equal(found, array, strict=True)


def test_keys_of_the_levels_are_joined_in_their_order():
    tree = {"VGG16_0": {"Conv_0": {"kernel": GRID, "bias": np.zeros(2, "f4")}}, "step": np.zeros((), "i4")}
    found = list(read_numpy_pickle(dumps(tree), source="a test"))
    assert found == ["VGG16_0/Conv_0/kernel", "VGG16_0/Conv_0/bias", "step"]


@FORMS
def test_what_torch_saved_is_read(data):
    found = read_torch_checkpoint(data, source="a test")
    assert list(found) == [f"params/{name}" for name in EXPECTED]
    for name, expected in EXPECTED.items():
        array = found[f"params/{name}"]
        np.testing.assert_array_equal(array, expected, strict=True)
        assert array.flags.c_contiguous


@pytest.mark.slow
@pytest.mark.parametrize("is_zip", [True, False])
def test_what_the_installed_torch_saves_is_read(is_zip):
    torch = pytest.importorskip("torch")
    state = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=is_zip)
    found = read_torch_checkpoint(stream.getvalue(), source="a test")
    assert list(found) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy(), strict=True)


def test_reading_imports_no_torch():
    code = (
        "import sys; from raim.weights.pickles import read_torch_checkpoint as read;"
        f"read({ZIP!r}, source='a test'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@READERS
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("__builtin__", "getattr"),
        ("numpy", "load"),
        ("numpy", "ndarray.tofile"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("torch.nn.modules.container", "Sequential"),
    ],
)
def test_any_other_name_is_refused_and_said(read, module, name):
    with pytest.raises(WeightsFormatError, match=f"names {module}.{name}.*fetch it again"):
        read(calling(module, name, "echo pwned"), source="a test")


@READERS
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_no_form_of_a_pickle_brings_a_name_in(read, protocol):
    with pytest.raises(WeightsFormatError, match="system"):
        read(pickle.dumps({"a": os.system}, protocol=protocol), source="a test")


@READERS
def test_nothing_that_a_hostile_pickle_wants_happens(read, tmp_path):
    target = tmp_path / "pwned"
    data = calling(os.name, "mkdir", str(target))
    with pytest.raises(WeightsFormatError):
        read(data, source="a test")
    assert not target.exists()
    pickle.loads(data)  # noqa: S301 - shows that the pickle is one that would act
    assert target.exists()


def test_a_hostile_pickle_in_a_zip_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", calling("os", "system", "echo pwned"))
    with pytest.raises(WeightsFormatError, match=r"names os\.system"):
        read_torch_checkpoint(stream.getvalue(), source="a test")


def test_a_persistent_id_is_refused_where_none_is_expected():
    with pytest.raises(WeightsFormatError, match="outside of itself"):
        read_numpy_pickle(b"\x80\x02K\x01Q.", source="a test")


@pytest.mark.parametrize(
    "leaf",
    [
        np.array([None], object),
        np.array(["text"]),
        np.zeros(2, "f4,i4"),
        np.zeros(2, "c8"),
        1,
        [GRID],
        np.ndarray,
    ],
    ids=["objects", "text", "record", "complex", "number", "list", "type"],
)
def test_anything_but_dictionaries_of_plain_numbers_is_refused(leaf):
    with pytest.raises(
        WeightsFormatError, match=r"a test is no file of arrays .* at 'a/b', expected numbers"
    ):
        read_numpy_pickle(dumps({"a": {"b": leaf}}), source="a test")


def test_a_shape_that_lies_is_refused():
    data = dumps({"a": np.zeros(3, "f4")}).replace(b"K\x03\x85", b"K\x04\x85")
    with pytest.raises(WeightsFormatError):
        read_numpy_pickle(data, source="a test")


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((2, 3), (4, 1), 0),
        ((7,), (1,), 0),
        ((2,), (1,), 5),
        ((2,), (1,), -1),
        ((2,), (-1,), 0),
        ((2, 3), (3,), 0),
    ],
)
def test_a_tensor_outside_of_its_storage_is_refused(shape, strides, offset):
    honest = checkpoint((2,), (3,), 2)
    np.testing.assert_array_equal(read_torch_checkpoint(honest, source="a test")["a"], [2, 5])
    with pytest.raises(WeightsFormatError):
        read_torch_checkpoint(checkpoint(shape, strides, offset), source="a test")


def checkpoint(shape, strides, offset) -> bytes:
    """Make a zip checkpoint of one tensor over six elements, which may lie."""

    def numbers(*values: int) -> bytes:
        return b"(" + b"".join(b"J" + value.to_bytes(4, "little", signed=True) for value in values) + b"t"

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\x06tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + numbers(offset)[1:-1]
    tensor += numbers(*shape) + numbers(*strides) + b"\x89ccollections\nOrderedDict\n)RtR"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}" + text("a") + tensor + b"s.")
        archive.writestr("archive/data/0", GRID.tobytes())
    return stream.getvalue()


def test_another_legacy_protocol_is_refused():
    parts = [LEGACY_MAGIC, 1000, {"little_endian": True}, {}, []]
    with pytest.raises(WeightsFormatError, match="neither"):
        read_torch_checkpoint(b"".join(map(dumps, parts)), source="a test")


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (read_numpy_pickle, dumps({"a": {"b": np.arange(5, dtype="f4")}})),
        (read_torch_checkpoint, ZIP),
        (read_torch_checkpoint, LEGACY),
    ],
    ids=["numpy", "zip", "legacy"],
)
def test_every_truncation_is_refused(read, data):
    for length in range(0, len(data), 7):
        with pytest.raises(WeightsFormatError):
            read(data[:length], source="a test")
