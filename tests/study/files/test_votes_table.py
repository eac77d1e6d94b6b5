import csv
import io
from dataclasses import replace

from raim.study.files import format_votes, vote_columns, vote_rows


def test_there_is_one_row_for_each_candidate_of_each_trial(document):
    rows = list(csv.DictReader(io.StringIO(format_votes(document.ballots))))
    assert len(rows) == sum(len(vote.shown) for vote in document.ballots.votes)
    first = [row for row in rows if (row["judge"], row["position"]) == ("J01", "1")]
    assert [row["label"] for row in first] == ["A", "B", "C", "D"]
    assert sorted(row["pick"] for row in first) == ["", "1", "2", "3"]


def test_rows_are_as_long_as_the_columns(document):
    ballots = replace(document.ballots, criteria=("noise", "a; b"))
    assert vote_columns(ballots)[-5:-3] == ("reason:noise", "reason:a; b")
    assert {len(row) for row in vote_rows(ballots)} == {len(vote_columns(ballots))}


def test_a_name_that_looks_like_a_formula_gets_an_apostrophe(document):
    text = format_votes(document.ballots)
    assert ",'=SUM(A1)," in text
    assert ",=SUM" not in text


def test_simulated_votes_say_so_in_every_row(document):
    rows = csv.DictReader(io.StringIO(format_votes(document.ballots, is_simulated=True)))
    assert {row["is_simulated"] for row in rows} == {"true"}
