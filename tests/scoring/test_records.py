import json
import math

import pytest

from raim.errors import InputError
from raim.scoring import EntryScore, ImageScore, ScoreTable, write_json
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
    assert entry.by_scenario() == {
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
    }


def test_infinity_is_written_as_a_string(quick, tmp_path):
    write_json(table(quick, EntryScore(name="a", images=(image("0", math.inf),))), tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())["entries"][0]["images"][0]["psnr"] == "inf"


def test_nan_is_refused_rather_than_written(quick, tmp_path):
    with pytest.raises(InputError, match="NaN"):
        write_json(table(quick, EntryScore(name="a", images=(image("0", math.nan),))), tmp_path / "t.json")


def test_a_record_that_counts_as_scored_but_lacks_a_value_is_refused():
    broken = ImageScore(name="0", values={"score": None})
    with pytest.raises(InputError, match="0 counts as scored but has no score"):
        EntryScore(name="a", images=(broken,)).mean  # noqa: B018 - the property raises
