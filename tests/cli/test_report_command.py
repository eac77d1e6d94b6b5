import csv
import json

import numpy as np
import pytest

from closed_material import TABLE_1
from raim.images import write_image


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "ran-elsewhere"
    place.mkdir()
    lines = [f"{team},{s2}" for team, (s2, *_) in TABLE_1.items()]
    (place / "scores.csv").write_text("team,score\n" + "\n".join(lines) + "\n")
    lines = [f"{team},{s3}" for team, (_, s3, *_) in TABLE_1.items()]
    (place / "points.csv").write_text("team,points\n" + "\n".join(lines) + "\n")
    return place


def test_a_folder_of_plain_files_becomes_a_report_with_table_1(run_raim, folder, tmp_path):
    out = tmp_path / "out"
    code, said, err = run_raim(
        "report", "--from-csv", folder, out, "--title", "RAIM 2024", "--formats", "csv,json,latex"
    )
    assert code == 0, err
    rows = list(csv.DictReader((out / "data" / "ranking.csv").read_text().splitlines()))
    assert {row["team"]: (f"{float(row['final']):.2f}", int(row["rank"])) for row in rows} == {
        team: (f"{final:.2f}", rank) for team, (_, _, final, rank) in TABLE_1.items()
    }
    assert json.loads((out / "data" / "report.json").read_text())["title"] == "RAIM 2024"
    assert "RAIM 2024" in (out / "report.tex").read_text()
    assert [line.split()[-1] for line in said.splitlines()] == [
        str(out / "report.tex"), str(out / "data" / "ranking.csv"), str(out / "data" / "report.json"),
    ]  # fmt: skip


def test_an_incomplete_champion_is_unranked_unless_it_is_wanted(run_raim, folder, tmp_path):
    (folder / "scores.csv").write_text("team,score,n_scored,n_expected\nA,70,4,4\nB,n/a,4,4\nCherry,90,1,4\n")
    (folder / "points.csv").write_text("team,points\nA,5\nB,3\nCherry,90\n")
    for more, first in (((), "A"), (("--allow-incomplete",), "Cherry")):
        code, out, err = run_raim("report", "--from-csv", folder, tmp_path, "--formats", "csv,json", *more)
        assert code == 0, err
        assert "note: scores.csv, line 3: the score of 'B' is 'n/a', read as no score" in out
        rows = list(csv.DictReader((tmp_path / "data" / "ranking.csv").read_text().splitlines()))
        assert (rows[0]["team"], rows[0]["rank"], rows[0]["why_unranked"]) == (first, "1", "")
        assert rows[-1]["why_unranked"] == ("it has no SCORE" if more else "1 of 4 images have a score")
        text = (tmp_path / "data" / "report.json").read_text()
        assert ("which are not all: Cherry (1 of 4 images have a score)" in text) == bool(more)
        assert [(row["team"], row["rank"]) for row in rows[1:]][-1] == ("B" if more else "Cherry", "")


def test_simulated_votes_are_said_if_the_files_do_not(run_raim, folder, tmp_path):
    code, _, _ = run_raim("report", "--from-csv", folder, tmp_path / "out", "--simulated", "--formats", "csv")
    assert code == 0
    rows = csv.DictReader((tmp_path / "out" / "data" / "ranking.csv").read_text().splitlines())
    assert {row["votes"] for row in rows} == {"simulated"}


def test_a_damaged_picture_costs_itself_and_is_named_at_the_end(run_raim, folder, tmp_path):
    for team in ("input", "MiAlgo", "HIT-IIL"):
        (folder / "images" / team).mkdir(parents=True)
        for name in "12":
            write_image(folder / "images" / team / f"{name}.png", np.zeros((8, 8, 3), np.uint8))
    (folder / "images" / "input" / "2.png").write_bytes(b"no image")
    (folder / "images" / "IIP_IR.zip").write_bytes(b"PK no zip")
    out = tmp_path / "out"
    code, said, err = run_raim("report", "--from-csv", folder, out, "--formats", "gallery,json")
    assert code == 2
    assert "  the images of IIP_IR: " in err
    assert "  the input of 2: " in err
    assert "Traceback" not in err
    assert f"written: {out / 'gallery' / 'index.html'}" in said
    assert (out / "gallery" / "1.html").is_file()
    assert run_raim("report", "--from-csv", folder, out, "--formats", "csv")[0] == 0


@pytest.mark.parametrize("place", ["scores.csv", "scores.csv/out"])
def test_a_place_that_is_none_is_said_before_anything_is_read(run_raim, folder, place):
    (folder / "points.csv").write_text("not looked at")
    code, _, err = run_raim("report", "--from-csv", folder, folder / place, "--formats", "csv")
    assert code == 2
    assert "scores.csv is a file; name a folder" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--formats", "pdf"), "no format of a report named 'pdf'"),
        (("--formats", ","), "no format was named"),
    ],
)
def test_a_format_that_is_none_is_refused(run_raim, folder, tmp_path, arguments, message):
    code, _, err = run_raim("report", "--from-csv", folder, tmp_path / "out", *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_a_folder_without_a_server_names_the_way_out(run_raim, folder, tmp_path):
    code, _, err = run_raim("report", folder, tmp_path / "out")
    assert code == 2
    assert "Traceback" not in err
    assert "for a challenge that ran elsewhere use raim report --from-csv" in err.lower()


def test_a_title_is_for_plain_files_only(run_raim, folder, tmp_path):
    code, _, err = run_raim("report", folder, tmp_path / "out", "--title", "x")
    assert code == 2
    assert "--from-csv" in err
