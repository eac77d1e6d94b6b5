import io
import zipfile

import pytest

from raim.errors import InputError
from raim.tables import decode_table, read_content
from raim.tables.decoding import LARGEST, OLE2

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
