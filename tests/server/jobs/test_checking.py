"""The check: what it decides, what it records and flags, and what a hostile archive cannot do."""

import pytest

from jobs_world import InlinePool, make_zip
from pool_work import crash
from raim.errors import StorageError
from raim.server.database import LogLine
from raim.server.jobs import checking, process_pool
from raim.server.jobs.checking import run_check
from raim.server.jobs.process_pool import TaskOutcome
from raim.server.storage import delete_file
from raim.server.submissions.restored import places_of
from raim.server.submissions.states import change_state


@pytest.fixture
def inline(monkeypatch):
    monkeypatch.setattr(process_pool, "ProcessPool", InlinePool)


def test_a_good_submission_is_checked_in_a_process_of_its_own_and_queued(world):
    number = world.submit("ada")
    assert run_check(world.context(), number, 1) == "queued"
    row = world.read(number)
    assert (row.state, row.attempt, row.lease_owner) == ("queued", 1, None)
    assert (row.images_done, row.images_total) == (2, 2)
    assert row.report["ok"]
    assert row.report["schema"] == "raim-check/1"
    assert str(world.folder) not in str(row.report)
    with world.database.reading() as session:
        assert sorted(places_of(session, [number])[number]) == ["0001", "0002"]
    assert row.flags == {}


def test_a_process_that_dies_twice_refuses_the_archive(world, monkeypatch):
    number = world.submit("ada")
    monkeypatch.setattr(checking, "check_archive", crash)
    assert run_check(world.context(), number, 1) == "refused"
    row = world.read(number)
    assert row.takes_try is False
    assert "it could not be checked" in row.error
    assert "twice in a row" in row.error
    assert "the check died" in world.rows(LogLine)[0].text


def test_a_process_that_dies_once_is_forgiven(world, monkeypatch):
    number = world.submit("ada")
    deaths = iter(["it took too long"])

    class DiesOnce(InlinePool):
        def run(self, work, tasks, **options):
            for task, outcome in super().run(work, tasks, **options):
                died = next(deaths, None)
                yield task, outcome if died is None else TaskOutcome(died=died)

    monkeypatch.setattr(process_pool, "ProcessPool", DiesOnce)
    assert run_check(world.context(), number, 1) == "queued"


def test_all_problems_are_reported_and_the_try_is_given_back(world, inline):
    images = world.images(1)
    images.pop("0001.png")
    images |= {"0009.png": b"no image", "0002.png": b"broken"}
    number = world.submit("ada", make_zip(images))
    assert run_check(world.context(), number, 1) == "refused"
    row = world.read(number)
    assert row.takes_try is False
    assert row.error.startswith("submission.zip: 3 problems")
    for code in ("missing", "unexpected", "unreadable"):
        assert f"[{code}]" in row.error
    assert len(row.report["problems"]) == 3


@pytest.mark.parametrize("kind", ["feedback", "final"])
def test_what_is_not_scored_is_accepted(world, inline, kind):
    number = world.submit("ada", kind=kind, data_set="final-unpaired")
    assert run_check(world.context(), number, 1) == "accepted"


def test_a_check_done_twice_changes_nothing(world, inline):
    number = world.submit("ada")
    assert run_check(world.context(), number, 1) == "queued"
    before = world.read(number)
    assert run_check(world.context(), number, 1) == ""
    after = world.read(number)
    assert (after.state, after.attempt, after.report) == (before.state, before.attempt, before.report)


def test_what_is_withdrawn_meanwhile_stays_so(world, monkeypatch):
    number = world.submit("ada")

    class Withdrawn(InlinePool):
        def run(self, work, tasks, **options):
            with world.database.writing() as session:
                change_state(session, world.clock(), number, "withdrawn")
            yield from super().run(work, tasks, **options)

    monkeypatch.setattr(process_pool, "ProcessPool", Withdrawn)
    assert run_check(world.context(), number, 1) == "withdrawn"
    assert world.read(number).report is None


def test_a_file_that_is_gone_is_our_fault(world, inline):
    number = world.submit("ada")
    delete_file(world.storage, world.read(number).committed_sha256)
    assert run_check(world.context(), number, 1) == "failed"
    row = world.read(number)
    assert row.takes_try is False
    assert "fault of the server" in row.error
    assert StorageError.__name__ in world.rows(LogLine)[0].text


def test_the_file_of_a_reference_is_flagged(world, inline):
    images = world.images(1)
    images["0001.png"] = (world.example / "data/feedback-pairs/reference/0001.png").read_bytes()
    number = world.submit("ada", make_zip(images))
    assert run_check(world.context(), number, 1) == "queued"
    assert world.read(number).flags == {"reference-file": "1 of its images are the file of a reference: 0001"}


def test_another_teams_file_and_images_are_flagged_but_not_its_own(world, inline):
    images = world.images(1)
    same = make_zip(images)
    first = world.submit("ada", same)
    again = world.submit("ada", same)
    second = world.submit("bob", same)
    third = world.submit("cyn", make_zip(world.images(9) | {"0002.png": images["0002.png"]}))
    for number in (first, again, second, third):
        assert run_check(world.context(), number, 1) == "queued"
    assert world.read(first).flags.keys() == {"same-file"}  # bob's has arrived before the check
    assert world.read(again).flags.keys() == {"same-file"}
    assert world.read(second).flags == {
        "same-file": "its file is that of submission 1 of team 'ada', 2 of team 'ada'",
        "same-images": "of its 2 images it shares files: 2 with submission 1 of team 'ada', "
        "2 with submission 2 of team 'ada'",
    }
    assert (
        world.read(third)
        .flags["same-images"]
        .startswith("of its 2 images it shares files: 1 with submission 1")
    )


def test_inputs_handed_in_unchanged_are_no_flag(world, inline):
    inputs = sorted((world.example / "data/feedback-pairs/input").iterdir())
    for team, note in (("ada", ""), ("bob", " ")):
        files = {path.name: path.read_bytes() for path in inputs}
        number = world.submit(team, make_zip(files) if not note else make_zip(dict(reversed(files.items()))))
        assert run_check(world.context(), number, 1) == "queued"
        assert world.read(number).flags == {}
