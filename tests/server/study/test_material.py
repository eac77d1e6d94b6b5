import io
import zipfile

import pytest

from desk_world import World
from held_images import note_zip
from raim.errors import StateError
from raim.server.database import FactSheet, StudyEntry, Submission
from raim.server.settings import read_settings
from raim.server.study import results as study_results
from raim.server.study.closed_folder import open_material
from server_case import keep
from server_site import OPENS
from study_world import NINTH, TABLE_1, StudyWorld, by_strength, make_table_1


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(study_results, "DRAWS", 60)


@pytest.fixture
def world(site):
    made = World(database=site.server.database, definition=site.definition, now=site.clock.now)
    made.user("olga", is_administrator=True)
    return made


def open_it(site):
    return open_material(site.server.settings, now=site.clock.now)


def test_a_closed_folder_gives_the_material_of_its_report(site, world):
    made = make_table_1(world, is_simulated=True)
    _, _, user_id = world.teams["MiAlgo"]
    content = zip_with(b"the pixels")
    with world.database.writing() as session:
        row = session.get_one(Submission, 2)  # MiAlgo's final one
        row.committed_sha256 = keep(site.server.storage, content)
        note_zip(session, site.server.storage, row)
        session.add(
            FactSheet(
                team_id=row.team_id,
                fields={"title": "A method", "code": ""},
                updated_at=world.now,
                updated_by=user_id,
            )
        )
        entry = session.get_one(StudyEntry, made.entry_id(NINTH))
        entry.left_out_reason, entry.left_out_at = "late", world.now
    with open_it(site) as material:
        assert [(row.team, round(row.final, 2), row.rank) for row in material.ranking.rows] == [
            (team, final, rank) for team, (_, _, final, rank) in TABLE_1.items()
        ]
        assert material.team(NINTH).left_out == "late"
        assert material.is_simulated
        assert material.team("MiAlgo").fact_sheet == {"Title of the method": "A method"}
        assert material.team("MiAlgo").measures["psnr"] == 30.0
        assert material.participation["submissions"] == 18
        assert [each.score for each in material.timeline if each.team == "MiAlgo"] == [79.13]
        assert material.analysis.n_images == len(material.pictures.images) == 50
        assert material.pictures.read_restored("MiAlgo", "t01") == b"the pixels"
        assert material.pictures.read_restored("MiAlgo", "t99") is None
        assert material.pictures.read_restored("Nobody", "t01") is None
        assert [phase.name for phase in material.phases] == [phase.name for phase in world.definition.phases]


def test_a_team_with_unscored_images_says_so_in_the_final_ranking(site, world):
    why = "1 of 50 images have no score: t01: missing"
    put = world.submission

    def put_incomplete(team, **given):
        if team == "MiAlgo" and "score" in given:
            given |= {"score": None, "unscorable": why}
        return put(team, **given)

    world.submission = put_incomplete
    make_table_1(world)
    with open_it(site) as material:
        last = material.ranking.rows[-1]
        assert (last.team, round(last.points), last.rank, last.why_unranked) == ("MiAlgo", 57, None, why)
        found = next(each for each in material.analysis.entries if each.entry == "MiAlgo")
        assert (found.final_rank.value, found.final_rank.why) == (None, why)


def zip_with(pixels):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("t01.png", pixels)
        archive.writestr("readme.txt", "x")
    return packed.getvalue()


def test_a_study_that_is_not_revealed_is_named_with_the_way_out(site, world):
    with pytest.raises(StateError, match=r"has a \[study\], and none is revealed"), open_it(site):
        pass
    made = StudyWorld(world=world)
    for name in ("Alpha", "Beta"):
        made.finalist(name, score=70.0)
    made.build().invite("Ada").open()
    with pytest.raises(StateError, match="is open; close and reveal it"), open_it(site):
        pass
    made.vote(by_strength({})).step("close")
    with pytest.raises(StateError, match="is closed; reveal it"), open_it(site):
        pass


def test_a_challenge_without_a_study_is_ranked_by_score_alone(site, world):
    path = site.folder / "challenge.toml"
    text = path.read_text(encoding="utf-8")
    begin, end = text.index("[study]"), text.index("[weights]")
    alone = text[end:].replace("score = 0.4", "score = 1.0").replace("study = 0.6", "study = 0.0")
    path.write_text(text[:begin] + alone, encoding="utf-8")
    site.change()
    for team, score in (("Alpha", 71.0), ("Beta", 72.5)):
        world.team(team)
        world.submission(team, phase="feedback", score=score)
    world.team("Cherry")
    why = "2 of 3 images have no score: 0002: missing; 0003: missing"
    world.submission("Cherry", phase="feedback", score=None, unscorable=why)
    with open_it(site) as material:
        assert [(row.team, row.final, row.rank, row.why_unranked) for row in material.ranking.rows] == [
            ("Beta", 72.5, 1, ""),
            ("Alpha", 71.0, 2, ""),
            ("Cherry", None, None, why),
        ]
        assert material.analysis is None
        assert material.pictures is None
        assert "SCORE alone" in material.notes[0]


def test_a_folder_without_a_server_says_so(challenge_folder):
    with (
        pytest.raises(StateError, match="has a server run in"),
        open_material(read_settings({}, folder=challenge_folder), now=OPENS),
    ):
        pass
