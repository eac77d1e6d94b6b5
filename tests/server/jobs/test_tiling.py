import io
import os
import re
import time

import numpy as np
import pytest
from PIL import Image as PillowImage

from jobs_world import FINAL_SET as SET
from jobs_world import InlinePool, encode, make_study, make_zip
from raim.files import hash_file
from raim.images import read_image
from raim.server import database as t
from raim.server.jobs import process_pool, tiling, work_folder
from raim.server.jobs.process_pool import TaskOutcome
from raim.server.jobs.reconciling import MOST_ATTEMPTS, begin_again, read_due
from raim.server.jobs.workflows import QueuedJob
from raim.server.storage import delete_file
from raim.server.study.closing import count_unmade, discard_study, open_study, try_tiles_again
from raim.server.tiles import Spot, read_index, read_tile

pytest.importorskip("pyvips", reason="libvips is not installed")


@pytest.fixture
def study(world):
    """Build a study; give its number."""
    return lambda *packed: make_study(world, *packed)


@pytest.fixture
def inline(monkeypatch):
    monkeypatch.setattr(process_pool, "ProcessPool", InlinePool)


def due(world):
    with world.database.reading() as session:
        return [job for job in read_due(session) if job.kind == "tiles"]


def test_a_child_process_makes_the_tiles_of_every_image_and_the_study_can_open(world, study):
    number = study()
    jobs = due(world)
    assert [job.id for job in jobs] == [f"tiles-{row.id}-0" for row in world.rows(t.StudyImage)]
    for job in jobs:
        assert tiling.run_tiling(world.context(), job.submission_id) == "made"
    assert due(world) == []
    with world.database.writing() as session:
        row = session.get_one(t.Study, number)
        assert count_unmade(session, row) == (0, 0)
        open_study(session, world.clock(), row, actor_id=None)
    image = world.rows(t.StudyImage)[0]
    name = world.rows(t.Image, id=image.image_id)[0].name
    pixels = read_image(world.example / "data" / SET / "input" / f"{name}.png").pixels
    spot = Spot(source="input", level=0, column=0, row=0)
    tile = np.asarray(PillowImage.open(io.BytesIO(read_tile(world.storage, image.pack_sha256, spot))))
    assert (tile == pixels).all()
    assert set(read_index(world.storage, image.pack_sha256).groups[0].sources) == {
        "input",
        "e1",
        "e2",
        "blurred",
    }
    assert (image.pack["width"], image.pack["height"]) == (pixels.shape[1], pixels.shape[0])


def test_what_is_made_is_not_made_again(world, study, inline):
    study()
    first = due(world)[0].submission_id
    assert [tiling.run_tiling(world.context(), first) for _ in range(2)] == ["made", ""]


def test_a_study_that_is_put_aside_wants_no_tiles(world, study, inline):
    number = study()
    first = due(world)[0].submission_id
    with world.database.writing() as session:
        discard_study(
            session, world.clock(), session.get_one(t.Study, number), reason="wrong images", actor_id=None
        )
    assert due(world) == []
    assert tiling.run_tiling(world.context(), first) == ""


def test_a_fault_names_image_and_team_and_can_be_tried_again(world, study):
    images = world.images(0, SET)
    spoiled = dict.fromkeys(images, b"\x89PNG\r\n\x1a\nnothing")
    number = study(make_zip(images), make_zip(spoiled))
    first = due(world)[0]
    assert tiling.run_tiling(world.context(), first.submission_id) == "failed"
    row = world.rows(t.StudyImage, id=first.submission_id)[0]
    name = world.rows(t.Image, id=row.image_id)[0].name
    assert row.error.startswith(f"{name}: bob: ")
    assert first not in due(world)
    with world.database.writing() as session:
        assert try_tiles_again(session, world.clock(), session.get_one(t.Study, number), actor_id=None) == 1
    again = [job for job in due(world) if job.submission_id == first.submission_id]
    assert [job.id for job in again] == [f"tiles-{first.submission_id}-1"]


def test_an_entry_without_the_image_is_named(world, study, inline):
    images = world.images(0, SET)
    study(make_zip(images), make_zip(dict(list(images.items())[:1])))
    last = due(world)[-1].submission_id
    assert tiling.run_tiling(world.context(patience_s=()), last) == "failed"
    error = world.rows(t.StudyImage, id=last)[0].error
    assert re.search(r"bob: there is no image '\w+' in the submission$", error)


def test_candidates_of_different_sizes_are_reported_with_their_teams(world, study, inline):
    images = world.images(0, SET)
    small = encode(world.folder, np.zeros((16, 20, 3), np.uint8))
    study(make_zip(images), make_zip(dict.fromkeys(images, small)))
    first = due(world)[0].submission_id
    assert tiling.run_tiling(world.context(), first) == "failed"
    error = world.rows(t.StudyImage, id=first)[0].error
    assert re.search(r"(ada|bob) is \d+x\d+, (ada|bob) \d+x\d+; candidates of one image", error)


def test_a_child_that_dies_twice_is_reported_and_the_worker_goes_on(world, study, monkeypatch):
    study()
    began = []

    class DyingCrew(InlinePool):
        def run(self, _work, tasks, **_options):
            began.extend(tasks)
            yield began[-1], TaskOutcome(died="it was ended by SIGSEGV")

    monkeypatch.setattr(process_pool, "ProcessPool", DyingCrew)
    first = due(world)[0].submission_id
    assert tiling.run_tiling(world.context(), first) == "failed"
    assert len(began) == 2
    assert world.rows(t.StudyImage, id=first)[0].error.endswith(": it was ended by SIGSEGV")
    assert list((world.folder / "work/packs").iterdir()) == []


def test_a_fault_of_ours_is_reported_after_some_patience(world, study, inline):
    study()
    first = due(world)[0].submission_id
    delete_file(
        world.storage, world.rows(t.Image, id=world.rows(t.StudyImage, id=first)[0].image_id)[0].input_sha256
    )
    assert tiling.run_tiling(world.context(), first) == "failed"
    assert "there is no file" in world.rows(t.StudyImage, id=first)[0].error


def test_files_of_another_storage_are_brought_once_for_all_images(world, study, inline, monkeypatch):
    study()
    brought = []
    original = work_folder._bring
    monkeypatch.setattr(work_folder, "local_path", lambda *_: None)
    monkeypatch.setattr(work_folder, "_bring", lambda *args: (brought.append(args[1]), original(*args)))
    archives = [row.committed_sha256 for row in world.rows(t.Submission)]
    context = world.context()
    for _ in range(2):
        for sha256 in archives:
            path = work_folder.bring_submission(context, sha256)
            assert hash_file(path) == sha256
    assert brought == archives
    old = time.time() - work_folder.UNUSED_S - 9
    os.utime(path, (old, old))
    work_folder.prune_work(context, set())
    assert not path.exists()


def test_a_pack_that_is_gone_from_the_storage_is_made_again_the_same(world, study, inline):
    study()
    first = due(world)[0].submission_id
    context = world.context()
    assert tiling.run_tiling(context, first) == "made"
    made = world.rows(t.StudyImage, id=first)[0]
    assert tiling.forget_lost_packs(context) == 0
    delete_file(world.storage, made.pack_sha256)
    assert tiling.forget_lost_packs(context) == 1
    forgotten = world.rows(t.StudyImage, id=first)[0]
    assert (forgotten.pack_sha256, forgotten.made_at, forgotten.pack) == (None, None, made.pack)
    assert due(world)[0].id == f"tiles-{first}-1"
    assert tiling.run_tiling(context, first) == "made"
    assert world.rows(t.StudyImage, id=first)[0].pack_sha256 == made.pack_sha256


def test_a_job_that_ended_without_tiles_is_made_again_and_fails_in_the_end(world, study):
    study()
    first = due(world)[0]
    for attempt in range(MOST_ATTEMPTS + 1):
        with world.database.writing() as session:
            begin_again(
                session,
                world.clock(),
                [QueuedJob(kind="tiles", submission_id=first.submission_id, attempt=attempt)],
            )
    assert "never came to an end" in world.rows(t.StudyImage, id=first.submission_id)[0].error
