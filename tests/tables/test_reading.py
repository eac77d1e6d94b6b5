import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import InputError
from raim.tables import Problems, parse_table, read_number, reading

KNOWN = ("team", "score")
EXPECTED = [{"team": "Zoë", "score": "79.13"}, {"team": "B", "score": "80"}]
FORMS = {
    "plain": "team,score\nZoë,79.13\nB,80\n",
    "no line end": "team,score\nZoë,79.13\nB,80",
    "CRLF": "team,score\r\nZoë,79.13\r\nB,80\r\n",
    "CR": "team,score\rZoë,79.13\rB,80\r",
    "semicolons": "team;score\nZoë;79.13\nB;80\n",
    "tabs": "team\tscore\nZoë\t79.13\nB\t80\n",
    "sep=": "sep=;\r\nteam;score\r\nZoë;79.13\r\nB;80\r\n",
    "sep= with more cells": "sep=,,\r\nteam,score\r\nZoë,79.13\r\nB,80\r\n",
    "empty rows": "\n,\nteam,score\n\nZoë,79.13\n,,\n;\nB,80\n \n".replace(";\n", ""),
    "empty columns at the end": "team,score,,\nZoë,79.13,,\nB,80,,\n,,,\n",
    "empty columns of some rows": "team,score\nZoë,79.13,,\nB,80\n",
    "a column without a name": ",team,score\n0,Zoë,79.13\n1,B,80\n",
    "letter case and blanks": " Team ,SCORE\n Zoë , 79.13\nB\u00a0,80\n",
    "quotation marks": '"team","score"\n"Zoë","79.13"\n"B","80"\n',
    "a byte order mark in the header": "\ufeff\ufeffteam,score\nZoë,79.13\nB,80\n",
    "letters in two signs": "team,score\nZoe\u0308,79.13\nB,80\n",
    "semicolons in a header of commas": "team,score\nZoë,79.13\nB,80\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_tables_of_every_program_are_read_alike(name):
    table = parse_table(FORMS[name], "a.csv", known=KNOWN)
    assert ([dict(row.cells) for row in table.rows], table.faults, table.notes) == (EXPECTED, (), ())


FAULTS = {
    "more cells": ("team,score\nA,7\nB,7,x\n", (3, "it has 3 cells, the first line names 2 columns")),
    "decimal commas": ("team,score\nA,79,13\n", (2, "; if 79,13 is one number, write 79.13, or save the table with ")),
    "decimal commas and empty columns": ("team,score,\nA,79,13\n", (2, "if 79,13 is one number")),
    "fewer cells": ("team,score\nA\n", (2, "it has 1 cells, the first line names 2 columns")),
    "a column twice": ("team,Score,score\nA,1,2\n", (1, "the column 'score' stands there twice")),
    "an open quotation": ('team,score\n"A,7\n', (2, "it is not CSV: unexpected end of data")),
    "text after a quotation": ('team,score\n"A" x,7\n', (2, "it is not CSV")),
    "a cell that is too long": (f"team,score\n{'a' * 140_000},7\n", (2, "field larger than field limit")),
    "a row that is too long": ("team,score\n" + f'"{"a" * 1000}\n",' * 1100, (2, "a row has more than 1048576")),
    "lines of cells count": ('team,score\n"A\nB",7\nC\n', (4, "it has 1 cells")),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_told_with_its_line(name):
    text, (line, message) = FAULTS[name]
    table = parse_table(text, "a.csv", known=KNOWN)
    assert [each for each, _ in table.faults] == [line]
    assert message in table.faults[0][1]


def test_so_many_rows_are_no_table(monkeypatch):
    monkeypatch.setattr(reading, "MOST_ROWS", 10)
    assert "it has more than 10 rows" in parse_table("a\n" * 20, "a.csv").faults[0][1]


def test_what_separates_cells_is_told_in_doubt_and_not_guessed_where_columns_are_known():
    doubtful = parse_table("x,y;z\n1,2;3\n", "a.csv")
    assert doubtful.columns == ("x", "y;z")
    assert "commas and semicolons; it was read as separated by commas" in doubtful.notes[0]
    known = parse_table("team;score;what, and why\nA;79,13;a, b, c\n", "a.csv", known=KNOWN)
    assert (known.rows[0].cells["score"], known.notes) == ("79,13", ())


def test_other_columns_keep_their_letters():
    assert parse_table("TEAM,PSNR of all\nA,7\n", "a.csv", known=KNOWN).columns == ("team", "PSNR of all")


def test_the_decimal_comma_of_one_cell_tells_that_of_its_column():
    table = parse_table("team;score;other\nA;1,234;1,234\nB;0,5;7\n", "a.csv", known=KNOWN)
    problems = Problems()
    assert [read_number(row, "score", problems) for row in table.rows] == [1.234, 0.5]
    assert read_number(table.rows[0], "other", problems) is None
    assert "which may be 1.234 or 1234" in problems.found[0]


@given(st.binary(max_size=200) | st.text('a,;"\t\n\r\0 =\ufeff', max_size=60).map(str.encode))
def test_whatever_is_read_it_is_a_table_or_refused(content):
    try:
        table = parse_table(content, "a.csv", known=KNOWN)
    except InputError:
        return
    assert all(set(row.cells) == set(table.columns) for row in table.rows)


@given(st.lists(st.lists(st.text('a1,;"\n ', max_size=4), min_size=2, max_size=2), max_size=4))
def test_cells_are_those_of_the_standard_library(rows):
    lines = ["".join((*('"' + cell.replace('"', '""') + '",' for cell in row), "x\n")) for row in rows]
    text = "team,score,end\n" + "".join(lines)
    found = [list(row.cells.values()) for row in parse_table(text, "a.csv", known=KNOWN).rows]
    assert found == [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(keepends=True)[1:])]
