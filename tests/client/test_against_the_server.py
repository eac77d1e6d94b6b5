"""The client against the real application: the contract of the HTTP API holds on both sides."""

import shutil
import socket
import threading
import time
import zipfile
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the extra server is not installed")

from raim import client
from raim.challenge import write_example
from raim.errors import AccessError, StateError, TooLargeError, UnknownNameError
from raim.server.submissions.states import change_state
from server_site import FIRST_DAY, Clock, Site


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    write_example(folder, first_day=FIRST_DAY, rng=np.random.default_rng(2024))
    file = folder / "challenge.toml"
    chosen = file.read_text(encoding="utf-8").replace('counts = "best"', 'counts = "chosen"')
    file.write_text(chosen, encoding="utf-8")
    return folder


@pytest.fixture
def world(example, tmp_path):
    """Run the application on a port; give it with a team's zip and token."""
    import uvicorn

    site = Site(shutil.copytree(example, tmp_path / "challenge"), Clock())
    ada = site.member("ada")
    (tmp_path / "team.zip").write_bytes(site.zip_of(extra={"more.bin": bytes(9 * 2**20)}))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = uvicorn.Server(uvicorn.Config(site.app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = client.Server(url=url, token=ada.token, patience=client.Patience(attempts=3))
        while not running.started:
            time.sleep(0.01)
        yield SimpleNamespace(site=site, server=server, file=tmp_path / "team.zip", folder=tmp_path)
        running.should_exit = True
        thread.join()
    site.server.database.engine.dispose()


def test_challenge_me_and_leaderboard_are_read(world):
    challenge = client.read_challenge(world.server)
    states = {phase.id: phase.state for phase in challenge.phases}
    assert states == {"tuning": "closed", "feedback": "open", "final": "upcoming"}
    me = client.read_me(world.server)
    assert (me.login, me.team) == ("ada", "Team ada")
    scored = next(each for each in me.intakes["feedback"] if each.kind == "scored")
    assert (scored.left_today, scored.left_in_all) == (5, 60)
    assert client.read_leaderboard(world.server, "feedback").rows == []


def test_a_submission_is_sent_found_again_followed_chosen_and_withdrawn(world):
    submission = client.submit(world.server, world.file, note="epoch 40")
    assert (submission.state, submission.phase, submission.note) == ("checking", "feedback", "epoch 40")
    assert client.submit(world.server, world.file).id == submission.id
    assert client.read_me(world.server).intakes["feedback"][0].left_today == 4
    with pytest.raises(StateError, match="it cannot count"):
        client.choose(world.server, submission.id)
    with world.site.server.database.writing() as session:
        change_state(session, world.site.clock.now, submission.id, "queued")
    queued = client.read_submission(world.server, submission.id)
    assert (queued.state, queued.position) == ("queued", 1)
    assert client.choose(world.server, submission.id).is_chosen
    assert client.withdraw(world.server, submission.id).state == "withdrawn"
    assert client.wait_for_result(world.server, submission.id).state == "withdrawn"
    assert client.read_results(world.server, submission.id).images == []
    assert [each.id for each in client.read_submissions(world.server)] == [submission.id]


def test_an_interrupted_upload_goes_on_where_it_stopped(world):
    def interrupt(stage, done, _total):
        if stage == "sending" and done > 5 * 2**20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.submit(world.server, world.file, on_progress=interrupt)
    for _ in range(200):  # until the server has noticed, too
        if client.read_submission(world.server, 1).received_bytes:
            break
        time.sleep(0.05)
    reported = []
    submission = client.submit(world.server, world.file, on_progress=lambda *at: reported.append(at))
    begun = [done for stage, done, _ in reported if stage == "sending"]
    assert (submission.id, submission.state) == (1, "checking")
    assert 0 < begun[0] == min(begun)
    assert begun[-1] == world.file.stat().st_size
    assert client.read_me(world.server).intakes["feedback"][0].left_today == 4


def test_a_file_that_changes_gives_its_try_back(world):
    def change(stage, done, _total):
        if stage == "sending" and done > 2**20:
            with world.file.open("ab") as file:
                file.write(b"more")

    with pytest.raises(ValueError, match="changed while it was being sent"):
        client.submit(world.server, world.file, on_progress=change)
    assert client.read_submission(world.server, 1).state == "withdrawn"
    assert client.read_me(world.server).intakes["feedback"][0].left_today == 5


def test_what_the_server_refuses_is_the_fitting_error(world):
    stranger = replace(world.server, token="raim_api_x")  # noqa: S106 - of a test
    with pytest.raises(AccessError, match="takes no token as yours"):
        client.submit(stranger, world.file)
    with pytest.raises(UnknownNameError, match="did you mean 'feedback'"):
        client.submit(world.server, world.file, phase="feedbak")
    with pytest.raises(UnknownNameError):
        client.read_submission(world.server, 99)
    with pytest.raises((StateError, AccessError)):
        client.submit(world.server, world.file, phase="tuning")
    world.site.clock.move(days=60)
    with pytest.raises(StateError, match="no phase is open now"):
        client.submit(world.server, world.file)
    challenge = world.site.definition
    world.site.change(uploads=replace(challenge.uploads, max_bytes=10))
    world.site.clock.now -= timedelta(days=60)
    with pytest.raises(TooLargeError, match="a submission may have 10"):
        client.submit(world.server, world.file)


def test_a_deadline_that_passes_during_the_upload_is_reported(world):
    def pass_deadline(stage, done, total):
        if stage == "sending" and done == total:
            world.site.clock.move(days=60)

    with pytest.raises(StateError, match="after the deadline and its grace"):
        client.submit(world.server, world.file, on_progress=pass_deadline)
    assert client.read_submission(world.server, 1).state == "abandoned"


def test_inputs_are_downloaded_and_a_broken_download_goes_on(world):
    target = world.folder / "inputs.zip"

    def interrupt(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.download_inputs(world.server, "feedback-pairs", target, on_progress=interrupt)
    reported = []
    client.download_inputs(
        world.server, "feedback-pairs", target, on_progress=lambda *at: reported.append(at)
    )
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 3
    assert reported[-1][0] == reported[-1][1] == target.stat().st_size
    with pytest.raises(AccessError):
        client.download_inputs(world.server, "final-unpaired", target)
