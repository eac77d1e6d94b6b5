"""Whatever stands in the file, its faults are listed: no reading ends in another error."""

import re
from datetime import date

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
WRONG += ["1979-05-27", "07:32:00", "[1, 'a']", "9" * 400]


def problems(text, folder):
    try:
        parse_challenge(text, profiles=PROFILES, folder=folder)
    except ChallengeError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_any_value_may_be_anything(example, wrong):
    for number in VALUES:
        key = LINES[number].split(" =")[0]
        changed = "".join([*LINES[:number], f"{key} = {wrong}\n", *LINES[number + 1 :]])
        for problem in problems(changed, example):
            assert 1 <= problem.line <= len(LINES) + 1


def test_any_line_may_be_missing(example):
    for number in range(len(LINES)):
        problems("".join([*LINES[:number], *LINES[number + 1 :]]), example)


@given(st.lists(st.sampled_from(LINES), max_size=40))
def test_lines_may_come_in_any_order(lines):
    from pathlib import Path

    problems("".join(lines), Path("/nowhere"))


@given(st.integers(0, len(TEXT)), st.text(max_size=5))
def test_any_characters_may_stand_anywhere(place, inserted):
    from pathlib import Path

    problems(TEXT[:place] + inserted + TEXT[place:], Path("/nowhere"))
