import errno
import hashlib
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raim.errors import ContentMismatchError, InputError, StorageError, StorageFullError
from raim.server.storage import (
    delete_file,
    free_bytes,
    has_file,
    open_storage,
    put_file,
    read_stored_file,
    sweep_incoming,
)

CONTENT = bytes(range(256)) * 10_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ACTS = {
    "has": has_file,
    "delete": delete_file,
    "read": lambda storage, name: list(read_stored_file(storage, name)),
    "put": lambda storage, name: put(storage, sha256=name),
}


@pytest.fixture(params=["file", "memory"])
def storage(request, tmp_path):
    return open_storage(
        (tmp_path / "files").as_uri() if request.param == "file" else f"memory://{uuid.uuid4()}"
    )


@pytest.fixture
def local(tmp_path):
    return open_storage((tmp_path / "files").as_uri())


def put(storage, chunks=(CONTENT,), sha256=DIGEST):
    put_file(storage, chunks, n_bytes=len(CONTENT), sha256=sha256)


def incoming(storage):
    return storage.system.ls(f"{storage.root}/incoming", detail=False)


def test_a_file_comes_back_in_pieces_and_from_any_byte(storage):
    put(storage, [CONTENT[:7], b"", CONTENT[7:]])
    pieces = list(read_stored_file(storage, DIGEST))
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) == 2**20
    assert b"".join(read_stored_file(storage, DIGEST, start=2_000_000)) == CONTENT[2_000_000:]
    assert incoming(storage) == []


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([CONTENT[:-1]], "2559999 of the promised 2560000 bytes"),
        ([CONTENT, b"x"], "more than the promised 2560000 bytes"),
        ([CONTENT[:-1], b"x"], "the SHA-256 of what was sent is"),
    ],
    ids=["short", "long", "changed"],
)
def test_what_was_not_promised_leaves_nothing(storage, chunks, message):
    with pytest.raises(ContentMismatchError, match=message):
        put(storage, chunks)
    assert not has_file(storage, DIGEST)
    assert incoming(storage) == []


def test_a_client_that_goes_away_leaves_nothing(storage):
    def chunks():
        yield CONTENT[:1000]
        raise ConnectionResetError

    with pytest.raises(StorageError):
        put(storage, chunks())
    assert not has_file(storage, DIGEST)
    assert incoming(storage) == []


def test_a_file_twice_is_one_file_and_deleting_it_again_is_no_error(storage):
    put(storage)
    put(storage)
    assert has_file(storage, DIGEST)
    delete_file(storage, DIGEST)
    delete_file(storage, DIGEST)
    assert not has_file(storage, DIGEST)
    with pytest.raises(StorageError, match="there is no file"):
        list(read_stored_file(storage, DIGEST))


@pytest.mark.parametrize("act", sorted(ACTS))
def test_no_name_but_a_hash_reaches_a_path(storage, act):
    for name in ("../../etc/passwd", "", DIGEST.upper(), DIGEST[:-1] + "/", DIGEST + "0"):
        with pytest.raises(InputError, match="named by its SHA-256"):
            ACTS[act](storage, name)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is of Linux")
def test_a_full_disk_leaves_nothing_half_written(local, monkeypatch):
    """The system's own error of a full disk, in the middle of a file."""

    class Filling:
        def __init__(self, file):
            self.file, self.full = file, Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - closed in __exit__

        def write(self, chunk):
            self.file.write(chunk)
            self.full.write(chunk)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.full.close()
            self.file.close()

    plain = local.system.open
    monkeypatch.setattr(local.system, "open", lambda path, mode: Filling(plain(path, mode)))
    with pytest.raises(StorageFullError, match="No space left on device"):
        put(local)
    monkeypatch.setattr(local.system, "open", plain)
    assert incoming(local) == []
    assert not has_file(local, DIGEST)
    put(local)


def test_an_error_while_moving_leaves_nothing(local, monkeypatch):
    def fail(*_):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(local.system, "mv", fail)
    with pytest.raises(StorageFullError, match="Disk quota exceeded"):
        put(local)
    assert incoming(local) == []


def test_a_file_that_would_not_fit_is_refused_before_it_is_read(tmp_path):
    free = free_bytes(open_storage(tmp_path.as_uri()))
    storage = open_storage(tmp_path.as_uri(), keep_free_bytes=2 * free)
    pieces = iter([CONTENT])
    with pytest.raises(StorageFullError, match="does not fit"):
        put(storage, pieces)
    assert next(pieces) == CONTENT
    assert free_bytes(open_storage(f"memory://{uuid.uuid4()}")) is None


def test_what_a_killed_process_left_is_swept(local):
    old, new = (Path(local.root, "incoming", name) for name in ("old", "new"))
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (time.time() - 7200,) * 2)
    assert sweep_incoming(local, before=datetime.now(UTC) - timedelta(hours=1)) == 1
    assert incoming(local) == [str(new)]


def test_a_place_without_empty_folders_as_s3_has_nothing_to_sweep(storage):
    storage.system.rm(f"{storage.root}/incoming", recursive=True)
    assert sweep_incoming(storage, before=datetime.now(UTC)) == 0


def test_a_place_that_cannot_be_opened_is_named():
    with pytest.raises(StorageError, match=r"nonsense://x cannot be opened: .*RAIM_STORAGE_URL"):
        open_storage("nonsense://x")
