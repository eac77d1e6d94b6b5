import csv
import json

import pytest

from raim.challenge import write_example

TABLE_1 = {
    "MiAlgo": (79.13, 57, "91.65", 1), "Xhs-IAG": (81.96, 47, "82.07", 2), "So Elegant": (79.69, 46, "80.09", 3),
    "IIP_IR": (80.03, 14, "45.94", 4), "DACLIP-IR": (78.65, 9, "40.03", 5), "TongJi-IPOE": (72.99, 11, "39.91", 6),
    "ImagePhoneix": (78.93, 4, "34.79", 7), "HIT-IIL": (69.80, 1, "27.92", 8),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{team},{s2}" for team, (s2, *_) in TABLE_1.items()]
    (tmp_path / "scores.csv").write_text("team,score\n" + "\n".join(lines) + "\n")
    lines = [f"{team},{s3}" for team, (_, s3, *_) in TABLE_1.items()]
    (tmp_path / "points.csv").write_text("team,points\n" + "\n".join(lines) + "\n")
    return tmp_path


def rank(run_raim, *more):
    return run_raim("rank", "--scores", "scores.csv", "--points", "points.csv", *more)


def test_table_1_of_the_report_comes_out_on_the_command_line(run_raim, folder):
    code, out, err = rank(run_raim, "--csv", "out.csv", "--json", "out.json")
    assert code == 0, err
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    assert {row["team"]: (f"{float(row['final']):.2f}", int(row["rank"])) for row in rows} == {
        team: (final, place) for team, (_, _, final, place) in TABLE_1.items()
    }
    for team, (_, _, final, place) in TABLE_1.items():
        line = next(line for line in out.splitlines() if team in line)
        assert line.split()[0] == str(place)
        assert final in line
    assert "act like" in out
    assert json.loads((folder / "out.json").read_text())["rows"][0]["team"] == "MiAlgo"


def test_the_awards_of_a_challenge_are_given(run_raim, folder):
    from datetime import date

    import numpy as np

    write_example(folder / "challenge", first_day=date(2026, 3, 1), rng=np.random.default_rng(1))
    code, out, _ = rank(run_raim, "--awards", "challenge", "--csv", "out.csv")
    assert code == 0
    awards = [row["award"] for row in csv.DictReader((folder / "out.csv").read_text().splitlines())]
    firsts = [award.split(" ")[0] for award in awards]
    assert firsts == ["First-class", *2 * ["Second-class"], *3 * ["Third-class"], "", ""]
    assert "award" in out


def test_the_ranking_is_written_as_a_page_too(run_raim, folder):
    code, out, err = rank(run_raim, "--html", "ranking.html", "--leave-out", "HIT-IIL=no code was sent")
    assert code == 0, err
    assert "written: ranking.html" in out
    page = (folder / "ranking.html").read_text()
    assert "<td" in page
    assert all(team in page for team in TABLE_1)
    assert "no code was sent" in page


def test_who_is_left_out_is_named_with_the_reason_and_both_rankings_are_shown(run_raim, folder):
    code, out, _ = rank(run_raim, "--leave-out", "MiAlgo=no code was sent", "--json", "out.json")
    assert code == 0
    assert "MiAlgo: left out: no code was sent" in out
    assert "with everybody who was voted on" in out
    plain = json.loads((folder / "out.json").read_text())
    assert [row["team"] for row in plain["left_out"]] == ["MiAlgo"]
    assert plain["with_left_out"][0]["team"] == "MiAlgo"
    assert plain["rows"][0]["normalised"] == 100


def test_without_points_the_score_alone_ranks(run_raim, folder):
    code, _, _ = run_raim("rank", "--scores", "scores.csv", "--csv", "out.csv")
    assert code == 0
    assert next(csv.DictReader((folder / "out.csv").read_text().splitlines()))["team"] == "Xhs-IAG"


def test_what_raim_score_wrote_is_read(run_raim, folder):
    (folder / "table.csv").write_text(
        "entry,kind,name,scenario,psnr,score,warnings,unscored\na,image,1,,30,50,,\na,entry,mean,,30,50.5,,\nb,entry,mean,,30,40,,\n"
    )
    (folder / "table.json").write_text(
        json.dumps(
            {"entries": [{"name": "a", "mean": {"score": 50.5}}, {"name": "b", "mean": {"score": 40}}]}
        )
    )
    for name in ("table.csv", "table.json"):
        code, _, err = run_raim("rank", "--scores", name, "--csv", "out.csv")
        assert code == 0, err
        rows = csv.DictReader((folder / "out.csv").read_text().splitlines())
        assert [(row["team"], row["final"]) for row in rows] == [("a", "50.5"), ("b", "40.0")]


def test_an_incomplete_entry_and_no_score_come_last_with_their_reasons(run_raim, folder):
    (folder / "scores.csv").write_text("team,score,n_scored,n_expected\nX,inf,4,4\nA,70,4,4\nCherry,90,1,4\n")
    code, out, err = run_raim("rank", "--scores", "scores.csv", "--csv", "out.csv")
    assert code == 0, err
    assert "note: scores.csv, line 2: the score of 'X' is 'inf', read as no score" in out
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    assert [(row["rank"], row["team"], row["why_unranked"]) for row in rows] == [
        ("1", "A", ""),
        ("", "Cherry", "1 of 4 images have a score"),
        ("", "X", "it has no SCORE"),
    ]
    code, out, _ = run_raim("rank", "--scores", "scores.csv", "--allow-incomplete", "--csv", "out.csv")
    assert "note: ranked by the images that they have, which are not all: Cherry (1 of 4" in out
    assert next(csv.DictReader((folder / "out.csv").read_text().splitlines()))["team"] == "Cherry"


BAD = {
    "no such file": ("", (), "cannot be read"),
    "columns": ("name,value\na,1\n", (), "line 1: there is no column 'team'; it has name, value"),
    "number": ("team,points\nMiAlgo,many\nXhs-IAG,1_0\n", (), "line 2: the points of 'MiAlgo' is 'many'"),
    "all at once": (
        "team,points\nMiAlgo,many\nXhs-IAG,1_0\n",
        (),
        "line 3: the points of 'Xhs-IAG' is '1_0'",
    ),
    "twice": ("team,points\nMiAlgo,1\nMiAlgo,2\n", (), "is there twice"),
    "no team": ("team,points\n,1\n", (), "names no team"),
    "others": ("team,points\nOther,1\n", (), "no team in common"),
    "folder": (None, ("--json", "."), "it is a folder"),
    "weights": (None, ("--weights", "0.4,0.7"), "sum to 1.1"),
    "weights' form": (None, ("--weights", "half"), "two numbers"),
    "left out whom": (None, ("--leave-out", "MiAlg=x"), "did you mean 'MiAlgo'"),
    "left out why": (None, ("--leave-out", "MiAlgo"), "the reason is published"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_ranked_says_why(run_raim, folder, name):
    text, more, message = BAD[name]
    if text:
        (folder / "points.csv").write_text(text)
    elif text == "":
        (folder / "points.csv").unlink()
    code, _, err = rank(run_raim, *more)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
