import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.tables import Digits, clean_name, format_table, parse_table
from raim.tables.writing import format_cell

TEXTS = st.text("'=+-@,;\t\r\n \"a", max_size=6) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6))
def test_every_table_of_texts_comes_back(rows):
    table = parse_table(
        format_table(["a", "b", "end"], [(*row[:2], "x") for row in rows]), "t", known=["a", "b"]
    )
    assert [tuple(row.cells.values()) for row in table.rows] == [
        (*map(clean_name, row[:2]), "x") for row in rows
    ]
    assert (table.faults, table.notes) == ((), ())


@given(TEXTS)
def test_every_column_comes_back(name):
    table = parse_table(format_table(["judge", "pick", name, "end"], []), "t", known=["judge", "pick"])
    own = clean_name(name)
    assert table.faults if own in {"judge", "pick", "end"} else own in {*table.columns, ""}


@pytest.mark.parametrize("text", ["=1+1", "+41", "-1", "@sum", "\t=1", "\r=1", "\n=1", " =1"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert format_cell(text) == f"'{text}"


def test_numbers_stay_numbers():
    values = (-1.5, -math.inf, -7, np.float64(-0.1), np.int64(-7), Digits("-1.50"), True, None)
    expected = ["-1.5", "-inf", "-7", "-0.1", "-7", "-1.50", "true", ""]
    assert [format_cell(each) for each in values] == expected


def test_times_and_records_have_their_json_form():
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert format_cell(noon) == "2026-03-01T12:00:00+00:00"
    assert format_cell({"when": noon, "list": [math.inf, (1, None)]}) == (
        '{"when": "2026-03-01T12:00:00+00:00", "list": ["inf", [1, null]]}'
    )
