import csv
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest

from raim.cli.study import _format_points
from raim.study import StudyDesign, simulate_ballots
from raim.study.files import (
    StudyDocument,
    format_document,
    format_votes,
    read_archive,
    read_plan,
)

ENTRIES = ("Wren", "Robin", "Heron", "Teal")
IMAGES = "name,issue\n01,moire\n02,moire\n03,noise\n04,noise\n"


@pytest.fixture
def run(tmp_path, monkeypatch, run_raim):
    """Run `raim study` in a folder with a list of images and a simulated study; give its exit code and outputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")
    (tmp_path / "images.csv").write_text(IMAGES)
    (tmp_path / "study.json").write_text(format_document(study()), encoding="utf-8")
    (tmp_path / "scores.csv").write_text("team,score\nWren,70\nRobin,71\nHeron,72\nTeal,73\n")

    def start(*arguments):
        return run_raim("study", *arguments)

    return start


def study(**changes):
    images = {f"{number:02d}": "moire" if number % 2 else "noise" for number in range(12)}
    design = StudyDesign(seed=1, entries=ENTRIES, images=images, n_judges=6, **changes)
    strengths = {name: 1.2 * place for place, name in enumerate(ENTRIES)}
    ballots = simulate_ballots(design, strengths, np.random.default_rng(1), habits=["random"])
    return StudyDocument(ballots=ballots, design=design, is_simulated=True)


def plan(run, *arguments):
    named = [part for name in ENTRIES for part in ("--entry", name)]
    return run("plan", "out", "--seed", "3", *named, *arguments)


def test_a_plan_is_written_with_a_sheet_for_each_judge(run, tmp_path):
    code, out, _ = plan(run, "--images", "images.csv", "--judges", "3", "--traps", "1")
    assert code == 0
    assert "3 judges, 4 images, 4 entries: a trial shows all, mode top-three" in out
    assert "6 trials for each judge, of which 1 repeat and 1 trap; 2 of training before" in out
    assert "distinguished four times in five" in out
    made = read_plan(tmp_path / "out" / "plan.json")
    assert made.design.images == {"01": "moire", "02": "moire", "03": "noise", "04": "noise"}
    assert sorted(path.name for path in (tmp_path / "out/sheets").iterdir()) == ["01.csv", "02.csv", "03.csv"]


def test_options_reach_the_design(run, tmp_path):
    given = (
        "--mode",
        "pairwise",
        "--repeats",
        "0.5",
        "--criterion",
        "noise",
        "--judge",
        "Ann",
        "--judge",
        "Bob",
    )
    code, _, err = plan(
        run, "--images", "images.csv", *given, "--conflicts", "hide-tile", "--tie", "Bob=Teal"
    )
    assert (code, err) == (0, "")
    made = read_plan(tmp_path / "out" / "plan.json")
    design = made.design
    assert (design.mode, design.points, design.tiles, design.criteria) == ("pairwise", (1,), 2, ("noise",))
    assert ([each.judge for each in made.judges], made.judges[1].hidden) == (["Ann", "Bob"], ("Teal",))


def test_a_challenge_gives_rule_and_images(run, run_raim, tmp_path):
    run_raim("challenge", "new", "mine")
    code, out, err = plan(run, "--challenge", "mine")
    assert (code, err) == (0, "")
    assert "18 judges" in out
    made = read_plan(tmp_path / "out" / "plan.json")
    assert made.design.points == (3, 2, 1)
    assert set(made.design.images.values()) != {""}


WRONG_PLANS = {
    "no images": ((), "name the images"),
    "images twice": (("--images", "images.csv", "--challenge", "."), "name the images"),
    "points": (("--images", "images.csv", "--points", "1,2"), "never rise"),
    "points of the mode": (("--images", "images.csv", "--mode", "best", "--points", "2,1"), "needs 1"),
    "tiles": (("--images", "images.csv", "--tiles", "5"), "expected 2 to 4"),
    "tie": (("--images", "images.csv", "--tie", "J01"), "expected JUDGE=ENTRY"),
    "entry of a tie": (("--images", "images.csv", "--tie", "J01=Wrem"), "did you mean 'Wren'"),
    "list": (("--images", "none.csv"), "none.csv cannot be read: No such file"),
}


@pytest.mark.parametrize("name", WRONG_PLANS)
def test_what_cannot_be_planned_is_refused(run, tmp_path, name):
    given, message = WRONG_PLANS[name]
    code, _, err = plan(run, *given)
    assert code == 2
    assert message in err
    assert not (tmp_path / "out").exists()


def test_a_study_is_analysed_with_flags_and_both_results(run, tmp_path):
    code, out, err = run(
        "analyse", "study.json", "--scores", "scores.csv", "--draws", "100", "--json", "a.json"
    )
    assert (code, err) == (0, "")
    for words in (
        "result (simulated votes)",
        "final",
        "per issue",
        "flag: J01",
        "Kendall's W",
        "without the flagged",
    ):
        assert words in out
    plain = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert plain["is_simulated"] is True
    assert [row["entry"] for row in plain["entries"]] == list(ENTRIES)
    assert plain["entries"][3]["final_rank"]["value"] == 1


def test_points_can_be_handed_to_raim_rank(run, run_raim, tmp_path):
    run("analyse", "study.json", "--draws", "100", "--csv", "points.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "points.csv").read_text(encoding="utf-8"))))
    assert sum(float(row["points"]) for row in rows) == pytest.approx(12 * 6)
    code, out, _ = run_raim("rank", "--scores", "scores.csv", "--points", "points.csv")
    assert code == 0
    assert "Teal" in out


def test_a_name_that_a_spreadsheet_takes_for_a_formula_is_escaped_in_points():
    row = SimpleNamespace(entry="=1+1", points=SimpleNamespace(value=3.0, low=None, high=None))
    assert _format_points(SimpleNamespace(entries=[row])) == "team,points,low,high\n'=1+1,3.0,,\n"


def test_leaving_out_takes_a_reason_and_tells_it(run):
    given = ("--leave-out", "Wren=no code", "--exclude", "J01=asked to")
    code, out, _ = run("analyse", "study.json", "--draws", "100", *given)
    assert code == 0
    assert "reason for leaving out Wren: no code" in out
    assert "reason for leaving out J01: asked to" in out
    assert "with everybody" in out
    assert run("analyse", "study.json", "--exclude", "J01")[0] == 2


def test_power_is_computed_from_the_votes_themselves(run):
    code, out, _ = run("analyse", "study.json", "--draws", "100", "--power")
    assert code == 0
    assert "found four times in five" in " ".join(out.split())
    assert "100 images" in out


def test_tables_of_votes_and_archives_give_the_same_points(run, tmp_path):
    (tmp_path / "votes.csv").write_text(format_votes(study().ballots), encoding="utf-8")
    run("export", "study.json", "all.zip")
    points = []
    for source in ("study.json", "votes.csv", "all.zip"):
        assert run("analyse", source, "--draws", "100", "--csv", "points.csv")[0] == 0
        rows = csv.DictReader(io.StringIO((tmp_path / "points.csv").read_text(encoding="utf-8")))
        points.append({row["team"]: float(row["points"]) for row in rows})
    assert points[0] == points[1] == points[2]


def test_an_incomplete_entry_keeps_its_points_and_has_no_final_score(run, tmp_path):
    (tmp_path / "scores.csv").write_text(
        "team,score,n_scored,n_expected\nWren,70,4,4\nRobin,-,4,4\nHeron,72,4,4\nTeal,73,3,4\n"
    )
    given = ("analyse", "study.json", "--scores", "scores.csv", "--draws", "100", "--json", "a.json")
    code, out, _ = run(*given)
    assert code == 0
    assert "note: with points but without a final score: Robin (it has no SCORE), Teal (3 of 4 images" in out
    assert "note: scores.csv, line 3: the score of 'Robin' is '-', read as no score" in out
    names = [line.split()[1] for line in out.splitlines() if line.split()[1:2] and line.split()[1] in ENTRIES]
    assert names[:4] == ["Heron", "Wren", "Robin", "Teal"]  # Teal has the most points
    found = {row["entry"]: row for row in json.loads((tmp_path / "a.json").read_text())["entries"]}
    assert found["Teal"]["points_rank"]["value"] == 1
    assert found["Teal"]["final"]["why"] == found["Teal"]["normalised"]["why"] == "3 of 4 images have a score"
    assert [found[name]["final_rank"]["value"] for name in ("Heron", "Wren")] == [1, 2]
    code, out, _ = run(*given, "--allow-incomplete")
    assert "note: ranked by the images that they have, which are not all: Teal (3 of 4" in out
    assert json.loads((tmp_path / "a.json").read_text())["entries"][3]["final_rank"]["value"] == 1


def test_scores_of_other_teams_are_refused(run, tmp_path):
    (tmp_path / "other.csv").write_text("team,score\nOwl,1\n")
    code, _, err = run("analyse", "study.json", "--scores", "other.csv")
    assert code == 2
    assert "no score of any entry" in err


def test_an_archive_is_the_same_bytes_each_time_and_can_code_entries(run, tmp_path):
    assert run("export", "study.json", "a.zip")[1] == "written: a.zip\n"
    run("export", "study.json", "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    run("export", "study.json", "c.zip", "--code-entries")
    assert read_archive((tmp_path / "c.zip").read_bytes()).ballots.entries == ("E1", "E2", "E3", "E4")


def test_an_export_is_a_zip_a_json_or_a_csv(run):
    for name in ("out.json", "out.csv"):
        assert run("export", "study.json", name)[0] == 0
        assert run("analyse", name, "--draws", "100")[0] == 0
    code, _, err = run("export", "study.json", "out.txt")
    assert code == 2
    assert "neither .zip" in err
    assert run("export", "study.json", "out.csv", "--times")[0] == 2


def test_a_place_that_is_none_is_said_before_anything_is_read(run, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    code, _, err = run("export", "nothing.json", "folder.csv")
    assert (code, "folder.csv cannot be written: it is a folder" in err) == (2, True)
    code, _, err = run("analyse", "nothing.json", "--csv", "folder.csv")
    assert (code, "it is a folder" in err) == (2, True)
    code, _, err = run("plan", "images.csv", "--seed", "1", "--entry", "A", "--images", "nothing.csv")
    assert (code, "images.csv is a file; name a folder" in err) == (2, True)


def test_problems_of_votes_are_listed_and_nothing_is_written(run, tmp_path):
    (tmp_path / "bad.csv").write_text("judge,image,entry,pick\nAnn,1,x,one\n,1,y,\n")
    code, _, err = run("analyse", "bad.csv", "--json", "a.json")
    assert code == 2
    assert err.count("bad.csv, line") == 2
    assert not (tmp_path / "a.json").exists()


def test_ratings_have_grades_in_place_of_points(run, tmp_path):
    rated = study(mode="rating", points=())
    (tmp_path / "rated.json").write_text(format_document(rated), encoding="utf-8")
    code, out, _ = run("analyse", "rated.json", "--draws", "100")
    assert code == 0
    assert "single grades" in out
