import itertools
import json
import threading
import zipfile

import pytest
from sqlalchemy import select

from patience import PATIENCE_S
from raim.errors import InputError, StateError
from raim.server import database as t
from raim.server.actions.challenge_import import import_challenge
from raim.server.auditing import record_event
from raim.server.backup import make_backup, recover_backup, writing
from raim.server.backup.scope import LEFT_OUT
from raim.server.database import Base, open_database
from raim.server.database.migration import newest_version
from raim.server.storage import delete_file, has_file, open_storage, read_stored_file
from raim.server.submissions.freeing import free_refused
from server_case import NOON, dump, keep, read

LATER = NOON.replace(hour=18)
KINDS = ("sqlite", "postgresql")
RESET = ("submission", "upload", "audit_event")


@pytest.fixture
def opened():
    """Open databases that are closed at the end."""
    made = []

    def start(url):
        made.append(open_database(url))
        return made[-1]

    yield start
    for database in made:
        database.engine.dispose()


@pytest.mark.parametrize("kinds", list(itertools.product(KINDS, KINDS)), ids="-".join)
def test_everything_comes_back_on_either_database(make_server, new_settings, opened, tmp_path, kinds):
    source, target = kinds
    server, settings = make_server(source), new_settings(target)
    before = dump(server.database)
    assert [name for name, rows in before.items() if not rows] == []  # a new table belongs into `fill`
    reported = []
    manifest = make_backup(
        server.settings, tmp_path / "out.zip", now=NOON, on_progress=lambda *at: reported.append(at)
    )
    assert (manifest.database, manifest.n_rows) == (source, sum(manifest.tables.values()))
    assert reported[-1][0] == reported[-1][1] > 0
    found = recover_backup(tmp_path / "out.zip", settings, now=LATER)
    assert found.notes == ()
    database, storage = opened(settings.database_url), open_storage(settings.storage_url)
    after = dump(database)
    for name, rows in before.items():
        if name in LEFT_OUT:
            assert after[name] == []
        elif name not in RESET:
            assert after[name] == rows
    assert after["audit_event"][: len(before["audit_event"])] == before["audit_event"]
    for row in before["submission"]:
        is_here = row["state"] not in {"receiving", "abandoned"}
        assert has_file(storage, row["committed_sha256"]) == is_here
    check_starts_again(database, storage, settings.folder, before)


def check_starts_again(database, storage, folder, before):
    """See that a server finds its challenge, unchanged, and gives new rows new numbers."""
    challenge = read(folder)
    import_challenge(database, storage, LATER, challenge, scorer_version="raim-2024-1")
    rows = dump(database)
    assert [row["version"] for row in rows["data_set"]] == [row["version"] for row in before["data_set"]]
    assert rows["image"] == before["image"]
    with database.writing() as session:
        row = t.LoginAttempt(login_key="x", address="", attempted_at=LATER)
        session.add(row)
        record_event(session, LATER, "test", None, actor_id=None)
        session.flush()
        assert row.id == max(each["id"] for each in before["login_attempt"]) + 1


def test_what_was_under_way_is_set_back_without_taking_a_try(make_server, new_settings, opened, tmp_path):
    server, settings = make_server(), new_settings()
    make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    found = recover_backup(tmp_path / "out.zip", settings, now=LATER)
    assert (found.reset.n_uploads, found.reset.n_jobs) == (1, 1)
    with opened(settings.database_url).reading() as session:
        states = {name: session.get_one(t.Submission, number) for name, number in server.submissions.items()}
        lost = states.pop("receiving")
        assert (lost.state, lost.takes_try) == ("abandoned", False)
        assert "recovered from a backup of 2026-03-31 12:00 UTC" in lost.error
        upload = session.scalars(select(t.Upload).where(t.Upload.submission_id == lost.id)).one()
        assert upload.aborted_at == LATER
        assert states.pop("scoring").state == "queued"
        assert {name: row.state for name, row in states.items()} == {name: name for name in states}
        assert session.scalars(select(t.Submission.lease_owner)).all() == [None] * 10
        assert session.scalars(select(t.ApiToken.revoked_at)).all() == [None]
        last = session.scalars(select(t.AuditEvent).order_by(t.AuditEvent.id.desc())).first()
        assert (last.action, last.details["made_at"]) == ("recover backup", NOON.isoformat())


def test_packs_of_tiles_stay_out_of_a_backup_and_are_made_again(make_server, new_settings, opened, tmp_path):
    server, settings = make_server(), new_settings()
    pack = keep(open_storage(server.settings.storage_url), b"tiles")
    with server.database.writing() as session:
        row = session.scalars(select(t.StudyImage)).one()
        row.pack_sha256, row.pack_bytes, row.pack, row.made_at = pack, 5, {"width": 9}, NOON
    manifest = make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    assert pack not in {member.sha256 for member in manifest.files} | set(manifest.missing)
    recover_backup(tmp_path / "out.zip", settings, now=LATER)
    with opened(settings.database_url).reading() as session:
        row = session.scalars(select(t.StudyImage)).one()
        assert (row.pack_sha256, row.pack_bytes, row.made_at, row.error) == (None, None, None, None)
        assert (row.pack, row.attempt) == ({"width": 9}, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_shows_one_moment_while_others_write(make_server, new_settings, tmp_path, monkeypatch, kind):
    server, settings = make_server(kind), new_settings()
    n_events = len(dump(server.database)["audit_event"])
    add_table = writing._add_table

    def write_more():
        with server.database.writing() as session:
            session.add(t.LoginAttempt(login_key="y", address="", attempted_at=NOON))
            record_event(session, NOON, "test", None, actor_id=None)

    def disturbed(*arguments):
        writer = threading.Thread(target=write_more)
        writer.start()
        writer.join(PATIENCE_S)
        assert not writer.is_alive()
        return add_table(*arguments)

    monkeypatch.setattr(writing, "_add_table", disturbed)
    make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    assert len(dump(server.database)["audit_event"]) > n_events + 10
    recover_backup(tmp_path / "out.zip", settings, now=LATER)
    database = open_database(settings.database_url)
    after = dump(database)
    database.engine.dispose()
    n_more = sum(1 for row in after["login_attempt"] if row["login_key"] == "y")
    assert sum(1 for row in after["audit_event"] if row["action"] == "test") == 1 + n_more
    assert n_more <= 1  # written before the first row was read


def test_missing_and_damaged_files_are_reported_and_the_rest_is_kept(make_server, new_settings, tmp_path):
    server, settings = make_server(), new_settings()
    gone = keep(server.storage, b"the zip of scored" * 1000)
    delete_file(server.storage, gone)
    with server.database.reading() as session:
        image = session.scalars(select(t.Image)).first()
    place = server.folder / "files" / "sha256" / image.input_sha256[:2] / image.input_sha256
    place.write_bytes(b"damaged")
    manifest = make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    assert set(manifest.missing) == {gone, image.input_sha256}
    assert "there is no file" in manifest.missing[gone]
    assert "what lies in the storage has the SHA-256" in manifest.missing[image.input_sha256]
    found = recover_backup(tmp_path / "out.zip", settings, now=LATER)
    assert len(found.notes) == 3
    assert f"{image.input_name} is missing: put it back before the server starts" in found.notes[2]
    storage = open_storage(settings.storage_url)
    assert not has_file(storage, gone)
    assert not has_file(storage, image.input_sha256)


def test_a_data_set_that_lay_elsewhere_is_laid_into_the_folder(make_server, new_settings, tmp_path):
    server, settings = make_server(), new_settings()
    (server.folder / "data" / "feedback-pairs").rename(tmp_path / "far")
    text = (server.folder / "challenge.toml").read_text()
    changed = text.replace('"data/feedback-pairs"', f'"{tmp_path / "far"}"')
    (server.folder / "challenge.toml").write_text(changed)
    import_challenge(server.database, server.storage, NOON, read(server.folder), scorer_version="raim-2024-1")
    make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    (tmp_path / "far").rename(tmp_path / "farther")
    found = recover_backup(tmp_path / "out.zip", settings, now=LATER)
    assert "'feedback-pairs' lay in" in found.notes[0]
    (settings.folder / "challenge.toml").write_text(text)
    assert len(read(settings.folder).data_sets) == 4


def test_the_secret_is_in_it_only_when_asked_for(make_server, new_settings, tmp_path):
    server = make_server()
    server.settings.secret_key_file.write_text("s" * 64)
    make_backup(server.settings, tmp_path / "without.zip", now=NOON)
    make_backup(server.settings, tmp_path / "with.zip", now=NOON, with_secret=True)
    for name, there in (("without", False), ("with", True)):
        settings = new_settings(name=name)
        recover_backup(tmp_path / f"{name}.zip", settings, now=LATER)
        assert settings.secret_key_file.exists() == there
    assert settings.secret_key_file.read_text() == "s" * 64
    assert settings.secret_key_file.stat().st_mode & 0o777 == 0o600


def test_a_backup_is_readable_by_its_owner_only_and_by_any_zip_tool(make_server, tmp_path):
    server = make_server()
    make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    assert (tmp_path / "out.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert json.loads(archive.read("manifest.json"))["schema"] == newest_version()
    assert "challenge/challenge.toml" in names
    assert "challenge/data/feedback-pairs/manifest.csv" in names
    assert not any("login_session" in name or "secret" in name for name in names)
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".part")] == []
    texts = [name for name in names if name.startswith("challenge/")]
    assert not any(name.endswith(".png") for name in texts)


def test_a_stored_file_comes_back_byte_by_byte(make_server, new_settings, tmp_path):
    server, settings = make_server(), new_settings()
    content = b"the zip of scored" * 1000
    make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    recover_backup(tmp_path / "out.zip", settings, now=LATER)
    assert (
        b"".join(read_stored_file(open_storage(settings.storage_url), keep(server.storage, content)))
        == content
    )


def test_a_backup_replaces_nothing(make_server, tmp_path):
    server = make_server()
    (tmp_path / "out.zip").write_text("precious")
    with pytest.raises(InputError, match="is there already"):
        make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    assert (tmp_path / "out.zip").read_text() == "precious"
    with pytest.raises(InputError, match="there is no folder"):
        make_backup(server.settings, tmp_path / "no" / "out.zip", now=NOON)


def test_a_full_disk_leaves_no_half_backup(make_server, tmp_path, monkeypatch):
    server = make_server()

    def full(_manifest):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "format_backup_manifest", full)
    with pytest.raises(InputError, match="No space left on device; free some space"):
        make_backup(server.settings, tmp_path / "out.zip", now=NOON)
    assert [each.name for each in tmp_path.glob(".*")] == []
    assert not (tmp_path / "out.zip").exists()


def test_where_no_server_has_run_there_is_no_backup(new_settings, tmp_path):
    with pytest.raises(StateError, match="has a server run in"):
        make_backup(new_settings(), tmp_path / "out.zip", now=NOON)


def test_an_empty_database_is_no_server(make_server, tmp_path, monkeypatch):
    server = make_server()
    Base.metadata.drop_all(server.database.engine)
    with server.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(StateError, match="has the schema None, this version of raim s0"):
        make_backup(server.settings, tmp_path / "out.zip", now=NOON)


def test_a_freed_file_is_missed_by_no_backup_and_stays_freed(make_server, new_settings, opened, tmp_path):
    server, settings = make_server(), new_settings()
    (freed,) = free_refused(server.database, server.storage, LATER, before=LATER)
    manifest = make_backup(server.settings, tmp_path / "out.zip", now=LATER)
    assert manifest.missing == {}
    assert freed.sha256 not in {member.sha256 for member in manifest.files}
    recover_backup(tmp_path / "out.zip", settings, now=LATER)
    assert not has_file(open_storage(settings.storage_url), freed.sha256)
    with opened(settings.database_url).reading() as session:
        assert session.get_one(t.Submission, server.submissions["refused"]).freed_at == LATER
