import errno

import pytest

from raim.errors import InputError
from raim.files import cannot_write, place_file


def test_a_file_replaces_another_in_one_step(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    place_file(tmp_path / "a", b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a", b"new")]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        place_file(tmp_path / "a", b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_is_called_one(tmp_path):
    assert "free some space" in str(cannot_write(tmp_path, OSError(errno.ENOSPC, "No space left on device")))
