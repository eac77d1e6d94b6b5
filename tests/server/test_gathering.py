"""Files on their way, in a folder of this machine and elsewhere: any host goes on with what another has begun."""

import hashlib
import uuid

import pytest

from raim.errors import ContentMismatchError, StateError
from raim.server.gathering import (
    drop_gathered,
    gather,
    gathered_bytes,
    keep_gathered,
    list_gathered,
)
from raim.server.storage import open_storage, read_stored_file

CONTENT = bytes(range(250)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KEY = "k" * 48


@pytest.fixture(params=["file", "elsewhere"])
def url(request, tmp_path):
    return (tmp_path / "files").as_uri() if request.param == "file" else f"memory://{uuid.uuid4()}"


def add(storage, start, stop):
    return gather(storage, KEY, start, CONTENT[start:stop], n_bytes=len(CONTENT))


def test_one_host_begins_and_another_goes_on(url):
    one, other = open_storage(url), open_storage(url)
    assert gathered_bytes(one, KEY) == 0
    assert add(one, 0, 3000) == 3000
    assert gathered_bytes(other, KEY) == 3000
    assert add(other, 3000, 5000) == 5000
    assert add(one, 5000, 5000) == 5000  # a piece of nothing
    assert add(one, 5000, len(CONTENT)) == len(CONTENT)
    assert list_gathered(other) == {KEY}
    keep_gathered(other, KEY, n_bytes=len(CONTENT), sha256=SHA256)
    assert b"".join(read_stored_file(one, SHA256)) == CONTENT
    assert list_gathered(one) == set()


def test_who_goes_on_lists_no_pieces_again(monkeypatch):
    storage, listed = open_storage(f"memory://{uuid.uuid4()}"), []
    system = type(storage.system)
    look = system.ls
    monkeypatch.setattr(
        system, "ls", lambda *given, **options: listed.append(given) or look(*given, **options)
    )
    end = gather(storage, KEY, 0, CONTENT[:100], n_bytes=len(CONTENT))
    for _ in range(5):
        end = gather(storage, KEY, end, CONTENT[end : end + 100], n_bytes=len(CONTENT), goes_on=True)
    assert len(listed) == 1
    assert gathered_bytes(storage, KEY) == end == 600


def test_another_place_than_the_end_is_refused(url):
    storage = open_storage(url)
    add(storage, 0, 100)
    for start in (0, 50, 200):
        with pytest.raises(StateError, match="has 100 bytes"):
            add(storage, start, 300)
    with pytest.raises(ContentMismatchError, match="more than the promised 9999 bytes"):
        gather(storage, KEY, 100, CONTENT, n_bytes=9999)
    drop_gathered(storage, KEY)
    drop_gathered(storage, KEY)
    assert gathered_bytes(storage, KEY) == 0


@pytest.mark.parametrize("sent", [CONTENT[:-1] + b"?", CONTENT[:-1]])
def test_another_file_than_was_promised_is_dropped(url, sent):
    storage = open_storage(url)
    gather(storage, KEY, 0, sent, n_bytes=len(CONTENT))
    with pytest.raises(ContentMismatchError, match=r"was promised|of the promised"):
        keep_gathered(storage, KEY, n_bytes=len(CONTENT), sha256=SHA256)
    assert list_gathered(storage) == set()


def test_pieces_that_a_host_that_died_left_behind_are_in_nobodys_way():
    storage = open_storage(f"memory://{uuid.uuid4()}")
    add(storage, 0, 1000)
    place = f"{storage.root}/uploads/{KEY}"
    storage.system.pipe_file(
        f"{place}/{1500:015d}", CONTENT[1500:2500]
    )  # of a request that was cut off before it
    assert gathered_bytes(storage, KEY) == 1000
    add(storage, 1000, 1600)
    add(storage, 1600, len(CONTENT))
    keep_gathered(storage, KEY, n_bytes=len(CONTENT), sha256=SHA256)
    assert b"".join(read_stored_file(storage, SHA256)) == CONTENT
