"""The check of an uploaded challenge: what it finds, what it leaves, and what a hostile zip cannot do."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from challenge_zip import pack_folder
from jobs_world import InlinePool
from pool_work import crash
from raim.records.administration import NewChallengeUpload
from raim.server.actions.challenge_upload import abandon_silent_challenge_uploads, begin_challenge_upload
from raim.server.database import ChallengeUpload, User
from raim.server.jobs import challenge_check, process_pool
from raim.server.jobs.challenge_check import run_challenge_check
from raim.server.jobs.reconciling import MOST_ATTEMPTS, begin_again, read_due
from raim.server.storage import has_file, put_file


@pytest.fixture
def inline(monkeypatch):
    monkeypatch.setattr(process_pool, "ProcessPool", InlinePool)


def send(world, content):
    """Let ada upload a zip; it has come whole."""
    sha256 = hashlib.sha256(content).hexdigest()
    put_file(world.storage, [content], n_bytes=len(content), sha256=sha256)
    wanted = NewChallengeUpload(file_name="night.zip", n_bytes=len(content), sha256=sha256)
    with world.database.writing() as session:
        ada = session.scalars(select(User).where(User.login == "ada")).one()
        upload = begin_challenge_upload(session, world.clock(), ada.id, wanted, folder=world.folder)
        upload.state = "inspecting"
        return upload.id


def read(world, number):
    return world.rows(ChallengeUpload, id=number)[0]


def is_kept(world, number):
    return has_file(world.storage, read(world, number).sha256)


def left_over(world):
    return list((world.folder / "work" / "challenges").iterdir())


def test_a_sound_challenge_is_found_fine_in_a_process_of_its_own(world):
    number = send(world, pack_folder(world.example, top="night/", extra={"raim.db": b"x", "._a.png": b""}))
    with world.database.reading() as session:
        (job,) = [each for each in read_due(session) if each.kind == "challenge"]
    assert job.id == f"challenge-{number}-0"
    assert run_challenge_check(world.context(), number) == "placing"
    row = read(world, number)
    assert row.problems == []
    assert any("raim.db" in each for each in row.notes)
    assert is_kept(world, number)
    assert left_over(world) == []
    assert run_challenge_check(world.context(), number) == ""


def test_progress_is_shown_and_never_goes_back(world, inline, monkeypatch):
    monkeypatch.setattr(challenge_check, "PROGRESS_EVERY_S", 0.0)
    show, shown = challenge_check._show_progress, []

    def watch(context, number, done, total):
        show(context, number, done, total)
        shown.append((read(world, number).n_done, total))

    monkeypatch.setattr(challenge_check, "_show_progress", watch)
    content = pack_folder(world.example)
    assert run_challenge_check(world.context(), send(world, content)) == "placing"
    n_images = len(list((world.example / "data").rglob("*.png")))
    assert shown == sorted(shown)
    assert (shown[0][0], shown[-1][0] > n_images, len(shown) > n_images) == (0, True, True)
    assert len({total for _, total in shown}) == 1


def test_every_problem_is_reported_with_its_file_as_it_lies_in_the_folder(world, inline):
    changes = {"schema = 1": "schema = 7", 'mode = "top-three"': 'mode = "top-tree"'}
    number = send(world, pack_folder(world.example, top="night/", changes=changes))
    assert run_challenge_check(world.context(), number) == "rejected"
    row = read(world, number)
    assert len(row.problems) == 2
    assert row.problems[0].startswith("challenge.toml:")
    assert "schema is 7" in row.problems[0]
    assert "did you mean 'top-three'" in row.problems[1]
    assert str(world.folder) not in str(row.problems)
    assert not is_kept(world, number)
    assert left_over(world) == []


def test_problems_of_images_are_reported_too(world, inline):
    broken = {
        "data/feedback-pairs/input/0009.png": b"no image",
        "data/feedback-pairs/reference/0009.png": b"",
    }
    number = send(world, pack_folder(world.example, extra=broken))
    assert run_challenge_check(world.context(), number) == "rejected"
    files = {each.partition(":")[0] for each in read(world, number).problems}
    assert {"data/feedback-pairs/input/0009.png", "data/feedback-pairs/reference/0009.png"} <= files


def test_a_challenge_that_names_other_files_of_the_server_is_refused(world, inline):
    elsewhere = {'folder = "data/feedback-pairs"': f'folder = "{world.example}/data/feedback-pairs"'}
    number = send(world, pack_folder(world.example, changes=elsewhere))
    assert run_challenge_check(world.context(), number) == "rejected"
    assert any("leads out of the challenge's folder" in each for each in read(world, number).problems)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"no zip at all", "neither a zip"), (pack_folder.__doc__.encode() * 9, "neither a zip")],
)
def test_what_is_no_zip_is_refused(world, inline, content, reason):
    number = send(world, content)
    assert run_challenge_check(world.context(), number) == "rejected"
    (problem,) = read(world, number).problems
    assert problem.startswith("night.zip: ")
    assert reason in problem


def test_a_zip_without_a_challenge_says_what_is_missing(world, inline):
    number = send(world, pack_folder(world.example / "data", extra={"readme.md": b"x"}))
    assert run_challenge_check(world.context(), number) == "rejected"
    assert "challenge.toml: it cannot be read" in read(world, number).problems[0]


def test_a_zip_for_which_there_is_no_room_is_refused(world, inline):
    number = send(world, pack_folder(world.example))
    full = replace(world.storage, keep_free_bytes=2**62)
    context = world.context()
    context.storage = full
    assert run_challenge_check(context, number) == "rejected"
    assert "room for" in read(world, number).problems[0]


def test_a_process_that_dies_refuses_the_challenge(world, monkeypatch):
    number = send(world, pack_folder(world.example))
    monkeypatch.setattr(challenge_check, "check_challenge", crash)
    assert run_challenge_check(world.context(), number) == "rejected"
    assert "twice in a row" in read(world, number).problems[0]
    assert left_over(world) == []


def test_a_check_that_never_ends_is_given_up(world):
    number = send(world, b"x")
    for _ in range(MOST_ATTEMPTS + 1):
        with world.database.writing() as session:
            begin_again(
                session, world.clock(), [each for each in read_due(session) if each.kind == "challenge"]
            )
    row = read(world, number)
    assert (row.state, row.attempt) == ("rejected", MOST_ATTEMPTS + 1)
    assert "never came to an end" in row.problems[0]


def test_an_upload_that_stands_still_is_given_up(world):
    number = send(world, b"x")
    with world.database.writing() as session:
        session.get_one(ChallengeUpload, number).state = "arriving"
    for hours, state in ((23, "arriving"), (25, "given up")):
        with world.database.writing() as session:
            abandon_silent_challenge_uploads(session, world.clock() + timedelta(hours=hours))
        assert read(world, number).state == state
