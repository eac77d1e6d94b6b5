import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import NOTES, PROBLEMS, note, problem, submission_error
from raim.scoring.submission.readme import parse_readme


@given(st.text())
def test_what_is_shown_is_always_printable_and_short(name):
    assert shown(name).isprintable()
    assert len(shown(name)) <= 123


def test_a_surrogate_and_an_escape_sequence_are_spelt_out():
    assert shown("\udcff\x1b[31m") == r"\udcff\x1b[31m"


def test_an_unknown_code_is_a_bug():
    with pytest.raises(KeyError):
        problem("nonsense", "x")
    with pytest.raises(KeyError):
        note("nonsense", "x")


def test_an_error_lists_all_problems_and_carries_them_through_a_pickle():
    found = [problem("missing", "a is missing", "a"), problem("unexpected", "b is unexpected", "b")]
    error = pickle.loads(pickle.dumps(submission_error("t.zip", found)))  # noqa: S301  our own bytes
    expected = "t.zip has 2 problems:\n  a is missing [missing]\n  b is unexpected [unexpected]"
    assert str(error) == expected
    assert error.problems == tuple(found)
    assert isinstance(error, SubmissionError)


PAGE = Path(__file__).resolve().parents[3] / "docs" / "submissions.md"


@pytest.mark.parametrize(("heading", "table"), [("Problems", PROBLEMS), ("Notes", NOTES)])
def test_the_page_on_submissions_explains_every_code_and_no_other(heading, table):
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE) == list(table)


def test_the_readme_on_the_page_is_accepted():
    page = PAGE.read_text(encoding="utf-8")
    lines = re.search(r"```text\n(runtime.*?)```", page, re.DOTALL)
    assert parse_readme(lines[1]).runtime_s == 10.43
