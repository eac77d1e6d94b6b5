import io

import numpy as np
import pytest
from PIL import Image as PillowImage
from sqlalchemy import select

from jobs_world import InlineCrew, make_zip
from raim.challenge import StudyRule, read_challenge
from raim.data import read_manifest
from raim.images import read_image
from raim.scoring.profiles import PROFILES
from raim.server import database as t
from raim.server.contest import load_contest
from raim.server.jobs import tiling
from raim.server.jobs.due import MOST_ATTEMPTS, Job, begin_anew, read_due
from raim.server.study.building import build_study, propose_study
from raim.server.study.closing import count_unmade, discard_study, open_study, try_tiles_again
from raim.server.tiles import Spot, read_index, read_tile

pytest.importorskip("pyvips", reason="libvips is not installed")

SET = "final-unpaired"


@pytest.fixture
def study(world):
    """Let ada and bob have final submissions, and build a study of them; give its number."""

    def make(*packed):
        for team, content in zip(("ada", "bob"), packed or (None, None), strict=True):
            number = world.submit(team, content, kind="final", data_set=SET, state="accepted")
            with world.database.writing() as session:
                phases = {each.slug: each.id for each in session.scalars(select(t.Phase))}
                row = session.get_one(t.Submission, number)
                names = session.scalars(select(t.Image.name).where(t.Image.data_set_id == row.data_set_id))
                row.phase_id, row.report = phases["final"], {"image_sha256": dict.fromkeys(names, "3" * 64)}
                invited = t.Finalist(
                    phase_id=phases["feedback"],
                    team_id=row.team_id,
                    position=number,
                    invited_at=world.clock(),
                )
                session.add(invited)
        challenge = read_challenge(world.example, profiles=PROFILES, read_manifest=read_manifest)
        with world.database.writing() as session:
            contest = load_contest(session, challenge)
            proposal = propose_study(session, contest, contest.challenge.phase("final"))
            rule = StudyRule(phase="final")
            return build_study(
                session, world.clock(), contest, proposal, title="S", rule=rule, seed=1, actor_id=None
            ).id

    return make


@pytest.fixture
def inline(monkeypatch):
    monkeypatch.setattr(tiling, "Crew", InlineCrew)


def due(world):
    with world.database.reading() as session:
        return [job for job in read_due(session) if job.kind == "tiles"]


def test_a_child_process_makes_the_tiles_of_every_image_and_the_study_can_open(world, study):
    number = study()
    jobs = due(world)
    assert [job.id for job in jobs] == [f"tiles-{row.id}-0" for row in world.rows(t.StudyImage)]
    for job in jobs:
        assert tiling.run_tiling(world.station(), job.submission_id) == "made"
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
    assert [tiling.run_tiling(world.station(), first) for _ in range(2)] == ["made", ""]


def test_a_study_that_is_put_aside_wants_no_tiles(world, study, inline):
    number = study()
    first = due(world)[0].submission_id
    with world.database.writing() as session:
        discard_study(
            session, world.clock(), session.get_one(t.Study, number), reason="wrong images", actor_id=None
        )
    assert due(world) == []
    assert tiling.run_tiling(world.station(), first) == ""


def test_a_fault_names_image_and_team_and_can_be_tried_again(world, study):
    images = world.images(0, SET)
    spoiled = dict.fromkeys(images, b"\x89PNG\r\n\x1a\nnothing")
    number = study(make_zip(images), make_zip(spoiled))
    first = due(world)[0]
    assert tiling.run_tiling(world.station(), first.submission_id) == "failed"
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
    assert tiling.run_tiling(world.station(patience_s=()), last) == "failed"
    assert "there is no image" in world.rows(t.StudyImage, id=last)[0].error


def test_a_job_that_ended_without_tiles_is_made_again_and_fails_in_the_end(world, study):
    study()
    first = due(world)[0]
    for attempt in range(MOST_ATTEMPTS + 1):
        with world.database.writing() as session:
            begin_anew(
                session,
                world.clock(),
                [Job(kind="tiles", submission_id=first.submission_id, attempt=attempt)],
            )
    assert "never came to an end" in world.rows(t.StudyImage, id=first.submission_id)[0].error
