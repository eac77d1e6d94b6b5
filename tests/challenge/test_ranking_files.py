import json

import pytest

from raim.challenge import Award, Entrant, rank_teams
from raim.challenge.ranking_files import format_csv, read_team_numbers
from raim.errors import InputError

PLAIN = "team,score,n_scored,n_expected\n"
NEW = "entry,kind,name,scenario,score,n_scored,n_expected,warnings,unscored\n"
OLD = "entry,kind,name,scenario,score,warnings,unscored\n"


def read(tmp_path, text):
    path = tmp_path / "s.csv"
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return read_team_numbers(path, "score")


def rank(found, points=None, **more):
    points = points or dict.fromkeys(found.values, 1.0)
    entrants = [
        Entrant(team=team, score=score, points=points[team], incomplete=found.incomplete.get(team, ""))
        for team, score in found.values.items()
    ]
    return rank_teams(entrants, **more)


def entry(name, score, images=(), **counts):
    shown = [{"name": str(place), "score": each} for place, each in enumerate(images)]
    return {"name": name, "mean": {"score": score}, "images": shown, **counts}


INCOMPLETE = {
    "one": (f"{PLAIN}A,70,4,4\nB,90,1,4\n", {"B": "1 of 4"}),
    "two": (f"{PLAIN}A,70,4,4\nB,90,1,4\nC,80,3,4\n", {"B": "1 of 4", "C": "3 of 4"}),
    "all": (f"{PLAIN}A,70,2,4\nB,90,1,4\n", {"A": "2 of 4", "B": "1 of 4"}),
    "none scored": (f"{PLAIN}A,70,4,4\nB,,0,4\n", {"B": "0 of 4"}),
    "scored elsewhere on fewer": (f"{PLAIN}A,70,4,4\nB,90,1,1\n", {"B": "1 of 4"}),
    "of raim score": (
        f"{NEW}B,image,1,,90,,,,\nB,entry,mean,,90,1,4,,\nA,entry,mean,,70,4,4,,\n",
        {"B": "1 of 4"},
    ),
    "of an older raim score": (
        f"{OLD}B,image,1,,90,,\nB,image,2,,,,missing\nB,entry,mean,,90,,\nA,image,1,,60,,\nA,image,2,,80,,\nA,entry,mean,,70,,\n",
        {"B": "1 of 2"},
    ),
    "the same image twice": (
        f"{OLD}B,image,1,,90,,\nB,image,1,,90,,\nB,entry,mean,,90,,\nA,image,1,,60,,\nA,image,2,,80,,\nA,entry,mean,,70,,\n",
        {"B": "1 of 2"},
    ),
    "JSON": ({"entries": [entry("B", 90, n_scored=1, n_expected=4), entry("A", 7, n_scored=4, n_expected=4)]},
             {"B": "1 of 4"}),
    "JSON of an older raim score": (
        {"entries": [entry("B", 90, n_scored=1, n_images=4), entry("A", 7, n_scored=4, n_images=4)]}, {"B": "1 of 4"}),
    "images of JSON": ({"entries": [entry("B", 90, [90, None]), entry("A", 7, [7, 7])]}, {"B": "1 of 2"}),
}  # fmt: skip


@pytest.mark.parametrize("name", INCOMPLETE)
def test_an_entry_with_missing_images_comes_after_the_complete_ones_with_the_reason(tmp_path, name):
    text, incomplete = INCOMPLETE[name]
    ranking = rank(read(tmp_path, text))
    assert [(row.team, row.rank, row.why_unranked) for row in ranking.rows] == [
        *(("A", 1, "") for _ in range("A" not in incomplete)),
        *((team, None, f"{counts} images have a score") for team, counts in incomplete.items()),
    ]


def test_an_incomplete_entry_has_no_part_in_normalisation_nor_awards(tmp_path):
    found = read(tmp_path, f"{PLAIN}A,70,4,4\nB,90,1,4\nC,60,4,4\n")
    ranking = rank(found, {"A": 10.0, "B": 99.0, "C": 0.0}, awards=[Award(id="first", name="First")])
    assert [(row.team, row.rank, row.normalised, row.award) for row in ranking.rows] == [
        ("A", 1, 100.0, "First"),
        ("C", 2, 0.0, ""),
        ("B", None, None, ""),
    ]


def test_a_ranking_as_csv_has_no_formulas(tmp_path):
    ranking = rank(read(tmp_path, "team,score\n'=1+1,70\nB,-1\n"), awards=[Award(id="a", name="@award")])
    text = format_csv(ranking)
    assert "\n1,'=1+1,70.0,1.0,,70.0,'@award,\n" in text
    (tmp_path / "r.csv").write_text(text)
    assert dict(read_team_numbers(tmp_path / "r.csv", "score").values) == {"=1+1": 70.0, "B": -1.0}


def test_a_tie_with_an_incomplete_entry_is_none(tmp_path):
    ranking = rank(read(tmp_path, f"{PLAIN}A,70,3,4\nB,70,4,4\nC,60,4,4\n"))
    assert [(row.team, row.rank) for row in ranking.rows] == [("B", 1), ("C", 2), ("A", None)]


def test_who_wants_incomplete_entries_has_them_ranked_and_named(tmp_path):
    found = read(tmp_path, f"{PLAIN}A,70,4,4\nB,90,1,4\nC,,0,4\n")
    ranking = rank(found, allow_incomplete=True)
    assert [(row.team, row.rank) for row in ranking.rows] == [("B", 1), ("A", 2), ("C", None)]
    assert "not all: B (1 of 4 images have a score);" in ranking.note
    assert ranking.rows[-1].why_unranked == "0 of 4 images have a score"


@pytest.mark.parametrize(
    "word", ["n/a", "NA", "nan", "NaN", "None", "null", "-", "inf", "-inf", "-Infinity", ""]
)
def test_a_word_for_no_score_is_read_as_that_and_said(tmp_path, word):
    found = read(tmp_path, f"team,score\nX,{word}\nA,70\n")
    assert found.values == {"X": None, "A": 70.0}
    said = repr(word) if word else "empty"
    assert found.notes == (f"{tmp_path / 's.csv'}, line 2: the score of 'X' is {said}, read as no score",)
    assert [(row.team, row.rank) for row in rank(found).rows] == [("A", 1), ("X", None)]


@pytest.mark.parametrize("value", ["inf", "n/a", None, float("nan"), float("inf"), -float("inf")])
def test_no_score_in_json_is_read_as_that_and_said(tmp_path, value):
    found = read(tmp_path, {"entries": [entry("X", value), entry("A", 70)]})
    assert found.values == {"X": None, "A": 70.0}
    (note,) = found.notes
    assert "entry 1: the score of 'X' is" in note


WRONG = {
    "comma": ('team,score\nA,"7,912"\n', "line 2: the score of 'A' is '7,912', which may be 7.912 or 7912"),
    "word": ("team,score\nA,abc\n", "line 2: the score of 'A' is 'abc'"),
    "beyond every number": ("team,score\nA,1e999\n", "line 2: the score of 'A' is '1e999'"),
    "a comma without quotes": ("team,score\nA,7,9\n", "line 2: it has 3 cells"),
    "a cell too few": ("team,psnr,score\nA,7\n", "line 2: it has 2 cells"),
    "column twice": ("team,score,score\nA,7,8\n", "line 1: the column 'score' is there twice"),
    "more than all": (f"{PLAIN}A,70,5,4\n", "line 2: 5 of 4 images of 'A' have a score"),
    "less than none": (f"{PLAIN}A,70,-1,4\n", "line 2: -1 of 4 images"),
    "fraction": (f"{PLAIN}A,70,1.5,4\n", "line 2: 1.5 of 4 images"),
    "half a count": (f"{PLAIN}A,70,4,\n", "line 2: 'A' has not both n_scored and n_expected"),
    "a count for some": (f"{PLAIN}A,70,4,4\nB,90,,\n", "line 3: 'B' has not both"),
    "kind": (f"{OLD}A,entri,mean,,7,,\n", "line 2: the kind is 'entri'"),
    "image": (f"{OLD}A,image,1,,x,,\nA,entry,mean,,7,,\n", "line 2: the score of 'A' is 'x'"),
    "header only": ("team,score\n", "names no team"),
    "nothing": ("", "there is no column 'team'; it has none"),
    "header": ('te"am,score\r\rA,7\n', "line 1"),
    "same name in JSON": ({"entries": [entry("A", 1), entry("A", 2)]}, "entry 2: the entry 'A' is there twice"),
    "number in JSON": ({"entries": [entry("A", [1])]}, "entry 1: the score of 'A' is 'a list'"),
    "name in JSON": ({"entries": [entry("\ud800", 1)]}, "entry 1: its name is no text"),
    "no score in JSON": ({"entries": [{"name": "A", "mean": {"psnr": 1}}]}, "no entry has the mean 'score'"),
    "no list in JSON": ({"entries": 7}, "not the JSON that raim score writes"),
    "nesting": ('{"entries":' + "[" * 100_000, "not the JSON that raim score writes"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_table_of_scores_is_refused_with_its_line(tmp_path, name):
    text, message = WRONG[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
