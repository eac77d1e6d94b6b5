import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from raim.errors import VotesError
from raim.study.files import document_to_plain, format_document, parse_document

SPOILED = {
    "schema": (lambda plain: plain.update(schema="raim-study/9"), "reads 'raim-study/1'"),
    "no ballots": (lambda plain: plain.pop("ballots"), "no object 'ballots'"),
    "mode": (
        lambda plain: plain["ballots"].update(mode="guess"),
        "mode is 'guess'; expected one of top-three",
    ),
    "kind": (lambda plain: plain["ballots"]["votes"][0].update(kind="odd"), r"votes\[0\]: kind is 'odd'"),
    "grade": (
        lambda plain: plain["ballots"]["votes"][1].update(ratings={"é": "5"}),
        r"votes\[1\]: the grade of 'é' is '5'; expected a whole number",
    ),
    "position": (lambda plain: plain["ballots"]["votes"][0].pop("position"), "position is missing"),
    "time": (lambda plain: plain["ballots"]["votes"][0].update(cast_at="2026-01-01"), "one with its zone"),
    "seconds": (lambda plain: plain["ballots"]["votes"][0].update(seconds=None), "expected a number"),
    "judge": (
        lambda plain: plain["ballots"].update(judges=["J01", "J02"]),
        "the judge is not one of the study's",
    ),
    "design": (lambda plain: plain["design"].update(seed="one"), "design: .*seed is 'one'"),
}


def test_json_and_back_is_the_same_study(document):
    when = datetime(2026, 3, 1, 12, tzinfo=UTC)
    votes = (replace(document.ballots.votes[0], cast_at=when), *document.ballots.votes[1:])
    first = replace(document, ballots=replace(document.ballots, votes=votes))
    assert parse_document(format_document(first)) == first


def test_a_study_without_a_design_is_a_study(document):
    assert parse_document(format_document(replace(document, design=None))).design is None


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_no_study_is_refused_with_the_place(document, name):
    spoil, message = SPOILED[name]
    plain = document_to_plain(document)
    spoil(plain)
    with pytest.raises(VotesError, match=message):
        parse_document(json.dumps(plain))


def test_all_problems_are_reported_at_once(document):
    plain = document_to_plain(document)
    for place in (0, 3, 7):
        plain["ballots"]["votes"][place]["choice"] = ["nobody"]
    with pytest.raises(VotesError, match="has 3 problems") as caught:
        parse_document(json.dumps(plain))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": NaN}', "[" * 100_000])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(VotesError):
        parse_document(text)
