"""docs/challenge-file.md explains every key of the records, with its default."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from raim.challenge import (
    Award,
    Challenge,
    DataSet,
    FinalistRule,
    Intake,
    LeaderboardRule,
    Organiser,
    Phase,
    Prize,
    Registration,
    Sponsor,
    StudyRule,
    Uploads,
    Website,
    Weights,
    example_text,
    parse_challenge,
)
from raim.errors import ChallengeError
from raim.scoring import PROFILES

DOCS = Path(__file__).resolve().parents[2] / "docs" / "challenge-file.md"
HEAD = ("id", "name", "tagline", "timezone", "day_timezone", "profile", "contact")
SECTIONS = {
    "[website]": Website,
    "[[organiser]]": Organiser,
    "[[sponsor]]": Sponsor,
    "[[award]]": Award,
    "[[prize]]": Prize,
    "[[data_set]]": DataSet,
    "[[phase]]": Phase,
    "[leaderboard]": LeaderboardRule,
    "[finalists]": FinalistRule,
    "[study]": StudyRule,
    "[weights]": Weights,
    "[registration]": Registration,
    "[uploads]": Uploads,
}
NO_KEYS = {"images"}  # read from the folders


def documented(section: str) -> dict[str, str]:
    """Give key -> default as a section's tables say."""
    text = re.search(
        rf"^## {re.escape(section)}$(.*?)(?=^## |\Z)", DOCS.read_text(), re.MULTILINE | re.DOTALL
    )
    assert text, f"there is no section {section}"
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) ?\| ", text[1], re.MULTILINE))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_documented_and_no_other(section):
    expected = {field.name for field in fields(SECTIONS[section])} - NO_KEYS
    if section == "[[phase]]":
        expected |= {field.name for field in fields(Intake)}
    assert documented(section).keys() == expected


def test_every_key_of_the_challenge_itself_is_documented():
    assert tuple(documented("[challenge]")) == HEAD
    assert tuple(documented("Top of the file")) == ("schema",)


def test_every_table_of_the_challenge_is_documented():
    tables = {re.sub(r"s$", "", section.strip("[]")) for section in SECTIONS}
    singular = {re.sub(r"s$", "", field.name) for field in fields(Challenge)}
    assert singular - {"schema", "folder", *HEAD} == tables


@pytest.mark.parametrize("section", SECTIONS)
def test_defaults_are_as_documented(section):
    said = documented(section)
    for field in fields(SECTIONS[section]):
        if field.name in NO_KEYS or said[field.name] in {
            "as `leaderboard`",
            "as `[leaderboard]`",
            "none",
            "no limit",
        }:
            continue
        default = field.default
        if isinstance(default, tuple):
            default = list(default)
        in_words = "" if default is MISSING else json.dumps(default)
        stated = said[field.name].split(" for ")[0]  # the first of several, by another key
        assert stated == in_words or (section, field.name) == ("[[data_set]]", "kind"), field.name


@pytest.mark.parametrize(
    "key",
    [
        "id",
        "name",
        "profile",
        "contact",
        "description",
        "folder",
        "opens",
        "closes",
        "on",
        "count",
        "score",
        "study",
    ],
)
def test_a_key_without_a_documented_default_is_required(example, key):
    from datetime import date

    text = example_text(date(2026, 3, 1))
    without = re.sub(rf"^{key} = .*\n", "", text, count=1, flags=re.MULTILINE)
    if key == "on":
        without = text.replace('scored = { on = "feedback-pairs", ', "scored = { ")
    if key == "count":  # which has a default
        parse_challenge(without, profiles=PROFILES, folder=example)
        return
    with pytest.raises(ChallengeError, match=f"has no '{key}'"):
        parse_challenge(without, profiles=PROFILES, folder=example)
