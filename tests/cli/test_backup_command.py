import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import numpy as np
import pytest

pytest.importorskip("sqlalchemy", reason="the extra server is not installed")

from raim.challenge import write_example
from raim.server.database import migrate, open_database
from raim.server.settings import read_settings
from raim.server.storage import open_storage
from server_case import NOON, fill


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory):
    """Make a filled server in a folder, once."""
    folder = tmp_path_factory.mktemp("filled") / "server"
    write_example(folder, first_day=NOON.date().replace(day=1), rng=np.random.default_rng(2024))
    settings = read_settings({}, folder=folder)
    database = open_database(settings.database_url)
    migrate(database.engine)
    fill(database, open_storage(settings.storage_url), folder)
    database.engine.dispose()
    return folder


@pytest.fixture
def place(filled_folder, tmp_path, monkeypatch):
    """Stand beside a server's folder."""
    shutil.copytree(filled_folder, tmp_path / "server")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAIM_KEEP_FREE_BYTES", "0")
    return tmp_path


def test_a_server_goes_into_a_file_and_comes_out_of_it(place, run_raim):
    code, out, err = run_raim("backup", "server", "out.zip")
    assert (code, err) == (0, "")
    assert out.startswith("out.zip: ")
    assert " rows of " in out
    code, out, err = run_raim("recover", "out.zip", "new")
    assert (code, err) == (0, "")
    day = f"{datetime.now(UTC):%Y-}"
    assert out.splitlines()[0].startswith("new: ")
    assert f"as of {day}" in out
    assert out.splitlines()[1:] == [
        "1 upload abandoned, 1 submission waiting again",
        "start it: raim serve new",
    ]
    assert (place / "new" / "raim.db").exists()
    assert (place / "new" / "challenge.toml").read_bytes() == (
        place / "server" / "challenge.toml"
    ).read_bytes()


def test_the_folder_may_be_left_out(place, run_raim, monkeypatch):
    monkeypatch.chdir(place / "server")
    assert run_raim("backup", "../out.zip")[0] == 0
    assert (place / "out.zip").exists()


def test_other_places_for_database_and_storage_are_taken(place, run_raim):
    database, storage = f"sqlite:///{place / 'other.db'}", (place / "other").as_uri()
    run_raim("backup", "server", "out.zip")
    options = ("--database", database, "--storage", storage)
    assert run_raim("recover", "out.zip", "new", *options)[0] == 0
    assert not (place / "new" / "raim.db").exists()
    assert run_raim("backup", "new", "again.zip", *options)[0] == 0
    assert run_raim("backup", "new", "third.zip")[0] == 2


def test_a_missing_file_is_reported_and_the_exit_code_is_2(place, run_raim):
    file = next((place / "server" / "files" / "sha256").glob("*/*"))
    file.unlink()
    code, out, err = run_raim("backup", "server", "out.zip")
    assert code == 2
    assert "out.zip: " in out
    assert f"not in it: the file {file.name}: there is no file" in err
    code, _, err = run_raim("recover", "out.zip", "new")
    assert code == 0
    assert f"note: the file {file.name} is not in the backup" in err


def test_one_challenge_goes_to_a_server_that_is_there(place, run_raim):
    code, out, err = run_raim("backup", "server", "out.zip", "--challenge", "my-challenge")
    assert (code, err) == (0, "")
    assert run_raim("recover", "out.zip", "new")[0] == 0
    (place / "new" / "second").mkdir()
    for name in ("challenge.toml", "data"):
        (place / "new" / name).rename(place / "new" / "second" / name)
    with closing(sqlite3.connect(place / "new" / "raim.db")) as database, database:
        database.execute("UPDATE challenge SET slug = 'second', folder = 'second'")
        database.execute("UPDATE judge_link SET token_sha256 = hex(randomblob(32))")
        database.execute("UPDATE invitation SET token_sha256 = hex(randomblob(32))")
        database.execute("UPDATE trial SET key = 'another'")
        database.execute("UPDATE upload SET key = 'another' || key")
    code, out, err = run_raim("recover", "out.zip", "new", "--challenge", "my-challenge")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].startswith("new/my-challenge: ")
    assert lines[1:3] == ["1 upload abandoned, 1 submission waiting again", "0 accounts joined, 3 new"]
    assert lines[3].startswith("start it: raim serve new; one that runs takes it up by")
    assert "note: the login ada is somebody else's here; ada of the backup has ada-2" in err.splitlines()
    assert (place / "new" / "my-challenge" / "challenge.toml").is_file()
    code, _, err = run_raim("recover", "out.zip", "new", "--challenge", "my-challenge")
    assert (code, "has a challenge 'my-challenge' already" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["backup"], "Missing argument"),
        (["backup", "a", "b", "c"], "expected [DIR] OUT"),
        (["backup", "nowhere", "out.zip"], "has a server run in"),
        (["backup", "server", "out.zip", "--challenge", "mine"], "no challenge named 'mine'"),
        (["backup", "server", "out.zip", "--challenge", "x", "--with-secret"], "a challenge has no secret"),
        (["backup", "server", "server"], "it is a folder; name a file in it"),
        (["recover", "none.zip", "new"], "none.zip cannot be read"),
        (["recover", "server/challenge.toml", "new"], "damaged or no backup"),
        (["recover", "server/challenge.toml", "new", "--database", "mysql://x"], "RAIM_DATABASE_URL"),
    ],
)
def test_wrong_arguments_exit_2_and_say_why(place, run_raim, arguments, part):
    code, _, err = run_raim(*arguments)
    assert code == 2
    assert part in err
    assert not (place / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(place, run_raim):
    run_raim("backup", "server", "out.zip")
    code, _, err = run_raim("recover", "out.zip", "server")
    assert code == 2
    assert "is not empty" in err
