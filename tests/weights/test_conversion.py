import base64
import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from raim.errors import WeightsFormatError
from raim.weights.conversion import (
    ROOT,
    convert,
    name_convolutions,
    read_members,
    read_ncnn_rrdbnet,
    read_pickle,
    read_tfjs_maxim,
)
from raim.weights.table import ArtifactMember


def make_wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path.with_suffix(".whl"), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path.with_suffix(".whl")


def make_sdist(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path.with_suffix(".tar.gz"), "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path.with_suffix(".tar.gz")


@pytest.mark.parametrize("make", [make_wheel, make_sdist])
def test_members_are_read_in_the_order_of_the_table_and_nothing_is_unpacked(tmp_path, tiny, make):
    members = (
        ArtifactMember(path="package/model.param", sha256=""),
        ArtifactMember(path="package/model.bin", sha256=""),
    )
    artifact = make(
        tmp_path / "a", {"package/code.py": b"1/0", "package/model.bin": b"b", members[0].path: b"p"}
    )
    found = read_members(artifact, replace(tiny.weights, members=members))
    assert list(found.items()) == [("model.param", b"p"), ("model.bin", b"b")]
    assert list(tmp_path.iterdir()) == [artifact]


def test_flax_kernels_are_turned_and_heads_left_out():
    kernel = np.arange(2 * 3 * 4 * 5, dtype="f4").reshape(2, 3, 4, 5)
    tree = {
        "VGG16_0": {"Conv_0": {"kernel": kernel, "bias": np.ones(5, "f4")}},
        "NetLinLayer_0": {"Conv_0": {"kernel": np.ones((1, 1, 5, 1), "f4")}},
    }
    found = convert("flax-convolutions", {"vgg16.ckpt": pickle.dumps(tree, protocol=3)})
    assert set(found) == {"conv0.weight", "conv0.bias"}
    assert found["conv0.weight"].flags.c_contiguous
    for out, inside, row, column in np.ndindex(5, 4, 2, 3):
        assert found["conv0.weight"][out, inside, row, column] == kernel[row, column, inside, out]


# What torch.save of torch 2 writes for {"params": {...}} with the tensors of EXPECTED, compressed.
ZIP = zlib.decompress(
    base64.b64decode(
        "eNqllUtv00AQxzdx4gQDfQItpZTyTqFNY+fVQqHFQj5gJIIBKeISmcQ0Fq6dsTflISFVqlqpNzhxAvEtQJxQvwEXxIEbh4oTd07s"
        "2m1qOw2FdpWNlWR///lPPDMuyUwMoWQSta0e1IdUu1rXF7XJmorVdOOJIYld6GFgLUVfAiqz5HxDtdUFByIvIZoqR8gXKjBVbBGF"
        "dKWJdcPhKrb2qKkbtQrWTMeyK4sCB7FUqpwghx1yUp3XIO4hnGRYKr7nfckB6wpmIFFmyLXaaEJSZjEcuCsjOSozq8DJjBxZhYNr"
        "1aplGFoV65bpcHfsmmZrtZt6FXNwaEyBwxi6FOguc0QF26rpNCxHq0FPndiox+tsPVF3hXupMCNHV6FPjlD9/rU65Y9gOKrAMTdf"
        "Eqi5YMJAmB28S5DoChyXmRUY8rgTGIYVOFmOE043a9ozGPGwzWxvW+Z8K9lTbrI8jBK9CIbT1EuEZnfGu5z1NM9hOK/ABdeLU1UN"
        "1YaLW15cBQFSnsIYURgb86hLGC4rMF4mNx2ZlqnBRIDJQpowCMMkjYrk2Cpk5BiNynu8gCGrQK7ppEtyIvmm+Fb5TTi6Sx0raQDd"
        "aFVS+rFlL6i4sqjZDrlHkngtVFD/uXhq48Ov78vUPd2dbQyh4raNzXqrqIY+by5oJpbE7F6cFHLUwOxT+BklIaJ/NdCLZlsGHj3H"
        "mkXLUxKv7ucfMHSMDY16WLn24zitBfavHrrQ9UBXT2Yk8co+DHiqS7PkbY68yF4i+/0cdTTwauP1IPlhcBdH40FHvCSm/tlRYlOF"
        "xmt83bBogOQu8WaC8QRJnEJ7z3/UzTX9aXid9lSsFRvtGHsuGDsriTP7aoDOeXaj/lasVrd1h4NlOer+y7v5B7vX7wgSthvIte9o"
        "tk466IVK521Fr0li+j+z4TPF4lRBKArTxenpqXyOLwh5nucL03w+K2SKmTyfyxaFnNvm68ODiyniI+W6jFCzLZ/+SdTT5jz8HAvT"
        "/gEyECBvRVGn2RUW8Q+BoYDIF79I2+QJ6/gbuTegozCofYCEcX/XdQXwrwwK9X6Y9XdQkK3HQiwfZv0dEGS/hVlhi925R/zrfjzE"
        "ZsNx/bXbHWA/+9gO98xfUiMBuI9FuxR7SWbZ8a3WYCZaJBe6Lnupoo/s1qhi3al19YD32XtqxVmP4dzz3tk/91MZUw=="
    )
)
LEGACY = zlib.decompress(
    base64.b64decode(
        "eNp9kstu00AUhn1LAoaWcqdcwz3hEhIncZsVWaBuplxqNt4gy9ij2si1c2bGFSBFyqYR5RlYsOTVeAQkFpzJBFCFxcgz9hyPv//3"
        "PzMzPtvZzy9bP5rvvr1a78yM599NHKegtfw1TdMmrBBFVGTBPmU8LXLQcYG/gm+yVIiMBjSP0zAH45NvY1F8mNCApx8pB3MKVsuv"
        "YZEnBRNQI4Zv4izNBdSJ5VuSUeS70CBWWSpNvy4lQxbucdCnYLR8HQshmJEoWJR0glKkGbcDRt+WaRYHgua8YMG+Y6NWy29IMVwZ"
        "7lKoqU/srawIxWtVtKHur+Ka0aDf77obrjN03A0HGgtf0aSEY6T+QsDxHaIRg5hzsIlJ9DmcOIwwgoxGAhPg9ksWU0bjZ2kkbDjZ"
        "9mBFwKoHp1QCLMz5pOA0hrUETSW1pFL0dKLEzkgxkxhzOEt0qXnuMJHM8wIueHBxkQiKl3s5XPofb33Ju7yDGOMArhDzAK4q1jUB"
        "1z24sdiMNI/pe2gq1DKjbdyGPxHd/Esfur3uaDTaHMAtpOtIvy3d6jKTO+p2VyncE3Dfg9bCLY/CLGTQ/tet5HUHjjOAB0veQ+S1"
        "24rxSMBjDzqLg5EXOYUnlQTH2eyNHOgiQUNCTzrSiDUHh1jSUV/RBgKGHrglx5P1Rp7mChd61a8aVWpmVeQW7cjjqVpz/Pu5oR1t"
        "9SOz2VMcxnhhn2H/Ov4FH9rZwQ=="
    )
)
GRID = np.arange(6, dtype="f4").reshape(2, 3)
EXPECTED = {
    "a": GRID,
    "transposed": GRID.T,
    "column": GRID[:, 1],
    "index": np.array([[7]], "i8"),
    "scalar": np.array(2.5, "f4"),
    "none": np.zeros((0, 4), "f4"),
}
FORMS = pytest.mark.parametrize("data", [ZIP, LEGACY], ids=["zip", "legacy"])


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
        (found,) = read_pickle(dumps({"a": given_array})).values()
        np.testing.assert_array_equal(found, array, strict=True)


def test_keys_of_the_levels_are_joined_in_their_order():
    tree = {"VGG16_0": {"Conv_0": {"kernel": GRID, "bias": np.zeros(2, "f4")}}, "step": np.zeros((), "i4")}
    found = list(read_pickle(dumps(tree)))
    assert found == ["VGG16_0/Conv_0/kernel", "VGG16_0/Conv_0/bias", "step"]


@FORMS
def test_what_torch_saved_is_read(data):
    found = read_pickle(data)
    assert list(found) == [f"params/{name}" for name in EXPECTED]
    for name, expected in EXPECTED.items():
        array = found[f"params/{name}"]
        np.testing.assert_array_equal(array, expected, strict=True)


@pytest.mark.slow
@pytest.mark.parametrize("is_zip", [True, False])
def test_what_the_installed_torch_saves_is_read(is_zip):
    torch = pytest.importorskip("torch")
    state = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=is_zip)
    found = read_pickle(stream.getvalue())
    assert list(found) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy(), strict=True)


def test_reading_imports_no_torch():
    code = (
        "import sys; from raim.weights.conversion import read_pickle as read;"
        f"read({ZIP!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("__builtin__", "getattr"),
        ("numpy", "load"),
        ("numpy", "ndarray.tofile"),
        ("torch", "load"),
        ("torch", "HalfStorage"),
        ("torch.storage", "_load_from_bytes"),
        ("torch.nn.modules.container", "Sequential"),
    ],
)
def test_any_other_name_is_refused_and_said(module, name):
    with pytest.raises(WeightsFormatError, match=f"names {module}.{name}, which"):
        read_pickle(calling(module, name, "echo pwned"))


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_no_form_of_a_pickle_brings_a_name_in(protocol):
    with pytest.raises(WeightsFormatError, match="system"):
        read_pickle(pickle.dumps({"a": os.system}, protocol=protocol))


def test_nothing_that_a_hostile_pickle_wants_happens(tmp_path):
    target = tmp_path / "pwned"
    data = calling(os.name, "mkdir", str(target))
    with pytest.raises(WeightsFormatError):
        read_pickle(data)
    assert not target.exists()
    pickle.loads(data)  # noqa: S301 - shows that the pickle is one that would act
    assert target.exists()


def test_a_hostile_pickle_in_a_zip_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", calling("os", "system", "echo pwned"))
    with pytest.raises(WeightsFormatError, match=r"names os\.system"):
        read_pickle(stream.getvalue())


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
    np.testing.assert_array_equal(read_pickle(honest)["a"], [2, 5])
    with pytest.raises(ValueError, match=r"buffer|strides|offset"):
        read_pickle(checkpoint(shape, strides, offset))


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


RNG = np.random.default_rng(3)


def layer(n_in, n_out, size=3):
    """Make one convolution's line, bytes, weight and bias."""
    weight = RNG.normal(size=(n_out, n_in, size, size)).astype("<f2")
    bias = RNG.normal(size=n_out).astype("<f4")
    data = weight.tobytes()
    stored = b"\x47\x6b\x30\x01" + data + bytes(-len(data) % 4) + bias.tobytes()
    line = f"Convolution conv 1 1 a b 0={n_out} 1={size} 4={size // 2} 5=1 6={weight.size} -23310=1,2.0e-01"
    return line, stored, weight, bias


def test_weights_and_biases_come_back_by_name(monkeypatch):
    monkeypatch.setattr("raim.weights.conversion.name_convolutions", lambda: ["a", "b", "c"])
    # 1 x 1 x 3 x 3 is an odd number of halves, so that the padding to four bytes counts.
    layers = [layer(1, 1), layer(3, 4), layer(4, 5, 1)]
    lines = [
        "7767517",
        "5 5",
        "Input data 0 1 data",
        *(line for line, *_ in layers),
        "Concat c 2 1 a b c 0=0",
    ]
    binary = b"".join(stored for _, stored, *_ in layers)
    found = read_ncnn_rrdbnet("\n".join(lines).encode(), binary)
    for name, (_, _, weight, bias) in zip("abc", layers, strict=True):
        np.testing.assert_array_equal(found[f"{name}.weight"], weight, strict=True)
        np.testing.assert_array_equal(found[f"{name}.bias"], bias, strict=True)
    with pytest.raises(ValueError, match="zip"):
        read_ncnn_rrdbnet("\n".join(lines[:-2]).encode(), binary)


def test_rrdbnet_is_named_as_in_its_authors_checkpoints():
    names = name_convolutions()
    assert len(names) == len(set(names)) == 351
    assert names[0] == "conv_first"
    assert names[-6:] == ["body.22.rdb3.conv5", "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]


@pytest.mark.parametrize(
    ("node", "operation", "shape", "name", "turn"),
    [
        ("a/b/Conv2D", "Conv2D", (3, 3, 2, 5), "a.b.weight", lambda x: x.transpose(3, 2, 0, 1)),
        ("a/Conv2D", "Conv2D", (1, 1, 2, 5), "a.weight", lambda x: x[0, 0].T),
        (
            "a/conv2d_transpose",
            "Conv2DBackpropInput",
            (2, 2, 5, 3),
            "a.weight",
            lambda x: x.transpose(3, 2, 0, 1),
        ),
        ("a/einsum/Einsum", "Einsum", (4, 6), "a.weight", lambda x: x.T),
        ("a/jit_fn_/mul_2", "Mul", (1, 1, 1, 7), "a.weight", np.ravel),
        ("a/Conv2D_bias", "AddV2", (1, 1, 1, 7), "a.bias", np.ravel),
    ],
)
def test_a_weight_is_named_by_the_node_that_takes_it_and_turned(node, operation, shape, name, turn):
    values = RNG.normal(size=shape).astype("<f4")
    size = np.array([4, 4], "<i4")
    manifest = [
        {"name": "size", "shape": [2], "dtype": "int32"},
        {"name": "w", "shape": shape, "dtype": "float32"},
    ]
    nodes = [
        {"name": "x", "op": "Placeholder"},
        {"name": ROOT + node, "op": operation, "input": ["x", "size", "w"]},
    ]
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": manifest}]}
    stored = size.tobytes() + values.tobytes()
    found = read_tfjs_maxim(json.dumps(model).encode(), stored[:9], stored[9:])
    assert list(found) == [name]
    np.testing.assert_array_equal(found[name], turn(values))
