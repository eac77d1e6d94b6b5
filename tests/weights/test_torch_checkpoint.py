import base64
import io
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import WeightsFormatError
from raim.weights.torch_checkpoint import LEGACY_MAGIC, read_torch_checkpoint

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


def read(data: bytes):
    return read_torch_checkpoint(data, source="a test")


@FORMS
def test_what_torch_saved_is_read(data):
    found = read(data)
    assert list(found) == [f"params/{name}" for name in EXPECTED]
    for name, expected in EXPECTED.items():
        array = found[f"params/{name}"]
        np.testing.assert_array_equal(array, expected)
        assert (array.shape, array.dtype) == (expected.shape, expected.dtype)
        assert array.flags.c_contiguous


@pytest.mark.slow
@pytest.mark.parametrize("is_zip", [True, False])
def test_what_the_installed_torch_saves_is_read(is_zip):
    torch = pytest.importorskip("torch")
    state = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=is_zip)
    found = read(stream.getvalue())
    assert list(found) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy(), strict=True)


def test_reading_imports_no_torch():
    code = (
        "import sys; from raim.weights.torch_checkpoint import read_torch_checkpoint as read;"
        f"read({ZIP!r}, source='a test'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _string(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _numbers(values) -> bytes:
    return b"(" + b"".join(map(_number, values)) + b"t"


def checkpoint(
    shape, strides, *, offset=0, claimed=6, stored=6, storage="FloatStorage", kind="storage"
) -> bytes:
    """Make a zip checkpoint of one tensor, which may lie."""
    reference = b"(" + _string(kind) + f"ctorch\n{storage}\n".encode() + _string("0") + _string("cpu")
    reference += _number(claimed) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + reference + _number(offset)
    tensor += _numbers(shape) + _numbers(strides) + b"\x89ccollections\nOrderedDict\n)RtR"
    pickled = b"\x80\x02}" + _string("a") + tensor + b"s."
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/data/0", np.arange(stored, dtype="<f4").tobytes())
    return stream.getvalue()


def test_the_honest_checkpoint_of_these_tests_is_read():
    np.testing.assert_array_equal(read(checkpoint((2, 3), (3, 1)))["a"], GRID)
    np.testing.assert_array_equal(read(checkpoint((2,), (3,), offset=2))["a"], [2, 5])


@pytest.mark.parametrize(
    "lie",
    [
        {"shape": (2, 3), "strides": (4, 1)},
        {"shape": (7,), "strides": (1,)},
        {"shape": (2,), "strides": (1,), "offset": 5},
        {"shape": (2,), "strides": (1,), "offset": -1},
        {"shape": (2,), "strides": (-1,), "offset": 3},
        {"shape": (-1,), "strides": (1,)},
        {"shape": (2, 3), "strides": (1,)},
        {"shape": (1 << 30, 1 << 30), "strides": (0, 0)},
        {"shape": (100_000,), "strides": (0,)},
        {"shape": (2, 3), "strides": (3, 1), "stored": 5},
        {"shape": (2, 3), "strides": (3, 1), "claimed": 7},
        {"shape": (2, 3), "strides": (3, 1), "kind": "module"},
        {"shape": (2, 3), "strides": (3, 1), "storage": "BFloat16Storage"},
        {"shape": (2, 3), "strides": (3, 1), "storage": "load"},
    ],
)
def test_a_tensor_that_lies_is_refused(lie):
    with pytest.raises(WeightsFormatError):
        read(checkpoint(**lie))


def test_a_member_that_inflates_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("raim.weights.torch_checkpoint.MAX_MEMBER_BYTES", 20)
    with pytest.raises(WeightsFormatError, match="larger than 20"):
        read(checkpoint((2, 3), (3, 1)))


def test_a_big_endian_checkpoint_is_refused():
    stream = io.BytesIO(checkpoint((2, 3), (3, 1)))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("archive/byteorder", "big")
    with pytest.raises(WeightsFormatError, match="big-endian"):
        read(stream.getvalue())


def test_another_legacy_protocol_is_refused():
    parts = [LEGACY_MAGIC, 1000, {"little_endian": True}, {}, []]
    with pytest.raises(WeightsFormatError, match="neither"):
        read(b"".join(pickle.dumps(part, protocol=2) for part in parts))


def test_a_whole_pickled_module_is_refused():
    data = b"\x80\x02ctorch.nn.modules.container\nSequential\n)R."
    with pytest.raises(WeightsFormatError, match="Sequential"):
        read(data)


@FORMS
def test_every_truncation_is_refused(data):
    for length in range(0, len(data), 7):
        with pytest.raises(WeightsFormatError):
            read(data[:length])


@FORMS
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5))
def test_a_changed_checkpoint_gives_arrays_or_the_stated_error(data, changes):
    changed = bytearray(data)
    for place, value in changes:
        changed[place % len(changed)] = value
    try:
        arrays = read(bytes(changed))
    except WeightsFormatError:
        return
    assert all(type(array) is np.ndarray and array.dtype.kind in "fiub" for array in arrays.values())
