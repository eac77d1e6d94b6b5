"""One challenge of a backup comes to another server."""

import ast
import itertools
import re
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import JSON, func, select, update

import raim.server
from raim.errors import BackupError, RaimError, StateError, UnknownNameError
from raim.server import database as t
from raim.server.actions.accounts import appoint, register
from raim.server.actions.challenge_import import import_challenge
from raim.server.auditing import record_event
from raim.server.backup import arrival, make_backup, recover_backup, recover_challenge
from raim.server.backup.renumbering import _names
from raim.server.backup.scope import OF_SERVER, PEOPLE, _way
from raim.server.database import Base, migrate, open_database
from raim.server.settings import read_settings
from raim.server.storage import has_file, open_storage
from server_case import DIGEST, NOON, dump, fill, keep, read

LATER = NOON.replace(hour=18)
KINDS = ("sqlite", "postgresql")
ID = "my-challenge"
# What recovering sets back, or makes new.
CHANGED = {
    "challenge": {"folder", "version"},
    "submission": {"state", "state_at", "error", "takes_try", "lease_owner", "lease_until"},
    "upload": {"aborted_at", "updated_at"},
    "user_account": {"login", "login_key"},
}


@pytest.fixture
def opened():
    """Open servers that are closed at the end."""
    made = []

    def start(settings):
        database = open_database(settings.database_url)
        made.append(database)
        migrate(database.engine)
        storage = open_storage(settings.storage_url)
        return SimpleNamespace(settings=settings, database=database, storage=storage, folder=settings.folder)

    yield start
    for database in made:
        database.engine.dispose()


@pytest.fixture
def other_server(new_settings, example_files, opened):
    """Make a server with another challenge, full of rows whose keys and logins are mostly those of the first one."""

    def make(kind="sqlite"):
        settings = new_settings(kind, "other")
        shutil.copytree(example_files, settings.folder / "second")
        file = settings.folder / "second" / "challenge.toml"
        file.write_text(file.read_text().replace(f'id = "{ID}"', 'id = "second"'))
        server = opened(settings)
        fill(server.database, server.storage, settings.folder / "second")
        with server.database.writing() as session:
            for table, column in ((t.JudgeLink, "token_sha256"), (t.Invitation, "token_sha256")):
                session.execute(update(table).values({column: "e" * 64}))
            session.execute(update(t.Trial).values(key="of the second"))
            session.execute(update(t.Upload).values(key="second" + t.Upload.key))
            session.execute(update(t.Challenge).values(folder="second"))
            session.execute(update(t.User).values(name="here: " + t.User.name))
        return server

    return make


def set_address(database, login, email, *, is_verified=True):
    with database.writing() as session:
        row = session.scalars(select(t.User).where(t.User.login == login)).one()
        row.email, row.email_verified_at = email, NOON if is_verified else None
        return row.id


def log_numbers(server):
    """Write what names rows by their numbers into the log and a ranking."""
    with server.database.writing() as session:
        challenge = session.scalars(select(t.Challenge)).one()
        first, second = session.scalars(select(t.Team.id).order_by(t.Team.id).limit(2))
        comment, study = (session.scalar(select(func.min(each.id))) for each in (t.Comment, t.Study))
        user = session.scalar(select(func.min(t.User.id)))
        facts = {"user_id": user, "team_ids": [second, first], "comment_ids": [comment], "n": first}
        record_event(session, NOON, "numbers", session.get_one(t.Team, second), actor_id=user, **facts)
        record_event(session, NOON, "gone", None, actor_id=user)
        sheet = session.scalars(select(t.FactSheet)).one()
        record_event(session, NOON, "sheet", sheet, actor_id=user, judge_id=9999)
        ranking = session.scalars(select(t.PublishedRanking)).one()
        ranking.record = {"outcome": {"study_id": study, "rank": 1}, "entries": [{"submission_id": 4}]}
        return challenge.id


def ranks(rows):
    return {row["id"]: place for place, row in enumerate(sorted(rows, key=lambda row: row["id"]))}


def as_one_reads(rows, name_of):
    """Give rows with places in place of numbers, and people by `name_of`: the same on every server."""
    place = {name: ranks(each) for name, each in rows.items() if "id" in Base.metadata.tables[name].c}
    place["user_account"] = name_of
    made = {}
    for name, each in rows.items():
        table = Base.metadata.tables[name]
        keys = {key.parent.name: key.column.table.name for key in table.foreign_keys}
        left = CHANGED.get(name, set()) | {"id"}
        made[name] = [
            {
                column: place[keys[column]].get(value) if column in keys else value
                for column, value in row.items()
                if column not in left and not isinstance(table.c[column].type, JSON)
            }
            for row in each
        ]
    for row in made["audit_event"]:
        row["subject_id"] = place.get(row["subject"], {}).get(row["subject_id"])
    return made


@pytest.mark.parametrize("kinds", list(itertools.product(KINDS, KINDS)), ids="-".join)
@pytest.mark.parametrize("whole", [False, True], ids=["of one", "of all"])
def test_everything_of_a_challenge_comes_along_with_new_numbers(
    make_server, other_server, tmp_path, kinds, whole
):
    source, target = make_server(kinds[0]), other_server(kinds[1])
    log_numbers(source)
    set_address(source.database, "bob", "Bob@example.org")
    bob = set_address(target.database, "bob", "bob@Example.org")
    there, here = dump(source.database), dump(target.database)
    manifest = make_backup(source.settings, tmp_path / "out.zip", now=NOON, challenge_id="" if whole else ID)
    found = recover_challenge(tmp_path / "out.zip", target.settings, ID, now=LATER)
    after = dump(target.database)
    for name, rows in here.items():  # nothing that was here has changed
        numbers = {row.get("id", 0) for row in rows}
        old = [row for row in after[name] if row.get("id", 0) in numbers]
        assert old == rows
    new = {name: [row for row in rows if row not in here[name]] for name, rows in after.items()}
    assert {name for name, rows in new.items() if not rows} == OF_SERVER
    for rows in (there, new):  # what the server itself did
        rows["audit_event"] = [row for row in rows["audit_event"] if row["challenge_id"] is not None]
    made_here = [row for row in new["audit_event"] if row["happened_at"] == LATER]
    assert [row["action"] for row in made_here] == ["change state", "change state", "recover challenge"]
    new["audit_event"] = [row for row in new["audit_event"] if row["happened_at"] != LATER]
    assert sorted(row["name"] for row in new["user_account"]) == ["ada", "zoë"]
    there_names = {row["id"]: row["name"] for row in there["user_account"]}
    here_names = {row["id"]: row["name"] for row in new["user_account"]} | {bob: "bob"}
    there["user_account"] = [row for row in there["user_account"] if row["name"] != "bob"]
    before, now = as_one_reads(there, there_names), as_one_reads(new, here_names)
    for name in before.keys() - OF_SERVER:
        assert now[name] == before[name], name
    check_json(there, new, here_names)
    assert found.n_rows == sum(map(len, new.values())) + len(made_here) - 1
    assert (found.n_joined, found.n_new, len(found.manifest.tables)) == (1, 2, len(manifest.tables))
    for row in after["submission"]:
        is_here = row["state"] not in {"receiving", "abandoned"}
        assert has_file(target.storage, row["committed_sha256"]) == is_here


def check_json(there, new, here_names):
    """See that numbers in JSON are those of here, and all else is as it was."""
    place = {name: {old["id"]: row["id"] for old, row in zip(there[name], new[name], strict=True)}
             for name in ("team", "comment", "study", "submission", "fact_sheet")}  # fmt: skip
    (ranking,) = new["published_ranking"]
    (study,) = new["study"]
    fourth = place["submission"][4]
    assert fourth > 10
    assert ranking["record"] == {
        "outcome": {"study_id": study["id"], "rank": 1},
        "entries": [{"submission_id": fourth}],
    }
    events = {row["action"]: row for row in new["audit_event"]}
    first, second = sorted(place["team"].values())[:2]
    numbers = events["numbers"]
    (comment,) = place["comment"].values()
    details = numbers["details"]
    assert here_names[details.pop("user_id")] == "ada"
    assert details == {"team_ids": [second, first], "comment_ids": [comment], "n": 1}
    assert (numbers["subject"], numbers["subject_id"]) == ("team", second)
    (sheet,) = place["fact_sheet"].values()
    assert (events["sheet"]["subject_id"], events["sheet"]["details"]) == (sheet, {"judge_id": None})
    for name, column in (("study", "design"), ("vote", "choice"), ("vote", "regions"), ("trial", "tiles")):
        assert [row[column] for row in new[name]] == [row[column] for row in there[name]]
    assert [row["report"] for row in new["submission"]] == [row["report"] for row in there["submission"]]


def test_a_moved_challenge_is_served_and_its_old_links_work(make_server, other_server, tmp_path):
    source, target = make_server(), other_server()
    make_backup(source.settings, tmp_path / "out.zip", now=NOON, challenge_id=ID)
    recover_challenge(tmp_path / "out.zip", target.settings, ID, now=LATER)
    with target.database.reading() as session:
        before = session.scalars(select(t.Image.input_sha256).order_by(t.Image.id)).all()
    folder = target.folder / ID
    number = import_challenge(
        target.database, target.storage, LATER, read(folder), scorer_version="raim-2024-1", folder=ID
    )
    with target.database.reading() as session:
        assert session.scalars(select(t.Image.input_sha256).order_by(t.Image.id)).all() == before
        assert (session.get_one(t.Challenge, number).folder, number) == (ID, 2)
        found = select(t.JudgeLink).where(t.JudgeLink.token_sha256 == DIGEST)
        judge = session.get_one(t.Judge, session.scalars(found).one().judge_id)
        assert session.get_one(t.Study, judge.study_id).challenge_id == number
        assert session.scalars(select(t.ApiToken.challenge_id)).all() == [None]
    assert [each.name for each in target.folder.iterdir() if each.name.startswith(".")] == []
    assert (folder / "data/feedback-pairs/input/0001.png").read_bytes() == (
        source.folder / "data/feedback-pairs/input/0001.png"
    ).read_bytes()


def test_people_are_joined_by_a_verified_address_and_by_nothing_else(make_server, other_server, tmp_path):
    source, target = make_server(), other_server()
    set_address(source.database, "ada", "ada@example.org")
    set_address(target.database, "ada", "ada@example.org", is_verified=False)
    set_address(source.database, "bob", "bob@example.org", is_verified=False)
    set_address(target.database, "bob", "bob@example.org")
    robert = set_address(source.database, "zoë", "zoe@example.org")
    here = set_address(target.database, "zoë", "zoe@example.org")
    with source.database.writing() as session:
        twin = register(session, NOON, login="Zoe 2", password_hash="hash of Zoe 2", email="ZOE@example.org")
        twin.email_verified_at = NOON
        twin.is_administrator = twin.may_make_challenges = True
        challenge = session.scalars(select(t.Challenge)).one()
        session.add(
            t.Appointment(challenge_id=challenge.id, user_id=twin.id, office="judge", appointed_at=NOON)
        )
        session.add_all(
            [
                t.MailRefusal(user_id=robert, kind="result"),
                t.MailRefusal(user_id=twin.id, kind="announcement"),
                t.MailRefusal(address="judge@example.org", kind="judging"),
                t.MailRefusal(address="judge@example.org", kind="invited"),
                t.MailRefusal(address="somebody@example.org", kind="judging"),
            ]
        )
        session.scalars(select(t.Judge)).one().email = "Judge@example.org"
    with target.database.writing() as session:
        session.add(t.MailRefusal(address="judge@example.org", kind="judging"))
        session.get_one(t.User, here).login = session.get_one(t.User, here).login_key = "countess"
    make_backup(source.settings, tmp_path / "out.zip", now=NOON, challenge_id=ID)
    found = recover_challenge(tmp_path / "out.zip", target.settings, ID, now=LATER)
    assert found.notes == (
        "the login ada is somebody else's here; ada of the backup has ada-2",
        "the login bob is somebody else's here; bob of the backup has bob-2",
        "zoë of the backup is countess here: their verified address is one",
        "Zoe 2 ran the server of the backup, and holds no office here by that",
    )
    with target.database.reading() as session:
        people = {each.login: each for each in session.scalars(select(t.User))}
        assert set(people) == {"ada", "bob", "countess", "ada-2", "bob-2", "Zoe 2"}
        assert not any(each.is_administrator or each.may_make_challenges for each in people.values())
        assert people["Zoe 2"].password_hash == "hash of Zoe 2"
        assert people["countess"].password_hash == DIGEST
        assert people["countess"].name == "here: zoë"
        moved = select(t.Challenge.id).where(t.Challenge.slug == ID)
        names = (
            select(t.Team.name)
            .join(t.Member, t.Member.team_id == t.Team.id)
            .where(t.Team.challenge_id.in_(moved))
        )
        assert session.scalars(names.where(t.Member.user_id == here)).all() == ["Team zoë"]
        refusals = session.execute(
            select(t.MailRefusal.user_id, t.MailRefusal.address, t.MailRefusal.kind).where(
                t.MailRefusal.id > 1
            )
        )
        assert set(map(tuple, refusals)) == {
            (None, "judge@example.org", "judging"),
            (people["ada-2"].id, None, "result"),
            (people["Zoe 2"].id, None, "announcement"),
            (None, "judge@example.org", "invited"),
        }


def test_the_backup_of_one_challenge_has_nothing_of_another(
    other_server, new_settings, example_files, opened, tmp_path
):
    server = other_server()
    shutil.copytree(example_files, server.folder / "first")
    secret = b"the secret zip" * 99
    (server.folder / "second" / "note.md").write_text("Words of the second")
    import_challenge(
        server.database,
        server.storage,
        NOON,
        read(server.folder / "first"),
        scorer_version="x",
        folder="first",
    )
    with server.database.writing() as session:
        first = session.scalars(select(t.Challenge).where(t.Challenge.slug == ID)).one()
        both = register(session, NOON, login="both", password_hash=DIGEST, challenge_id=1)
        for login in ("only", "elsewhere"):
            register(
                session,
                NOON,
                login=login,
                password_hash=DIGEST,
                challenge_id=first.id if login == "only" else 1,
            )
        appoint(session, NOON, first.id, both, "organiser", actor_id=both.id)
        session.scalars(
            select(t.Submission).where(t.Submission.state == "scored")
        ).one().committed_sha256 = keep(server.storage, secret)
    manifest = make_backup(server.settings, tmp_path / "one.zip", now=NOON, challenge_id=ID)
    assert manifest.missing == {}
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        texts = [name for name in archive.namelist() if name.startswith("challenge/")]
    assert "challenge/first/challenge.toml" in texts
    assert all(name.startswith("challenge/first/") for name in texts)
    for word in ("Team ada", "Words of the second", "elsewhere", "the secret zip", "Jürg"):
        assert word.encode() not in everything
    settings = new_settings(name="alone")
    recover_backup(tmp_path / "one.zip", settings, now=LATER)
    alone = opened(settings)
    rows = dump(alone.database)
    assert [row["slug"] for row in rows["challenge"]] == [ID]
    assert {row["login"]: row["registered_in"] for row in rows["user_account"]} == {"both": None, "only": 2}
    assert len(read(settings.folder / "first").data_sets) == 4


def listing(server):
    stored = server.folder / "files"
    return sorted(path.relative_to(server.folder) for path in server.folder.rglob("*") if path.is_file() and (
        path.suffix not in {".db", ".db-wal", ".db-shm"} and (stored not in path.parents or path.stat().st_size)
    ))  # fmt: skip


def do_harm(harm, place, target):
    """Do what stands against a backup's arrival; give the id that is then asked for."""
    if harm == "one":
        (target.folder / "challenge.toml").write_text("id = 'x'")
    elif harm == "there":
        (target.folder / ID).mkdir()
        (target.folder / ID / "mine.txt").write_text("precious")
    elif harm == "token":
        with target.database.writing() as session:
            session.execute(update(t.JudgeLink).values(token_sha256=DIGEST))
    elif harm == "damaged":
        content = bytearray(place.read_bytes())
        at = content.index(b"Team ada")
        content[at : at + 4] = b"Tame"
        place.write_bytes(content)
    elif harm == "nowhere":
        target.settings = read_settings({}, folder=target.folder.parent / "nowhere")
    return {"taken": "second", "unknown": "my-chalenge"}.get(harm, ID)


@pytest.mark.parametrize(
    ("harm", "refused"),
    [
        ("taken", (StateError, "has a challenge 'second' already")),
        ("unknown", (UnknownNameError, "did you mean 'my-challenge'")),
        ("one", (StateError, "is the folder of one challenge; stop its server, move challenge.toml")),
        ("there", (StateError, "my-challenge is there already; move it away")),
        ("token", (StateError, "the database refuses: .*judge_link")),
        ("damaged", (BackupError, "damaged")),
        ("nowhere", (StateError, "has a server run in")),
    ],
)
def test_what_cannot_come_leaves_nothing_behind(make_server, other_server, tmp_path, harm, refused):
    source, target = make_server(), other_server()
    place = tmp_path / "out.zip"
    make_backup(source.settings, place, now=NOON, challenge_id=ID)
    slug = do_harm(harm, place, target)
    rows, files = dump(target.database), listing(target)
    with pytest.raises(refused[0], match=refused[1]):
        recover_challenge(place, target.settings, slug, now=LATER)
    assert dump(target.database) == rows
    assert listing(target) == files


def test_a_full_disk_at_the_end_leaves_nothing_behind(make_server, other_server, tmp_path, monkeypatch):
    source, target = make_server(), other_server()
    make_backup(source.settings, tmp_path / "out.zip", now=NOON, challenge_id=ID)
    rows, files = dump(target.database), listing(target)

    def full(*_arguments, **_details):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(arrival, "record_event", full)
    with pytest.raises(RaimError, match="No space left on device; free some space"):
        recover_challenge(tmp_path / "out.zip", target.settings, ID, now=LATER)
    assert (dump(target.database), listing(target)) == (rows, files)


def test_a_file_that_is_missing_is_named(make_server, other_server, tmp_path):
    source, target = make_server(), other_server()
    with source.database.reading() as session:
        image = session.scalars(select(t.Image)).first()
    for sha256 in (image.input_sha256, keep(source.storage, b"the zip of scored" * 1000)):
        (source.folder / "files" / "sha256" / sha256[:2] / sha256).unlink()
    make_backup(source.settings, tmp_path / "out.zip", now=NOON)
    found = recover_challenge(tmp_path / "out.zip", target.settings, ID, now=LATER)
    notes = [each for each in found.notes if "login" not in each]
    assert len(notes) == 3
    assert f"{ID}/data" in notes[2]
    assert "is missing: put it back" in notes[2]


def test_every_table_is_a_challenges_or_the_servers():
    left = [
        table.name
        for table in Base.metadata.sorted_tables
        if table.name not in OF_SERVER | {"challenge", PEOPLE.name} and _way(table) is None
    ]
    assert left == []


def test_numbers_of_rows_stand_in_the_log_under_names_that_say_whose_they_are():
    passed = []
    for path in Path(raim.server.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "record_event":
                passed += [(each.arg, ast.unparse(each.value)) for each in call.keywords]
    numbers = {name for name, value in passed if re.search(r"(\.id|_ids?|\bnumbers)\)?$", value)}
    assert {"actor_id", "user_id", "team_id", "comment_ids"} <= numbers
    assert numbers - {"data_set"} <= _names().keys()  # that is its id in the file
