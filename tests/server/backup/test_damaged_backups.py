import hashlib
import json
import random
import zipfile

import pytest
from sqlalchemy import inspect

from raim.errors import BackupError, RaimError, StateError
from raim.server.backup import recover_backup
from raim.server.database import open_database
from raim.server.storage import open_storage, put_file
from server_case import NOON, dump

POSITIONS = 60


def rewrite(path, change):
    """Change members by name, and make the manifest fit, as somebody would who means harm."""
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    manifest = json.loads(parts.pop("manifest.json"))
    change(parts, manifest)
    manifest["members"] = manifest.get("forged") or [
        {"name": name, "n_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in parts.items()
    ]
    manifest.pop("forged", None)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.writestr("manifest.json", json.dumps(manifest))


def edit_rows(table, change):
    """Change the rows of a table, as plain values."""

    def act(parts, manifest):
        name = f"tables/{table}.jsonl"
        rows = [json.loads(line) for line in parts[name].splitlines()]
        rows = change(rows) or rows
        parts[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        manifest["tables"][table] = len(rows)

    return act


def set_column(table, column, value, row=0):
    return edit_rows(table, lambda rows: rows[row].__setitem__(column, value))


def set_in_manifest(name, value):
    return lambda _parts, manifest: manifest.__setitem__(name, value)


def add_part(name, content=b"evil"):
    return lambda parts, _manifest: parts.__setitem__(name, content)


def forge(change):
    """State other members than there are."""

    def act(parts, manifest):
        members = [
            {"name": name, "n_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in parts.items()
        ]
        manifest["forged"] = change(members) or members

    return act


def move_data(parts, manifest):
    del manifest

    def act(rows):
        rows[0]["definition"]["data_sets"][0]["input"] = "../../out"

    edit_rows("challenge", act)(parts, {"tables": {}})


def check_nothing_is_left(settings):
    assert not settings.folder.exists()
    database = open_database(settings.database_url)
    assert inspect(database.engine).get_table_names() == []
    database.engine.dispose()


LIES = {
    "leaves its folder": (add_part("challenge/../../evil.md"), "which no backup has"),
    "absolute": (add_part("challenge//etc/evil.txt"), "which no backup has"),
    "backslash": (add_part("challenge/..\\evil.md"), "which no backup has"),
    "no text": (add_part("challenge/raim.db"), "which no backup has"),
    "strange": (add_part("evil"), "which no backup has"),
    "file by a path": (add_part("files/../x"), "which no backup has"),
    "newer schema": (set_in_manifest("schema", "9999"), "made with a newer raim"),
    "newer form": (set_in_manifest("format", "raim-backup/2"), "reads raim-backup/1"),
    "no time": (set_in_manifest("made_at", "yesterday"), "expected form"),
    "time without a zone": (set_in_manifest("made_at", "2026-03-31T12:00:00"), "has no zone"),
    "negative": (set_in_manifest("tables", {"team": -1}), "greater than or equal to 0"),
    "too few tables": (set_in_manifest("tables", {}), "counts other tables"),
    "wrong count": (lambda _, m: m["tables"].__setitem__("team", 9), "has 3 rows, the manifest says 9"),
    "wrong hash": (forge(lambda m: m[0].__setitem__("sha256", "0" * 64)), "was written"),
    "no hash": (forge(lambda m: m[0].__setitem__("sha256", "../evil")), "should match pattern"),
    "wrong length": (forge(lambda m: m[0].__setitem__("n_bytes", 2**60)), "bytes, not"),
    "member not there": (
        forge(lambda m: [*m, {**m[0], "name": "challenge/a.md"}]),
        "not those of its manifest",
    ),
    "named twice": (forge(lambda m: [*m, m[0]]), "names a member twice"),
    "unknown table": (
        lambda parts, m: (parts.__setitem__("tables/evil.jsonl", b""), m["tables"].__setitem__("evil", 0)),
        "tables that its schema has not",
    ),
    "version table": (
        lambda parts, m: (
            parts.__setitem__("tables/alembic_version.jsonl", b'{"version_num":"1"}\n'),
            m["tables"].__setitem__("alembic_version", 1),
        ),
        "tables that its schema has not",
    ),
    "unknown column": (set_column("team", "evil", 1), "its columns are not those"),
    "missing column": (
        edit_rows("team", lambda rows: rows[0].pop("name") and None),
        "its columns are not those",
    ),
    "text for a number": (set_column("team", "id", "1"), "which is no INTEGER"),
    "number for a truth": (set_column("team", "is_baseline", 1), "which is no BOOLEAN"),
    "huge number": (set_column("team", "challenge_id", 2**70), "do not fit"),
    "no time zone": (set_column("team", "created_at", "2026-03-31T12:00:00"), "has no zone"),
    "nobody's team": (set_column("member", "team_id", 99), "do not fit"),
    "unknown state": (set_column("team", "state", "evil"), "do not fit"),
    "key twice": (set_column("user_account", "id", 2), "do not fit"),
    "own key twice": (set_column("team", "id", 2), "two rows with one key"),
    "a circle": (set_column("team", "merged_into", 1, row=1), "refer to each other in a circle"),
    "no JSON": (lambda parts, _: parts.__setitem__("tables/team.jsonl", b"{\n" * 3), "does not fit"),
    "deep JSON": (lambda parts, _: parts.__setitem__("tables/team.jsonl", b"[" * 10**6), "does not fit"),
    "an image elsewhere": (set_column("image", "input_name", "../evil.png"), "leave its folder"),
    "images elsewhere": (move_data, "leave its folder"),
    "no data set": (set_column("challenge", "definition", {}), "says nothing of its data set"),
    "two files in one place": (
        edit_rows("image", lambda rows: rows[0].__setitem__("input_name", rows[1]["input_name"])),
        "two files for data/",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_hostile_backup_is_refused_and_leaves_nothing(backup, new_settings, lie):
    change, message = LIES[lie]
    rewrite(backup, change)
    settings = new_settings()
    with pytest.raises(BackupError, match=message):
        recover_backup(backup, settings, now=NOON)
    check_nothing_is_left(settings)


def test_the_change_alone_is_what_is_refused(backup, new_settings):
    rewrite(backup, lambda _parts, _manifest: None)
    assert recover_backup(backup, new_settings(), now=NOON).notes == ()


def test_rows_that_do_not_fit_leave_no_table_on_postgresql(backup, new_settings):
    rewrite(backup, set_column("result", "submission_id", 99))
    settings = new_settings("postgresql")
    with pytest.raises(BackupError, match=r"rows of the table result do not fit: .*violates foreign key"):
        recover_backup(backup, settings, now=NOON)
    check_nothing_is_left(settings)


def test_a_file_under_another_ones_hash_is_not_kept(backup, new_settings):
    with zipfile.ZipFile(backup) as archive:
        name = next(name for name in archive.namelist() if name.startswith("files/"))

    def swap(members):
        for member in members:
            if member["name"] == name:
                member["sha256"] = name.removeprefix("files/")

    rewrite(backup, lambda parts, manifest: (parts.__setitem__(name, b"evil"), forge(swap)(parts, manifest)))
    settings = new_settings()
    with pytest.raises(RaimError, match="SHA-256"):
        recover_backup(backup, settings, now=NOON)
    check_nothing_is_left(settings)


def test_compressed_members_are_refused(backup, new_settings):
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr("challenge/bomb.md", b"0" * 10**6, zipfile.ZIP_DEFLATED)
    with pytest.raises(BackupError, match="is compressed or encrypted"):
        recover_backup(backup, new_settings(), now=NOON)


def test_members_that_overlap_are_refused(backup, new_settings):
    content = bytearray(backup.read_bytes())
    with zipfile.ZipFile(backup) as archive:
        names = [info.filename for info in archive.infolist() if info.filename.startswith("files/")]
    first, second = (content.rindex(name.encode()) - 46 for name in names[:2])
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    backup.write_bytes(content)
    settings = new_settings()
    with pytest.raises(BackupError, match="damaged"):
        recover_backup(backup, settings, now=NOON)
    check_nothing_is_left(settings)


def test_lengths_that_the_file_cannot_have_are_refused(backup, new_settings):
    rewrite(backup, forge(lambda members: members[-1].__setitem__("n_bytes", 2**31 - 1)))
    content = bytearray(backup.read_bytes())
    with zipfile.ZipFile(backup) as archive:
        name = archive.namelist()[-2].encode()
    entry = content.rindex(name) - 46  # of the central directory; both lengths stand 20 bytes after its begin
    content[entry + 20 : entry + 28] = (2**31 - 1).to_bytes(4, "little") * 2
    backup.write_bytes(content)
    with pytest.raises(BackupError, match="longer together than the file"):
        recover_backup(backup, new_settings(), now=NOON)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(backup, new_settings):
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr("manifest.json", b"{}")
    with pytest.raises(BackupError, match="two members of one name"):
        recover_backup(backup, new_settings(), now=NOON)


def test_a_zip_without_a_manifest_and_no_zip_are_no_backup(tmp_path, new_settings):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
    with pytest.raises(BackupError, match="has no manifest"):
        recover_backup(path, new_settings(), now=NOON)
    path.write_text("text")
    with pytest.raises(BackupError, match="damaged or no backup"):
        recover_backup(path, new_settings(), now=NOON)
    with pytest.raises(BackupError, match="cannot be read: No such file"):
        recover_backup(tmp_path / "none.zip", new_settings(), now=NOON)


def test_a_backup_that_was_cut_is_refused(backup, new_settings):
    content = backup.read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 1):
        backup.write_bytes(content[:length])
        with pytest.raises(BackupError):
            recover_backup(backup, new_settings(), now=NOON)


@pytest.mark.slow
def test_a_changed_byte_anywhere_is_found_or_changes_nothing(backup, new_settings, tmp_path):
    content = backup.read_bytes()
    rng = random.Random(2024)  # noqa: S311 - of a test
    expected = None
    refused = 0
    with zipfile.ZipFile(backup) as archive:
        end = archive.start_dir
    positions = rng.sample(range(end), POSITIONS // 2) + rng.sample(range(end, len(content)), POSITIONS // 2)
    for number, position in enumerate([None, *positions]):
        changed = bytearray(content)
        if position is not None:
            changed[position] ^= 1 << rng.randrange(8)
        backup.write_bytes(changed)
        settings = new_settings(name=f"new{number}")
        try:
            recover_backup(backup, settings, now=NOON)
        except RaimError:
            check_nothing_is_left(settings)
            refused += 1
            continue
        database = open_database(settings.database_url)
        found = (
            dump(database),
            sorted(
                (path.relative_to(settings.folder).as_posix(), path.read_bytes())
                for path in settings.folder.rglob("*")
                if path.is_file()
            ),
        )
        database.engine.dispose()
        expected = expected or found
        assert found == expected
    assert refused > POSITIONS // 2


def test_a_target_that_is_not_empty_is_refused_and_left_alone(backup, new_settings):
    settings = new_settings()
    settings.folder.mkdir()
    (settings.folder / "a").write_text("precious")
    with pytest.raises(StateError, match="is not empty; a backup is recovered into a new or empty folder"):
        recover_backup(backup, settings, now=NOON)
    assert [each.name for each in settings.folder.iterdir()] == ["a"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_with_tables_is_refused_and_left_alone(backup, new_settings, kind):
    settings = new_settings(kind)
    database = open_database(settings.database_url)
    with database.engine.execution_options(raim_writes=True).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE precious (a INTEGER)")
    database.engine.dispose()
    with pytest.raises(StateError, match="already"):
        recover_backup(backup, settings, now=NOON)
    assert inspect(database.engine).get_table_names() == ["precious"]
    database.engine.dispose()
    assert not settings.folder.exists()


def test_a_storage_with_files_is_refused_and_left_alone(backup, new_settings, tmp_path):
    from dataclasses import replace

    url = (tmp_path / "elsewhere").as_uri()
    digest = hashlib.sha256(b"precious").hexdigest()
    put_file(open_storage(url), [b"precious"], n_bytes=8, sha256=digest)
    settings = replace(new_settings(), storage_url=url)
    with pytest.raises(StateError, match="is not empty; name another place for files"):
        recover_backup(backup, settings, now=NOON)
    assert (tmp_path / "elsewhere" / "sha256" / digest[:2] / digest).read_bytes() == b"precious"
    check_nothing_is_left(settings)


def test_a_secret_that_is_there_is_left_alone(backup, new_settings, tmp_path):
    from dataclasses import replace

    (tmp_path / "secret").write_text("precious")
    settings = replace(new_settings(), secret_key_file=tmp_path / "secret")
    with pytest.raises(StateError, match="move it away"):
        recover_backup(backup, settings, now=NOON)
    assert (tmp_path / "secret").read_text() == "precious"


def test_interrupting_leaves_nothing(backup, new_settings):
    def interrupt(done, _total):
        if done > 20_000:
            raise KeyboardInterrupt

    settings = new_settings()
    with pytest.raises(KeyboardInterrupt):
        recover_backup(backup, settings, now=NOON, on_progress=interrupt)
    check_nothing_is_left(settings)


def test_a_full_disk_leaves_nothing(backup, new_settings, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("raim.server.backup.data_folders._place", full)
    settings = new_settings()
    with pytest.raises(RaimError, match="No space left on device; free some space"):
        recover_backup(backup, settings, now=NOON)
    check_nothing_is_left(settings)


def test_a_database_that_cannot_be_reached_is_reported(backup, new_settings):
    from dataclasses import replace

    url = "postgresql+psycopg://nobody:secret@127.0.0.1:1/none"
    settings = replace(new_settings(), database_url=url)
    with pytest.raises(StateError, match="the database cannot be opened") as caught:
        recover_backup(backup, settings, now=NOON)
    assert "secret" not in str(caught.value)
    assert not settings.folder.exists()
