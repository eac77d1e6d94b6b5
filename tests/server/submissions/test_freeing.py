"""Files of refused submissions are freed after a while, and no other, whatever else has the same content."""

import threading
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import select, update

import server_case
from raim.challenge import write_example
from raim.errors import StorageError
from raim.server.database import AuditEvent, DataSet, Image, StudyImage, Submission, User
from raim.server.storage import has_file, open_storage
from raim.server.submissions import freeing
from raim.server.submissions.freeing import find_freeable, free_refused
from raim.server.submissions.kept import read_kept

NOON = server_case.NOON
LATER = NOON + timedelta(days=15)
AGO = timedelta(days=14)
WHOLE = ("checking", "queued", "scoring", "scored", "accepted", "failed", "withdrawn")


@pytest.fixture(scope="module")
def example_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    write_example(folder, first_day=date(2026, 3, 1), rng=np.random.default_rng(7))
    return folder


@pytest.fixture
def storage(tmp_path):
    return open_storage((tmp_path / "files").as_uri())


@pytest.fixture
def numbers(database, storage, example_folder):
    """Fill every table; give the submissions by state."""
    return server_case.fill(database, storage, example_folder)


def content_of(database, number):
    with database.reading() as session:
        return session.get_one(Submission, number).committed_sha256


def change(database, number, **values):
    with database.writing() as session:
        session.execute(update(Submission).where(Submission.id == number).values(**values))


def free(database, storage, now=LATER, **options):
    return [each.submission_ids for each in free_refused(database, storage, now, before=now - AGO, **options)]


def everything(database):
    with database.reading() as session:
        images = session.execute(select(Image.input_sha256, Image.reference_sha256)).all()
    return {each for pair in images for each in pair if each}


def test_of_all_states_only_the_refused_one_loses_its_file_and_says_so(database, storage, numbers):
    with database.reading() as session:
        actor = session.scalars(select(User.id)).first()
    assert free(database, storage, NOON + AGO) == []
    assert free(database, storage, actor_id=actor) == [(numbers["refused"],)]
    assert not has_file(storage, content_of(database, numbers["refused"]))
    assert all(has_file(storage, content_of(database, numbers[state])) for state in WHOLE)
    assert all(has_file(storage, each) for each in everything(database))
    with database.reading() as session:
        freed = dict(session.execute(select(Submission.state, Submission.freed_at)).all())
        assert {state for state, at in freed.items() if at is not None} == {"refused"}
        assert freed["refused"] == LATER
        row = session.get_one(Submission, numbers["refused"])
        assert (row.error, row.report) == ("a reason", {"problems": [{"message": "größe"}]})
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "free file")).one()
        assert (event.subject_id, event.actor_id) == (row.id, actor)
        assert event.details == {"n_bytes": row.committed_bytes}
        assert "refused" not in read_kept(session)[None]
    assert free(database, storage) == []


@pytest.mark.parametrize("state", [*WHOLE, "receiving"])
def test_what_another_submission_has_too_is_kept(database, storage, numbers, state):
    sha256 = content_of(database, numbers[state])
    server_case.keep(storage, f"the zip of {state}".encode() * 1000)
    change(database, numbers["refused"], committed_sha256=sha256)
    assert free(database, storage) == []
    assert has_file(storage, sha256)


@pytest.mark.parametrize("column", [Image.input_sha256, Image.reference_sha256, StudyImage.pack_sha256])
def test_what_is_an_image_or_tiles_too_is_kept(database, storage, numbers, column):
    with database.writing() as session:
        if column is StudyImage.pack_sha256:
            pack = server_case.keep(storage, b"tiles")
            session.execute(update(StudyImage).values(pack_sha256=pack, pack_bytes=5))
        sha256 = session.scalars(select(column).where(column.is_not(None))).first()
    change(database, numbers["refused"], committed_sha256=sha256)
    assert free(database, storage) == []
    assert has_file(storage, sha256)


def test_a_file_that_was_refused_twice_goes_once_the_last_refusal_is_long_ago(database, storage, numbers):
    with database.writing() as session:
        first = session.get_one(Submission, numbers["refused"])
        columns = {each.name: getattr(first, each.name) for each in Submission.__table__.columns}
        del columns["id"]
        again = Submission(**columns | {"state_at": NOON + timedelta(days=3)})
        session.add(again)
        session.flush()
        ids = (first.id, again.id)
    assert free(database, storage, NOON + timedelta(days=16)) == []
    assert free(database, storage, NOON + timedelta(days=18)) == [ids]


def test_looking_frees_nothing(database, storage, numbers):
    with database.reading() as session:
        (found,) = find_freeable(session, LATER - AGO)
        data_sets = session.scalars(select(DataSet)).all()
    assert (found.submission_ids, found.n_bytes) == ((numbers["refused"],), len("the zip of refused") * 1000)
    assert has_file(storage, found.sha256)
    assert data_sets


def test_a_file_that_cannot_be_deleted_stays_one_that_is_kept(database, storage, numbers, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(storage.system, "rm_file", refuse)
    with pytest.raises(StorageError, match="cannot be deleted: Permission denied"):
        free(database, storage)
    monkeypatch.undo()
    assert free(database, storage) == [(numbers["refused"],)]


def test_an_upload_of_the_same_file_begins_only_once_it_is_gone(challenge, storage, monkeypatch):
    sha256 = server_case.keep(storage, b"nine byte")
    with challenge.database.writing() as session:
        number = challenge.submit(session, sha256=sha256).id
    change(challenge.database, number, state="refused", error="wrong", state_at=challenge.now)
    order, now = [], challenge.now + timedelta(days=1)

    def begin():
        with challenge.database.writing() as session:
            challenge.submit(session, now, sha256=sha256)
        order.append("begun")

    begins = threading.Thread(target=begin)
    delete = freeing.delete_file

    def delete_meanwhile(*given):
        begins.start()
        begins.join(0.5)
        delete(*given)
        order.append("deleted")

    monkeypatch.setattr(freeing, "delete_file", delete_meanwhile)
    freed = free_refused(challenge.database, storage, now, before=now)
    begins.join()
    assert [each.submission_ids for each in freed] == [(number,)]
    assert order == ["deleted", "begun"]
    assert free_refused(challenge.database, storage, now, before=now) == []
