from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from closed_material import TABLE_1
from raim.challenge import Weights, write_example
from raim.errors import InputError
from raim.images import write_image
from raim.report.closed.folder import FolderOptions, read_folder
from raim.study import StudyDesign, simulate_ballots
from raim.study.files import StudyDocument, format_document, format_votes

FEW = FolderOptions(n_draws=100)


@pytest.fixture
def folder(tmp_path):
    lines = [f"{team},{s2}" for team, (s2, *_) in TABLE_1.items()]
    (tmp_path / "scores.csv").write_text("team,score\n" + "\n".join(lines) + "\n")
    lines = [f"{team},{s3}" for team, (_, s3, *_) in TABLE_1.items()]
    (tmp_path / "points.csv").write_text("team,points\n" + "\n".join(lines) + "\n")
    return tmp_path


def small_study():
    design = StudyDesign(
        seed=3,
        entries=("Alpha", "Beta", "Gamma"),
        images={f"{n:02d}": "noise" if n % 2 else "text" for n in range(6)},
        n_judges=4,
    )
    strengths = {"Alpha": 1.5, "Beta": 0.0, "Gamma": -1.0}
    return simulate_ballots(design, strengths, np.random.default_rng(3))


@pytest.fixture
def voted(tmp_path):
    (tmp_path / "scores.csv").write_text(
        "team,score,psnr,dists\nAlpha,70,27.5,0.11\nBeta,72,28,0.12\nGamma,60,26,0.2\n"
    )
    (tmp_path / "votes.csv").write_text(format_votes(small_study(), is_simulated=True))
    return tmp_path


def test_scores_and_points_alone_give_table_1(folder):
    material = read_folder(folder)
    assert {row.team: (f"{row.final:.2f}", row.rank) for row in material.ranking.rows} == {
        team: (f"{final:.2f}", rank) for team, (_, _, final, rank) in TABLE_1.items()
    }
    assert material.title == folder.name
    assert not material.is_simulated


def test_scores_alone_rank_by_score(folder):
    (folder / "points.csv").unlink()
    material = read_folder(folder)
    assert material.ranking.rows[0].team == "Xhs-IAG"
    assert material.ranking.weights == Weights(score=1, study=0)


def test_votes_are_analysed_and_their_points_ranked(voted):
    material = read_folder(voted, FEW)
    points = {each.entry: each.points.value for each in material.analysis.entries}
    assert {row.team: row.points for row in material.ranking.rows} == points
    assert sum(points.values()) == pytest.approx(6 * 6)
    assert material.is_simulated
    assert material.team("Alpha").measures == {"psnr": 27.5, "dists": 0.11}
    assert {part.name for part in material.analysis.issues} == {"noise", "text"}


def test_the_rank_that_raim_score_wrote_is_no_measure(folder):
    (folder / "points.csv").unlink()
    (folder / "scores.csv").write_text(
        "entry,kind,name,scenario,psnr,score,rank,n_scored,n_expected,warnings,unscored\n"
        "Alpha,entry,mean,,27.5,70,1,2,2,,\n"
    )
    assert read_folder(folder).team("Alpha").measures == {"psnr": 27.5}


def test_a_study_json_gives_the_same_as_its_table_of_votes(voted):
    from_table = read_folder(voted, FEW)
    (voted / "votes.csv").unlink()
    document = StudyDocument(ballots=small_study(), is_simulated=True)
    (voted / "study.json").write_text(format_document(document))
    assert [(row.team, row.final) for row in read_folder(voted, FEW).ranking.rows] == [
        (row.team, row.final) for row in from_table.ranking.rows
    ]


def test_left_out_teams_and_excluded_judges_are_listed_with_their_reasons(voted):
    (voted / "teams.csv").write_text("team,left_out,Method\nAlpha,no code was sent,A net\nBeta,,=Our net\n")
    (voted / "judges.csv").write_text("judge,excluded\nJ02,knew a team\n")
    material = read_folder(voted, FEW)
    assert [row.why_unranked for row in material.ranking.left_out] == ["left out: no code was sent"]
    assert material.analysis.excluded == ("J02",)
    assert any("J02" in note and "knew a team" in note for note in material.notes)
    assert material.team("Beta").fact_sheet == {"Method": "=Our net"}


def test_what_raim_score_wrote_gives_scenarios_too(folder):
    (folder / "scores.csv").write_text(
        "entry,kind,name,scenario,psnr,score,warnings,unscored\n"
        "MiAlgo,image,1,blur,30,50,,\nMiAlgo,scenario,mean,blur,30,50,,\nMiAlgo,entry,mean,,30,50.5,,\n"
        "HIT-IIL,scenario,mean,blur,20,40,,\nHIT-IIL,entry,mean,,20,40,,\n"
    )
    (folder / "points.csv").write_text("team,points\nMiAlgo,5\nHIT-IIL,1\n")
    team = read_folder(folder).team("MiAlgo")
    assert (team.score, team.measures, team.scenarios) == (
        50.5,
        {"psnr": 30.0},
        {"blur": {"psnr": 30.0, "score": 50.0}},
    )


def test_submissions_and_the_challenges_own_file_are_read(folder):
    write_example(folder / "new", first_day=date(2026, 3, 1), rng=np.random.default_rng(1))
    for name in ("challenge.toml", "description.md"):
        text = "\ufeff" + (folder / "new" / name).read_text(encoding="utf-8")  # as Notepad writes it
        (folder / name).write_text(text, encoding="utf-8", newline="\r\n")
    (folder / "submissions.csv").write_text(
        "submitted_at,team,score\n2026-03-05T10:00:00+01:00,MiAlgo,70\n2026-03-04T10:00:00Z,HIT-IIL,\n"
    )
    material = read_folder(folder, FolderOptions(created_at=datetime(2026, 6, 1, tzinfo=UTC)))
    assert [(each.team, each.score, each.at.hour) for each in material.timeline] == [
        ("HIT-IIL", None, 10),
        ("MiAlgo", 70.0, 9),
    ]
    assert material.participation == {"teams that handed something in": 2, "submissions": 2}
    assert material.ranking.rows[0].award
    assert material.phases
    assert material.organisers


def test_names_mean_the_same_team_in_every_form(voted):
    scores = "\ufeffTeam;SCORE;PSNR\r\nAlpha\u00a0;70,5;27,5\r\n7;72;28\r\nGa\u0308mma;60;26\r\n;;\r\n"
    (voted / "scores.csv").write_text(scores, encoding="utf-8", newline="")
    votes = (voted / "votes.csv").read_text().replace("Beta", "007").replace("Gamma", "Gämma")
    (voted / "votes.csv").write_text(votes, encoding="utf-16")
    (voted / "teams.csv").write_text("team\tleft_out\nGämma\tlate\n", encoding="cp1252")
    material = read_folder(voted, FEW)
    assert {each.team: (each.score, each.measures, each.left_out) for each in material.teams} == {
        "Alpha": (70.5, {"psnr": 27.5}, ""),
        "007": (72.0, {"psnr": 28.0}, ""),
        "Gämma": (60.0, {"psnr": 26.0}, "late"),
    }
    notes = " ".join(material.notes)
    assert "scores.csv: a spreadsheet has shortened 1 names, which are read as they were: 7 as 007" in notes
    assert "teams.csv: it is not UTF-8 (byte 15)" in notes


def test_a_list_of_images_that_names_none_is_refused(voted):
    (voted / "images" / "input").mkdir(parents=True)
    write_image(voted / "images" / "input" / "0000.png", np.zeros((8, 8, 3), np.uint8))
    (voted / "images.csv").write_text("name,issue\nother,fringes\n")
    with pytest.raises(InputError) as caught:
        read_folder(voted, FEW)
    assert "images.csv: no row names an image: it has other, the images are 0000" in str(caught.value)
    assert "the votes: no row names an image: it has 00, 01, 02, ..., the images are 0000" in str(
        caught.value
    )


def test_pictures_are_read_from_folders_named_after_the_teams(voted):
    pixels = np.zeros((8, 8, 3), np.uint8)
    for name in ("input", "Alpha", "Beta"):
        (voted / "images" / name).mkdir(parents=True)
        for stem in ("00", "01"):
            write_image(voted / "images" / name / f"{stem}.png", pixels)
    (voted / "images.csv").write_text("name,issue\n00,fringes\n")
    source = read_folder(voted, FEW).pictures
    assert [(each.name, each.issue) for each in source.images] == [("00", "fringes"), ("01", "noise")]
    assert source.read_input("00") == source.read_restored("Alpha", "00")
    assert source.read_restored("Gamma", "00") is None


def test_a_zip_that_cannot_be_read_costs_its_team_only(voted):
    for name in ("input", "Alpha"):
        (voted / "images" / name).mkdir(parents=True)
        write_image(voted / "images" / name / "00.png", np.zeros((8, 8, 3), np.uint8))
    (voted / "images" / "Beta.zip").write_bytes(b"PK no zip")
    source = read_folder(voted, FEW).pictures
    assert list(source.unreadable) == ["Beta"]
    assert source.read_restored("Alpha", "00")
    assert source.read_restored("Beta", "00") is None


def test_every_fault_of_every_file_is_listed_at_once(folder):
    (folder / "points.csv").write_text("team,points\nMiAlgo,many\nMiAlg,3\n")
    (folder / "submissions.csv").write_text("submitted_at,team,score\nyesterday,MiAlgo,1\n")
    (folder / "teams.csv").write_text("team,left_out\nNobody,\n,x\n")
    (folder / "images" / "Strangers").mkdir(parents=True)
    with pytest.raises(InputError) as caught:
        read_folder(folder)
    text = str(caught.value)
    parts = (
        "has 7 problems",
        "  points.csv, line 2: the points of 'MiAlgo' is 'many'",
        "did you mean 'MiAlgo'",
        "submissions.csv, line 2",
        "teams.csv, line 2",
        "teams.csv, line 3: it names no team",
        "Strangers",
        "there is no input",
    )
    for part in parts:
        assert part in text


ODD = {
    "no folder": (None, "there is no folder"),
    "no scores": ({"scores.csv": None}, "expected the columns team,score"),
    "no team": ({"scores.csv": "team,score\n", "points.csv": None}, "scores.csv: it names no team"),
    "columns": ({"scores.csv": "name,value\na,1\n"}, "there is no column 'score'"),
    "cells": ({"scores.csv": "team,score\na,1,2\n"}, "it has 3 cells"),
    "latin": ({"scores.csv": b"team,score\n\xe9\xc3\xa9,1\n"}, "it is not UTF-8"),
    "both": ({"votes.csv": "judge,image,entry,pick\n"}, "keep the one that counts"),
    "toml": ({"challenge.toml": "schema = 1\n"}, "challenge.toml"),
    "judges": ({"judges.csv": "judge,excluded\nAnn,x\n"}, "judge"),
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_an_unusable_folder_says_why(folder, name):
    files, message = ODD[name]
    for file, content in (files or {}).items():
        if content is None:
            (folder / file).unlink()
        else:
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message):
        read_folder(folder if files is not None else folder / "nowhere")


def test_the_same_folder_gives_the_same_material(voted):
    first, second = read_folder(voted, FEW), read_folder(voted, FEW)
    assert replace(first, pictures=None) == replace(second, pictures=None)
