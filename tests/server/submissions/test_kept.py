"""What is kept and why, on rows of every state; quotas of a team and of a challenge."""

import threading
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sqlalchemy import func, select, update

import server_case
from raim.challenge import Intake, write_example
from raim.challenge.settings import Uploads
from raim.errors import StorageFullError
from raim.server.current_challenge import load_current
from raim.server.database import Challenge, Image, Member, Study, Submission
from raim.server.storage import open_storage
from raim.server.submissions.kept import KEPT_KINDS, kept_of_team, read_kept
from raim.server.submissions.states import change_state

ZIP = 1000 * len("the zip of ")


@pytest.fixture(scope="module")
def example_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    write_example(folder, first_day=date(2026, 3, 1), rng=np.random.default_rng(7))
    return folder


@pytest.fixture
def numbers(database, example_folder, tmp_path):
    """Fill every table; give the submissions by state."""
    return server_case.fill(database, open_storage((tmp_path / "files").as_uri()), example_folder)


def size(state):
    return ZIP + 1000 * len(state)


def test_files_are_counted_by_why_they_are_kept(database, numbers):
    with database.reading() as session:
        images = session.scalar(select(func.sum(Image.input_bytes + func.coalesce(Image.reference_bytes, 0))))
        (kinds,) = read_kept(session).values()
        (of_challenge,) = read_kept(session, "challenge_id").values()
        team = session.get_one(Submission, numbers["scored"]).team_id
        of_team = read_kept(session, "team_id", team_id=team)
    assert kinds == of_challenge == {
        "images of data sets": images,
        "in a study": size("scored"),
        "accepted": size("accepted"),
        "under way": sum(map(size, ("receiving", "checking", "queued", "scoring"))),
        "failed": size("failed"),
        "withdrawn": size("withdrawn"),
        "refused": size("refused"),
    }  # fmt: skip
    del kinds["images of data sets"]
    assert of_team == {team: kinds}
    assert [kind for kind in KEPT_KINDS if kind in kinds] == list(kinds)


def test_a_chosen_entry_of_a_discarded_study_is_kept_as_chosen(database, numbers):
    with database.writing() as session:
        session.execute(update(Study).values(state="discarded", discarded_at=server_case.NOON))
        kinds = read_kept(session)[None]
    assert ("in a study" in kinds, kinds["chosen"]) == (False, size("scored"))


def test_a_team_does_not_see_which_of_its_files_are_in_a_study(database, numbers, example_folder):
    definition = server_case.read(example_folder)
    with database.reading() as session:
        current = load_current(session, definition)
        team = session.get_one(Submission, numbers["scored"]).team_id
        kept = [kept_of_team(session, current, team, for_team=each) for each in (True, False)]
    assert kept[0].n_bytes == kept[1].n_bytes
    assert "in a study" not in kept[0].kinds
    assert kept[0].kinds["accepted"] == kept[1].kinds["accepted"] + kept[1].kinds["in a study"]


def limited(challenge, session, **limits):
    current = challenge.load(session, scored=Intake(on="one"))  # any number of tries
    uploads = Uploads(team_bytes=limits.get("team"))
    return replace(
        current,
        definition=replace(current.definition, uploads=uploads),
        quota_bytes=limits.get("whole"),
    )


def submit(challenge, session, n_bytes, digit, *, member=None, **limits):
    return challenge.submit(
        session,
        n_bytes=n_bytes,
        sha256=digit * 64,
        member=member or challenge.member,
        challenge=limited(challenge, session, **limits),
    )


def test_a_file_beyond_what_a_team_may_have_is_refused_and_takes_no_try(challenge):
    with challenge.database.writing() as session:
        submit(challenge, session, 60, "a", team=100)
        submit(challenge, session, 40, "b", team=100)  # just full
    with (
        pytest.raises(
            StorageFullError, match=r"your team has 100 bytes of at most 100 bytes here, and this file of 1"
        ),
        challenge.database.writing() as session,
    ):
        submit(challenge, session, 1, "c", team=100)
    with challenge.database.writing() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 2
        submit(
            challenge, session, 100, "c", member=challenge.other, team=100
        )  # another team's room is its own


def test_a_file_that_a_team_has_already_takes_no_more_room(challenge):
    with challenge.database.writing() as session:
        submit(challenge, session, 90, "a", team=100)
        submit(challenge, session, 90, "a", team=100)
        team = session.get_one(Member, challenge.member).team_id
        assert read_kept(session, "team_id") == {team: {"under way": 90}}


def test_what_is_refused_is_reported_as_the_way_out_and_what_was_given_up_takes_no_room(challenge):
    with challenge.database.writing() as session:
        first = submit(challenge, session, 60, "a", team=100)
        change_state(session, challenge.now, first.id, "checking")
        change_state(session, challenge.now, first.id, "refused", error="wrong")
        second = submit(challenge, session, 40, "b", team=100)
        change_state(session, challenge.now, second.id, "abandoned", error="nothing came")
    with (
        pytest.raises(StorageFullError, match=r"ask the organisers for room. 60 bytes of it are refused"),
        challenge.database.writing() as session,
    ):
        submit(challenge, session, 50, "c", team=100)
    with challenge.database.writing() as session:
        submit(challenge, session, 40, "c", team=100)


@pytest.mark.parametrize("repetition", range(3))
def test_of_two_teams_at_once_one_fills_the_challenge(challenge, repetition):
    start, ends = threading.Barrier(2), []

    def post(member):
        start.wait()
        try:
            with challenge.database.writing() as session:
                submit(challenge, session, 60, "ab"[member == challenge.other], member=member, whole=100)
            ends.append("taken")
        except StorageFullError as error:
            ends.append(str(error))

    threads = [threading.Thread(target=post, args=(each,)) for each in (challenge.member, challenge.other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refusal, taken = sorted(ends, key=lambda each: each == "taken")
    assert taken == "taken"
    assert refusal.startswith("this challenge has 60 bytes of at most 100 bytes here")


def test_a_quota_is_in_force_at_once(challenge):
    with challenge.database.writing() as session:
        session.execute(update(Challenge).values(quota_bytes=5))
    with challenge.database.writing() as session, pytest.raises(StorageFullError):
        challenge.submit(session, n_bytes=6)
