import csv
import json
import math

import pytest

from raim.challenge.ranking_files import read_team_numbers
from raim.errors import InputError
from raim.scoring import EntryScore, ImageScore, ScoreTable, write_csv, write_json
from raim.scoring.records import sort_entries


def image(name, score, scenario=None):
    return ImageScore(name=name, scenario=scenario, values={"psnr": score, "score": score})


def unscored(name):
    return ImageScore(name=name, values={"psnr": 30.0, "score": None}, unscored="niqe: too small")


def table(quick, *entries):
    return ScoreTable(profile=quick, entries=entries, raim_version="0.1.0")


def test_the_mean_is_over_the_scored_images_only():
    entry = EntryScore(name="a", images=(image("0", 10.0), image("1", 20.0), unscored("2")))
    assert entry.mean == {"psnr": 15.0, "score": 15.0}
    assert [scored.name for scored in entry.scored] == ["0", "1"]


def test_an_entry_without_a_scored_image_has_no_mean():
    assert EntryScore(name="a", images=(unscored("0"),)).mean == {"psnr": None, "score": None}


def test_scenarios_have_means_of_their_own():
    entry = EntryScore(
        name="a", images=(image("0", 10.0, "blur"), image("1", 20.0, "noise"), image("2", 40.0, "noise"))
    )
    assert {name: part.mean for name, part in entry.by_scenario().items()} == {
        "blur": {"psnr": 10.0, "score": 10.0},
        "noise": {"psnr": 30.0, "score": 30.0},
    }


def test_a_missing_score_never_leads_and_an_incomplete_entry_comes_after_complete_ones():
    full = EntryScore(name="full", images=(image("0", 10.0), image("1", 10.0)))
    gap = EntryScore(name="gap", images=(image("0", 90.0), unscored("1")))
    none = EntryScore(name="none", images=(unscored("0"), unscored("1")))
    assert [entry.name for entry in sort_entries([none, gap, full])] == ["full", "gap", "none"]


def test_equal_scores_are_ordered_by_name():
    entries = [EntryScore(name=name, images=(image("0", 10.0),)) for name in "cab"]
    assert [entry.name for entry in sort_entries(entries)] == ["a", "b", "c"]


def test_json_has_the_stated_form(quick, tmp_path):
    write_json(
        table(quick, EntryScore(name="a", images=(image("0", 10.0), unscored("1")))), tmp_path / "t.json"
    )
    document = json.loads((tmp_path / "t.json").read_text())
    assert document["schema"] == "raim-scores/1"
    assert document["profile"] == "quick"
    entry = document["entries"][0]
    assert entry["mean"] == {"psnr": 10.0, "score": 10.0}
    assert entry["images"][1] == {
        "name": "1",
        "scenario": None,
        "psnr": 30.0,
        "score": None,
        "warnings": [],
        "unscored": "niqe: too small",
        "failed": False,
        "is_expected": True,
    }
    assert (entry["n_images"], entry["n_expected"], entry["n_scored"], entry["rank"]) == (2, 2, 1, None)
    assert entry["why_unranked"] == "1 of 2 images have a score; none: 1"


def test_an_image_that_nobody_could_score_is_expected_of_nobody(quick):
    small = ImageScore(name="s", values={"psnr": 9.0, "score": None}, unscored="small", is_expected=False)
    entries = [EntryScore(name=name, images=(image("0", 10.0), small)) for name in "ab"]
    found = table(quick, *entries)
    assert (entries[0].n_scored, entries[0].n_expected, entries[0].why_incomplete) == (1, 1, None)
    assert found.ranks() == {"a": 1, "b": 1}
    nothing = EntryScore(name="a", images=(small,))
    assert (table(quick, nothing).ranks(), "could have a score" in nothing.why_incomplete) == ({}, True)


def test_an_incomplete_entry_is_ranked_only_where_that_is_asked_for(quick):
    full = EntryScore(name="full", images=(image("0", 10.0), image("1", 10.0)))
    gap = EntryScore(name="gap", images=(image("0", 90.0), unscored("1")))
    none = EntryScore(name="none", images=(unscored("0"), unscored("1")))
    entries = sort_entries([none, full, gap], allow_incomplete=True)
    assert [entry.name for entry in entries] == ["gap", "full", "none"]
    asked = ScoreTable(profile=quick, entries=entries, raim_version="1", allow_incomplete=True)
    assert asked.ranks() == {"gap": 1, "full": 2}
    assert asked.why_unranked(none) == "0 of 2 images have a score; none: 0, 1"
    assert table(quick, *entries).ranks() == {"full": 1}


def test_infinity_is_written_as_a_string(quick, tmp_path):
    write_json(table(quick, EntryScore(name="a", images=(image("0", math.inf),))), tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())["entries"][0]["images"][0]["psnr"] == "inf"


def test_nan_is_refused_rather_than_written(quick, tmp_path):
    with pytest.raises(InputError, match="NaN"):
        write_json(table(quick, EntryScore(name="a", images=(image("0", math.nan),))), tmp_path / "t.json")


def test_a_record_that_counts_as_scored_without_a_value_is_refused():
    broken = ImageScore(name="0", values={"score": None})
    with pytest.raises(InputError, match="0 counts as scored but has no score"):
        EntryScore(name="a", images=(broken,)).mean  # noqa: B018 - the property raises


def test_a_table_has_plain_rows_and_shows_its_means_in_notebooks(quick):
    entries = (EntryScore(name="<a>", images=(image("0", 10.0, "blur"), unscored("1"))),)
    first, second = table(quick, *entries).rows()
    plain = {"entry": "<a>", "name": "0", "scenario": "blur", "psnr": 10.0, "score": 10.0}
    assert first == {**plain, "warnings": "", "unscored": None}
    assert (second["score"], second["unscored"]) == (None, "niqe: too small")
    shown = table(quick, *entries)._repr_html_()
    assert "<td>&lt;a&gt;</td><td>-</td><td>1/2</td><td>10.00</td>" in shown
    assert "<th>PSNR</th>" in shown


def test_rows_are_images_then_scenarios_then_the_entry(quick, tmp_path):
    images = (
        ImageScore(name="0", scenario="blur", values={"psnr": 30.0, "ssim": 0.9, "score": 24.0}),
        ImageScore(
            name="1",
            scenario="blur",
            values={"psnr": float("inf"), "ssim": None, "score": None},
            unscored="ssim: small",
        ),
    )
    table = ScoreTable(profile=quick, entries=(EntryScore(name="a", images=images),), raim_version="0.1.0")
    write_csv(table, tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["kind"], row["name"], row["score"]) for row in rows] == [
        ("image", "0", "24"),
        ("image", "1", ""),
        ("scenario", "mean", "24"),
        ("entry", "mean", "24"),
    ]
    assert (rows[1]["psnr"], rows[1]["ssim"], rows[1]["unscored"]) == ("inf", "", "ssim: small")
    assert list(rows[0])[-5:] == ["rank", "n_scored", "n_expected", "warnings", "unscored"]
    assert [(row["n_scored"], row["n_expected"]) for row in rows] == [
        ("", ""),
        ("", ""),
        ("1", "2"),
        ("1", "2"),
    ]
    assert rows[3]["unscored"] == "1 of 2 images have a score; none: 1"


def test_names_that_a_spreadsheet_takes_for_formulas_are_escaped_and_come_back(quick, tmp_path):
    values = {"psnr": 30.0, "ssim": 0.9, "score": -24.0}
    image = ImageScore(name="=i", scenario="@s", values=values, warnings=("-w",))
    entries = tuple(EntryScore(name=name, images=(image,)) for name in ("-a", "'-a", "=1+1"))
    write_csv(ScoreTable(profile=quick, entries=entries, raim_version="0.1.0"), tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["entry"] for row in rows} == {"'-a", "''-a", "'=1+1"}
    first = rows[0]
    assert [first[key] for key in ("name", "scenario", "warnings", "score")] == ["'=i", "'@s", "'-w", "-24"]
    assert dict(read_team_numbers(tmp_path / "t.csv", "score").values) == dict.fromkeys(
        ("-a", "'-a", "=1+1"), -24.0
    )


def test_the_row_of_an_entry_has_its_rank_and_the_table_is_read_back(quick, tmp_path):
    def entry(name, *scores):
        images = tuple(
            ImageScore(
                name=str(number),
                values={"psnr": 30.0, "ssim": 0.9, "score": score},
                unscored=None if score else "missing",
            )
            for number, score in enumerate(scores)
        )
        return EntryScore(name=name, images=images)

    entries = (entry("a", 10.0, 20.0), entry("b", 20.0, 10.0), entry("c", 5.0, 5.0), entry("d", 90.0, None))
    write_csv(ScoreTable(profile=quick, entries=entries, raim_version="0.1.0"), tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["entry"]: row["rank"] for row in rows if row["kind"] == "entry"} == {
        "a": "1",
        "b": "1",
        "c": "3",
        "d": "",
    }
    assert {row["rank"] for row in rows if row["kind"] != "entry"} == {""}
    found = read_team_numbers(tmp_path / "t.csv", "score")
    assert found.values == {"a": 15.0, "b": 15.0, "c": 5.0, "d": 90.0}
    assert found.incomplete == {"d": "1 of 2 images have a score"}
