"""Restored images out of zips that lie elsewhere."""

import hashlib
import io
import zipfile

import pytest

from raim.errors import SubmissionError, UnknownNameError
from raim.server.storage import open_storage, put_file
from raim.server.submissions.restored import find_restored, list_restored, note_restored, read_restored

IMAGES = {f"{number:04d}": bytes([number]) * 5000 for number in range(20)}


@pytest.fixture
def packed(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, (name, pixels) in enumerate(IMAGES.items()):
            archive.writestr(
                f"{name}.png", pixels, zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            )
        archive.writestr("readme.txt", "x")
    path = tmp_path / "sent.zip"
    path.write_bytes(content.getvalue())
    return path


def test_of_a_zip_that_lies_elsewhere_only_the_image_is_fetched(challenge, packed, monkeypatch):
    storage, content = open_storage("memory://elsewhere"), packed.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    put_file(storage, [content], n_bytes=len(content), sha256=sha256)
    fetched, cat = [], storage.system.cat_file
    monkeypatch.setattr(
        storage.system,
        "cat_file",
        lambda *args, **options: fetched.append(options["end"] - options["start"]) or cat(*args, **options),
    )
    with challenge.database.writing() as session:
        number = challenge.submit(session).id
        for _ in range(2):  # a check that is repeated notes nothing twice
            note_restored(session, number, list_restored(packed))
    with challenge.database.reading() as session:
        places = {name: find_restored(session, number, name) for name in IMAGES}
        with pytest.raises(UnknownNameError, match="no image 'readme'"):
            find_restored(session, number, "readme")
    assert {name: read_restored(storage, sha256, place) for name, place in places.items()} == IMAGES
    assert fetched == [place.packed_bytes for place in places.values()]
    assert places["0003"].sha256 == hashlib.sha256(IMAGES["0003"]).hexdigest()


def test_a_zip_that_is_another_than_was_checked_is_found_out(challenge, packed):
    content = packed.read_bytes()
    storage, other = open_storage("memory://elsewhere"), content.replace(b"\2" * 5000, b"\3" * 5000)
    sha256 = hashlib.sha256(other).hexdigest()
    put_file(storage, [other], n_bytes=len(other), sha256=sha256)
    with challenge.database.writing() as session:
        number = challenge.submit(session).id
        note_restored(session, number, list_restored(packed))
        place = find_restored(session, number, "0002")
    with pytest.raises(SubmissionError, match="checksum"):
        read_restored(storage, sha256, place)
