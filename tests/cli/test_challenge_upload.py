"""`raim challenge upload` against the real application, with a worker's check and the server's placement behind it."""

import shutil
import socket
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the extra server is not installed")

from sqlalchemy import select

from jobs_world import InlinePool
from raim.challenge import write_example
from raim.client import read_challenge, uploading
from raim.client.server import Server
from raim.server.database import ChallengeUpload
from raim.server.jobs import process_pool
from raim.server.jobs.challenge_check import run_challenge_check
from raim.server.jobs.context import WorkerContext
from raim.server.web.placement import place_uploads
from server_site import ADDRESS, FIRST_DAY, PASSWORD, Clock, Site


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    for name in ("first", "night"):
        write_example(folder / name, first_day=FIRST_DAY, rng=np.random.default_rng(7), challenge_id=name)
    return folder


@pytest.fixture
def world(example, tmp_path, monkeypatch, run_raim):
    """Run a server of one challenge beside which others have a place, with what checks and takes them."""
    import uvicorn

    monkeypatch.setattr(process_pool, "ProcessPool", InlinePool)
    shutil.copytree(example / "first", tmp_path / "all" / "first")
    site = Site(tmp_path / "all", Clock())
    root = site.visitor()
    root.post(site.first_link.removeprefix(ADDRESS), login="root", password=PASSWORD)
    token = site.with_token(root).token
    server, ended, errors = site.server, threading.Event(), []
    context = WorkerContext(
        name="w", database=server.database, storage=server.storage, folder=site.folder, clock=site.clock
    )

    def work():
        while not ended.wait(0.02):
            try:
                with server.database.reading() as session:
                    due = session.scalars(
                        select(ChallengeUpload.id).where(ChallengeUpload.state == "inspecting")
                    ).all()
                for number in due:
                    run_challenge_check(context, number)
                place_uploads(server)
            except Exception as error:  # noqa: BLE001 - reported at the fixture's end
                errors.append(error)
                return

    worker = threading.Thread(target=work)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = uvicorn.Server(uvicorn.Config(site.app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        worker.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        while not running.started:
            time.sleep(0.01)
        monkeypatch.setenv("RAIM_SERVER", url)
        monkeypatch.setenv("RAIM_TOKEN", token)
        monkeypatch.chdir(tmp_path)
        shutil.copytree(example / "night", tmp_path / "night")
        yield SimpleNamespace(
            site=site,
            url=url,
            token=token,
            folder=tmp_path,
            run=lambda *given: run_raim("challenge", "upload", *given),
        )
        running.should_exit = True
        thread.join()
        ended.set()
        worker.join()
    server.database.engine.dispose()
    assert errors == []


def spoil(world, old, new):
    file = world.folder / "night" / "challenge.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def uploads(world):
    with world.site.server.database.reading() as session:
        return session.scalars(select(ChallengeUpload.state).order_by(ChallengeUpload.id)).all()


def test_a_folder_becomes_a_draft_of_just_what_the_challenge_needs(world):
    (world.folder / "night" / "raim.db").write_bytes(b"a database")
    (world.folder / "night" / "work").mkdir()
    (world.folder / "night" / "work" / "notes.md").write_text("left over")
    code, out, err = world.run("night")
    assert (code, out) == (
        0,
        f"night is a draft: {world.url}/c/night/; an administrator opens it at {world.url}/admin\n",
    ), err
    there = world.site.folder / "night"
    sent = {path.relative_to(there) for path in there.rglob("*") if path.is_file()}
    mine = world.folder / "night"
    own = {path.relative_to(mine) for path in mine.rglob("*") if path.is_file()}
    assert {path.as_posix() for path in own - sent} == {"raim.db", "work/notes.md"}
    assert all((there / path).read_bytes() == (mine / path).read_bytes() for path in sent)
    server = Server(url=f"{world.url}/c/night", token=world.token)
    assert read_challenge(server).id == "night"
    assert not (world.site.folder / "uploads").exists() or not list((world.site.folder / "uploads").iterdir())


def test_problems_are_listed_here_and_nothing_is_sent(world, run_raim):
    spoil(world, "schema = 1", "schema = 7")
    code, out, _ = world.run("night")
    assert code == 2
    assert (code, out) == run_raim("challenge", "validate", "night")[:2]
    assert "night/challenge.toml:" in out
    assert uploads(world) == []


def test_what_lies_outside_of_the_folder_is_reported_with_its_line(world):
    spoil(world, 'folder = "data/', 'folder = "../data/')
    code, out, _ = world.run("night")
    assert code == 2
    assert "leads out of the challenge's folder" in out
    assert uploads(world) == []


def test_an_open_challenge_is_refused_with_the_way_out_and_a_draft_is_replaced(world):
    shutil.copytree(world.site.folder / "first", world.folder / "first")
    code, out, _ = world.run("first")
    assert code == 2
    assert "the challenge 'first' is open on this server" in out
    assert "nothing is changed" in out
    assert world.run("night")[0] == 0
    spoil(world, 'name = "My image', 'name = "Dark image')
    code, out, _ = world.run("night", "--json")
    assert code == 0
    assert '"challenge_id": "night"' in out
    assert "Dark image" in (world.site.folder / "night" / "challenge.toml").read_text()


def test_an_interrupted_upload_goes_on_with_the_same_command(world, monkeypatch):
    monkeypatch.setattr(uploading, "PIECE_BYTES", 100_000)
    send_piece, sent = uploading._Upload.send_piece, []

    def break_off(self, offset):
        if len(sent) == 1:
            raise KeyboardInterrupt
        sent.append(offset)
        return send_piece(self, offset)

    with monkeypatch.context() as patched:
        patched.setattr(uploading._Upload, "send_piece", break_off)
        assert world.run("night")[0] == 130
    assert uploads(world) == ["arriving"]

    def watch(self, offset):
        sent.append(offset)
        return send_piece(self, offset)

    monkeypatch.setattr(uploading._Upload, "send_piece", watch)
    assert world.run("night")[0] == 0
    assert sent[:2] == [0, 100_000]
    assert uploads(world) == ["taken"]


def test_somebody_who_may_make_none_is_refused(world, monkeypatch):
    person = world.site.visitor()
    person.post("/register", login="ada", password=PASSWORD, consent="yes")
    monkeypatch.setenv("RAIM_TOKEN", world.site.with_token(person).token)
    code, _, err = world.run("night")
    assert code == 2
    assert "for whom they let make challenges" in err
