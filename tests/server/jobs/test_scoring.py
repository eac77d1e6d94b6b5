"""Scoring in groups: the numbers, who goes together, what bad input and withdrawal do, nothing done twice."""

from datetime import timedelta

import pytest

from jobs_world import encode, make_zip, score_waiting
from raim.errors import RaimError, StorageError
from raim.images import read_image
from raim.scoring import score_folders
from raim.server.database import AuditEvent, EntryResult, LogLine, Result
from raim.server.jobs import archive_work, scoring
from raim.server.jobs.archive_work import ScoreTask, score_task
from raim.server.jobs.context import renew_heartbeat, start_heartbeat
from raim.server.jobs.finishing import finish_group
from raim.server.jobs.process_pool import ProcessPool, TaskLimits, TaskOutcome
from raim.server.jobs.scoring import choose_group, score_batch
from raim.server.jobs.waiting import read_waiting
from raim.server.storage import delete_file, local_path
from raim.server.submissions.states import change_state

MEASURES = ("psnr", "ssim", "lpips", "dists", "niqe")


def choose(world, context):
    with world.database.reading() as session:
        first = read_waiting(session)[0]
    return choose_group(context, first.submission_id, first.attempt, first.scorer_version)


def test_scored_together_gives_the_numbers_of_each_alone(world, pool, own_values):
    ids = [world.submit(team, state="queued") for team in ("ada", "bob", "cyn")]
    paths = {each: local_path(world.storage, world.read(each).committed_sha256) for each in ids}
    assert score_waiting(world.context(pool=pool)) == [ids]
    alone = [
        ScoreTask(
            name="0001",
            scenario=None,
            reference=world.example / "data/feedback-pairs/reference",
            archives={each: path},
            profile="raim-2024",
            cache=None,
        )
        for each, path in paths.items()
    ]
    expected = {}
    for _, outcome in pool.run(score_task, alone):
        expected |= outcome.value.records
    for number in ids:
        row = world.read(number)
        assert (row.state, row.images_done, row.images_total, row.lease_owner) == ("scored", 2, 2, None), (
            row.error
        )
        first = world.rows(Result, submission_id=number)[0]
        assert first.score == expected[number]["score"]
        assert first.measures == {name: expected[number][name] for name in MEASURES}
        assert first.restored_sha256 == expected[number]["sha256"]


@pytest.mark.slow
def test_the_numbers_are_those_of_raim_score(world, pool, own_values):
    ids = [world.submit(team, state="queued") for team in ("ada", "bob")]
    score_waiting(world.context(pool=pool))
    paths = [local_path(world.storage, world.read(each).committed_sha256) for each in ids]
    table = score_folders(paths, world.example / "data/feedback-pairs/reference", names=list(map(str, ids)))
    expected = {int(entry.name): entry for entry in table.entries}
    for number in ids:
        (entry,) = world.rows(EntryResult, submission_id=number)
        assert (entry.score, entry.n_images, entry.n_scored) == (expected[number].mean["score"], 2, 2)
        assert entry.measures == {name: expected[number].mean[name] for name in MEASURES}
        assert sorted(entry.scenarios) == ["denoising", "motion blur"]
        results = world.rows(Result, submission_id=number)
        assert [each.score for each in results] == [image.score for image in expected[number].images]


def test_a_job_done_twice_leaves_the_same_rows(world, pool):
    context = world.context(pool=pool)
    number = world.submit("ada", state="queued")
    group = choose(world, context)
    records = score_batch(context, group, 0).records
    assert finish_group(context, group, records) == [number]
    before = (len(world.rows(Result)), len(world.rows(EntryResult)), len(world.rows(AuditEvent)))
    assert finish_group(context, group, records) == []
    assert score_batch(context, group, 0).lost == (number,)
    assert (len(world.rows(Result)), len(world.rows(EntryResult)), len(world.rows(AuditEvent))) == before
    assert before[:2] == (2, 1)


def test_results_and_state_come_in_one_transaction(world, pool, monkeypatch):
    context = world.context(pool=pool, patience_s=())
    number = world.submit("ada", state="queued")
    group = choose(world, context)
    records = score_batch(context, group, 0).records

    def fail(*_args, **_keywords):
        raise RuntimeError("the last statement fails")

    monkeypatch.setattr("raim.server.jobs.finishing.change_state", fail)
    assert finish_group(context, group, records) == []
    assert world.rows(Result) == world.rows(EntryResult) == []
    row = world.read(number)
    assert (row.state, row.takes_try) == ("failed", False)
    assert "fault of the server" in row.error
    assert "RuntimeError" in row.error
    (line,) = world.rows(LogLine)
    assert "the last statement fails" in line.text


def test_bad_input_fails_alone_and_the_others_are_scored(world, pool, monkeypatch):
    context = world.context(pool=pool)
    good, bad, other = (world.submit(team, state="queued") for team in ("ada", "bob", "cyn"))
    run = pool.run

    def die_over_bad(work, tasks, **options):
        for task, outcome in run(work, tasks, **options):
            yield task, TaskOutcome(died="it took too long") if bad in task.archives else outcome

    monkeypatch.setattr(type(pool), "run", lambda _pool, *args, **options: die_over_bad(*args, **options))
    score_waiting(context)
    row = world.read(bad)
    assert (row.state, row.takes_try) == ("failed", False)
    assert "image 0001 could not be scored, twice in a row: it took too long" in row.error
    assert [world.read(each).state for each in (good, other)] == ["scored", "scored"]
    assert world.rows(Result, submission_id=bad) == []
    assert len(world.rows(Result)) == 4


class CrewOfThisProcess(ProcessPool):
    """Does what child processes do, here, where tests can make it fail."""

    def run(self, work, tasks, **_options):
        for task in tasks:
            try:
                outcome = TaskOutcome(value=work(task, lambda _message: None))
            except RaimError as error:
                outcome = TaskOutcome(fault=str(error))
            yield task, outcome


def test_a_failure_over_one_image_is_no_score_and_gives_the_try_back(world, monkeypatch):
    images = world.images(777)
    good, bad = world.submit("ada", state="queued"), world.submit("bob", make_zip(images), state="queued")

    def read_some(content, **options):
        if content == images["0002.png"]:
            raise MemoryError
        return read_image(content, **options)

    monkeypatch.setattr(archive_work, "read_apart", read_some)
    score_waiting(world.context(pool=CrewOfThisProcess(1, TaskLimits().score)))
    row = world.read(bad)
    assert (row.state, row.takes_try) == ("failed", False)
    assert "image 0002: the scoring of images has a fault" in row.error
    assert [each.submission_id for each in world.rows(EntryResult)] == [good]
    assert {each.submission_id for each in world.rows(Result)} == {good}


def test_a_withdrawn_submission_is_left_out_of_the_rest(world, pool):
    context = world.context(pool=pool, processes=1)
    first, second = world.submit("ada", state="queued"), world.submit("bob", state="queued")
    context.seconds_per_image = 100.0  # one photograph in each batch
    group = choose(world, context)
    assert group.batches == (("0001",), ("0002",))
    one = score_batch(context, group, 0)
    with world.database.writing() as session:
        change_state(session, world.clock(), first, "withdrawn")
    two = score_batch(context, group, 1, one.lost)
    assert (one.lost, two.lost) == ((), (first,))
    assert list(two.records["0002"]) == [second]
    assert finish_group(context, group, one.records | two.records) == [second]
    assert [world.read(each).state for each in (first, second)] == ["withdrawn", "scored"]
    assert world.rows(Result, submission_id=first) == []


def test_an_image_without_a_score_leaves_the_entry_without_one(world, pool):
    images = world.images(1)
    del images["0002.png"]  # as after an organiser's change of the data set; a check would refuse it
    number = world.submit("ada", make_zip(images), state="queued")
    score_waiting(world.context(pool=pool))
    (entry,) = world.rows(EntryResult)
    assert (entry.score, entry.n_images, entry.n_scored) == (None, 2, 1)
    assert entry.unscorable == "1 of 2 images have no score: 0002: missing: there is no file named 0002"
    scored, unscored = world.rows(Result)
    assert scored.unscorable is None
    assert (unscored.score, unscored.unscorable) == (None, "missing: there is no file named 0002")
    assert unscored.measures == dict.fromkeys(MEASURES)
    assert world.read(number).state == "scored"


def test_an_image_that_nobody_can_have_a_score_for_is_expected_of_nobody(world, pool):
    world.submit("ada", state="queued")
    context = world.context(pool=pool)
    group = choose(world, context)
    records = score_batch(context, group, 0).records
    (number,) = records["0002"]
    nothing = dict.fromkeys((*MEASURES, "score"))
    records["0002"][number] |= {**nothing, "unscored": "its reference is too small", "is_expected": False}
    assert finish_group(context, group, records) == [number]
    (entry,) = world.rows(EntryResult)
    assert (entry.score, entry.unscorable) == (records["0001"][number]["score"], None)


def test_a_file_that_is_gone_fails_with_a_reason_and_gives_the_try_back(world, pool):
    number = world.submit("ada", state="queued")
    delete_file(world.storage, world.read(number).committed_sha256)
    score_waiting(world.context(pool=pool))
    row = world.read(number)
    assert (row.state, row.takes_try) == ("failed", False)
    assert "there is no file" in row.error
    assert "StorageError" in world.rows(LogLine)[0].text


def test_a_fault_that_passes_costs_only_time(world, pool, monkeypatch):
    number = world.submit("ada", state="queued")
    faults = iter([StorageError("the storage is unavailable"), OSError("disk full")])
    bring = scoring.bring_data_set

    def bring_later(*args):
        fault = next(faults, None)
        if fault is not None:
            raise fault
        return bring(*args)

    monkeypatch.setattr(scoring, "bring_data_set", bring_later)
    score_waiting(world.context(pool=pool))
    assert world.read(number).state == "scored"


def test_a_new_scorer_version_makes_new_rows_beside_the_old(world, pool):
    context = world.context(pool=pool)
    number = world.submit("ada", state="queued")
    score_waiting(context)
    old = world.rows(EntryResult)[0].scorer_version
    new = world.use_profile("raim-2026-hdr")
    world.change(number, rescore_asked_at=world.clock())
    score_waiting(context)
    row = world.read(number)
    assert (row.state, row.rescore_asked_at, row.lease_owner, row.attempt) == ("scored", None, None, 2)
    assert [each.scorer_version for each in world.rows(EntryResult)] == [old, new]
    assert [sorted(each.measures) for each in world.rows(EntryResult)] == [
        sorted(MEASURES),
        ["lpips", "psnr", "ssim"],
    ]
    assert len(world.rows(Result)) == 4
    assert "score again" in [each.action for each in world.rows(AuditEvent)]


def test_asked_again_under_the_same_version_nothing_is_added(world, pool):
    context = world.context(pool=pool)
    number = world.submit("ada", state="queued")
    score_waiting(context)
    world.change(number, rescore_asked_at=world.clock())
    score_waiting(context)
    assert world.read(number).rescore_asked_at is None
    assert (len(world.rows(Result)), len(world.rows(EntryResult))) == (2, 1)


def test_a_group_chosen_under_another_version_is_given_back(world, pool):
    context = world.context(pool=pool)
    number = world.submit("ada", state="queued")
    group = choose(world, context)
    world.use_profile("raim-2026-hdr")
    assert score_batch(context, group, 0).lost == (number,)
    assert world.read(number).state == "queued"


def test_another_worker_goes_on_only_once_the_first_is_silent(world, pool):
    one, two = world.context("one", pool=pool), world.context("two", pool=pool)
    number = world.submit("ada", state="queued")
    one.seconds_per_image = 100.0
    one.processes = 1
    group = choose(world, one)
    with world.database.writing() as session:
        start_heartbeat(session, world.clock(), "one")
    first = score_batch(one, group, 0)
    assert score_batch(two, group, 1).lost == (number,)
    world.clock.move(61)
    second = score_batch(two, group, 1)
    assert second.lost == ()
    assert finish_group(one, group, first.records | second.records) == []
    assert finish_group(two, group, first.records | second.records) == [number]
    assert (world.read(number).state, world.read(number).attempt) == ("scored", 1)


def test_an_entry_with_the_pixels_of_a_reference_is_flagged_and_scored(world, pool):
    images = world.images(1)
    reference = world.example / "data/feedback-pairs/reference/0002.png"
    images["0002.png"] = encode(world.folder, read_image(reference).pixels)
    number = world.submit("ada", make_zip(images), state="queued")
    score_waiting(world.context(pool=pool))
    row = world.read(number)
    assert row.state == "scored"
    assert row.flags == {"reference-pixels": "1 of 2 images has the pixels of its reference: 0002"}


def test_the_pace_is_that_of_what_was_measured_and_not_of_what_was_known(world, pool, own_values):
    context = world.context(pool=pool)
    world.submit("ada", noise=1, state="queued")
    score_waiting(context)
    pace = context.seconds_per_image
    assert pace > 0
    world.submit("bob", noise=1, state="queued")
    score_waiting(context)
    assert context.seconds_per_image == pace


def test_a_lease_is_renewed_while_a_batch_lasts(world, pool):
    context = world.context(pool=pool)
    number = world.submit("ada", state="queued")
    score_batch(context, choose(world, context), 0)
    before, begun = world.read(number).lease_until, world.clock()
    with world.database.writing() as session:
        start_heartbeat(session, begun, context.name)
    world.clock.move(30)
    with context.busy("score", "", [number]), world.database.writing() as session:
        renew_heartbeat(session, context, begun)
    assert world.read(number).lease_until == before + timedelta(seconds=30)
