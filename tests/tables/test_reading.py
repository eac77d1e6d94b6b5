import csv
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import InputError
from raim.tables import Problems, decode_table, parse_table, read_content, read_number, reading
from raim.tables.reading import LARGEST, OLE2

TEXT = "team,score\nZoë,79.13\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_in_every_form(encoding):
    assert decode_table(TEXT.encode(encoding), "a.csv") == (TEXT, "")


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be", "utf-32-be"])
def test_a_byte_order_mark_of_either_order_is_read(mark):
    assert decode_table(f"\ufeff{TEXT}".encode(mark), "a.csv") == (TEXT, "")


def test_what_is_no_utf8_is_read_as_windows_1252_with_a_note():
    text, note = decode_table(TEXT.encode("cp1252"), "a.csv")
    assert text == TEXT
    assert "it is not UTF-8 (byte 13) and was read as Windows-1252" in note


DAMAGED = {
    "letters of UTF-8 beside others": "Zoë".encode() + b"\xe9",
    "half of a pair of UTF-16 as UTF-8": b"a\xed\xa0\x80",
    "bytes without a letter in Windows-1252": b"a\x81",
    "half of a letter of UTF-16": "ab".encode("utf-16")[:-1],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_text_is_refused(name):
    with pytest.raises(InputError, match=r"a.csv: it is not UTF-.* save it as CSV in UTF-8"):
        decode_table(DAMAGED[name], "a.csv")


def test_a_text_with_a_nul_is_refused_with_its_line():
    with pytest.raises(InputError, match=r"a\.csv, line 2: it holds a NUL"):
        decode_table(b"name\na\0b\n", "a.csv")


def packed(*names):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.spreadsheet" * (name == "mimetype"))
    return held.getvalue()


WORKBOOKS = {
    "an Excel workbook (.xlsx)": packed("[Content_Types].xml", "xl/workbook.xml"),
    "an OpenDocument spreadsheet (.ods)": packed("mimetype", "content.xml"),
    "a Numbers workbook": packed("Index/Document.iwa"),
    "an Excel workbook (.xls)": OLE2 + bytes(100),
}


@pytest.mark.parametrize("kind", WORKBOOKS)
def test_a_workbook_is_recognised_by_its_content(kind):
    with pytest.raises(InputError) as caught:
        decode_table(WORKBOOKS[kind], "a.csv")
    assert str(caught.value) == (
        f"a.csv is {kind}, not CSV; in the spreadsheet choose File > Save As > CSV UTF-8, and hand in that file"
    )


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path):
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(InputError, match="larger than 50 MiB"):
        read_content(tmp_path / "a.csv")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_content(tmp_path / "b.csv")


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
    "a column twice": ("team,Score,score\nA,1,2\n", (1, "the column 'score' is there twice")),
    "an open quotation": ('team,score\n"A,7\n', (2, "it is not CSV: unexpected end of data")),
    "text after a quotation": ('team,score\n"A" x,7\n', (2, "it is not CSV")),
    "a cell that is too long": (f"team,score\n{'a' * 140_000},7\n", (2, "field larger than field limit")),
    "a row that is too long": ("team,score\n" + f'"{"a" * 1000}\n",' * 1100, (2, "a row has more than 1048576")),
    "lines of cells count": ('team,score\n"A\nB",7\nC\n', (4, "it has 1 cells")),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_reported_with_its_line(name):
    text, (line, message) = FAULTS[name]
    table = parse_table(text, "a.csv", known=KNOWN)
    assert [each for each, _ in table.faults] == [line]
    assert message in table.faults[0][1]


def test_so_many_rows_are_no_table(monkeypatch):
    monkeypatch.setattr(reading, "MOST_ROWS", 10)
    assert "it has more than 10 rows" in parse_table("a\n" * 20, "a.csv").faults[0][1]


def test_what_separates_cells_is_reported_in_doubt_and_not_guessed_where_columns_are_known():
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
