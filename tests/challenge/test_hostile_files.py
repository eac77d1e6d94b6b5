"""Whatever stands in the file, its faults are listed: no reading ends in another error."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.challenge import example_text, parse_challenge
from raim.errors import ChallengeError
from raim.scoring import PROFILES

TEXT = example_text(date(2026, 3, 1))
LINES = TEXT.splitlines(keepends=True)
VALUES = [number for number, line in enumerate(LINES) if re.match(r"\w+ = ", line) and '"""' not in line]
WRONG = ["1", "-1", "0", '""', '"x"', "true", "[]", "[[]]", "{}", "1.5", "nan", "inf"]
WRONG += [
    "1979-05-27",
    "07:32:00",
    "[1, 'a']",
    "9" * 400,
    "0001-01-01T00:00:00+23:00",
    "9999-12-31T23:59:59-23:00",
    '"\\u0000"',
    '"\\u0000.md"',
]


def problems(text, folder):
    try:
        parse_challenge(text, profiles=PROFILES, folder=folder)
    except ChallengeError as error:
        return error.problems
    return ()


@given(st.sampled_from(VALUES), st.sampled_from(WRONG))
def test_any_value_may_be_anything(number, wrong):
    key = LINES[number].split(" =")[0]
    changed = "".join([*LINES[:number], f"{key} = {wrong}\n", *LINES[number + 1 :]])
    for problem in problems(changed, Path("/nowhere")):
        assert 1 <= problem.line <= len(LINES) + 1


@given(st.integers(0, len(LINES) - 1), st.integers(1, 5))
def test_any_lines_may_be_missing(number, n):
    problems("".join([*LINES[:number], *LINES[number + n :]]), Path("/nowhere"))


@given(st.lists(st.sampled_from(LINES), max_size=40))
def test_lines_may_come_in_any_order(lines):
    problems("".join(lines), Path("/nowhere"))


@given(st.integers(0, len(TEXT)), st.text(max_size=5))
def test_any_characters_may_stand_anywhere(place, inserted):
    problems(TEXT[:place] + inserted + TEXT[place:], Path("/nowhere"))


@pytest.mark.parametrize(
    "value",
    ["9" * 5000, "[" * 3000 + "]" * 3000, "{a=" * 3000 + "1" + "}" * 3000],
    ids=["digits", "arrays", "tables"],
)
def test_what_no_reader_of_toml_takes_is_one_problem(value):
    (problem,) = problems(f"x = {value}\n{TEXT}", Path("/nowhere"))
    assert "thousands of digits, or arrays or tables are nested" in problem.message


@pytest.mark.parametrize("depth", range(20, 1000, 45))
def test_nesting_of_any_depth_is_a_problem_and_no_crash(depth):
    assert problems(f"x = {'[' * depth}{']' * depth}\n{TEXT}", Path("/nowhere"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('timezone = "UTC"', 'timezone = ""'), "timezone is ''; expected a time zone of the IANA list"),
        (("opens = 2026-03-01T12:00:00Z", "opens = 0001-01-01T00:00:00+23:00"), "a year from 2000 to 2999"),
        (("grace_seconds = 3600", "grace_seconds = 604801"), "expected a whole number from 0 to 604800"),
        (('folder = "data/tuning-pairs"', 'folder = "a\\u0000"'), "folder holds the character NUL"),
        (('gives_out = ["feedback-pairs"]', 'gives_out = ["a\\u0000"]'), "gives_out holds the character NUL"),
    ],
    ids=["empty zone", "year", "grace", "nul", "nul in array"],
)
def test_what_nothing_else_could_use_is_named(validate, change, message):
    assert any(message in problem.message for _, problem in validate(change))


def test_a_text_file_with_nul_is_named(validate, example):
    (example / "description.md").write_text("a\0b")
    ((line, problem),) = validate()
    assert line.startswith("description =")
    assert problem.message == "description holds the character NUL; remove it"
