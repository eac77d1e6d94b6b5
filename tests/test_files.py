import errno
import os
import threading
from pathlib import Path

import pytest

from raim.errors import InputError
from raim.files import cannot_write, check_folder, check_writable, place_file


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


def test_a_link_stays_one_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    check_writable(tmp_path / "link")
    place_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_is_written_into(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    check_writable(tmp_path / "pipe")
    place_file(tmp_path / "pipe", b"all of it")
    reader.join()
    assert got == [b"all of it"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_device_stays_one():
    place_file(Path("/dev/null"), b"anything")
    assert Path("/dev/null").is_char_device()


def test_a_name_of_the_longest_kind_is_written(tmp_path):
    path = tmp_path / ("n" * 250 + ".json")
    check_writable(path)
    place_file(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("check", [check_writable, check_folder])
def test_a_name_that_is_too_long_is_said_before_the_work(tmp_path, check):
    with pytest.raises(InputError, match="cannot be written: File name too long"):
        check(tmp_path / ("n" * 300))


@pytest.mark.parametrize("check", [check_writable, check_folder])
def test_a_folder_that_may_not_be_entered_is_said_before_the_work(tmp_path, check, monkeypatch):
    def refuse(self, **_):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", refuse)  # root may enter any
    with pytest.raises(InputError, match="cannot be written: Permission denied"):
        check(tmp_path / "private" / "out.json")
