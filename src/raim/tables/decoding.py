"""Bytes of a table to its text: the encodings that editors and spreadsheets write, and what is no text at all.

UTF-8 comes first, then what a byte order mark says, then UTF-16 without one where nothing else can be meant. What is
none of them is taken for Windows-1252, with a note. Workbooks are recognised by their content, whatever their name.
"""

import codecs
import io
import re
import zipfile
from pathlib import Path

from raim.errors import InputError

LARGEST = 50 * 2**20
LETTER_OF_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
ZIP, OLE2 = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
# UTF-32 before UTF-16, whose mark it begins with.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WAY_OUT = "in the spreadsheet choose File > Save As > CSV UTF-8, and hand in that file"


def read_content(path: Path) -> bytes:
    """Return the content of a file that should be a table.

    Raises:
        InputError: It cannot be read, or is larger than 50 MiB.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise InputError(f"{path} is larger than {LARGEST // 2**20} MiB; it is no table that raim takes")
    return content


def decode_table(content: bytes, name: str) -> tuple[str, str]:
    r"""Return the text of a table without its byte order mark, and a note on its encoding, "" for UTF-8.

    Args:
        content: Of the file.
        name: Of the file, for messages.

    Raises:
        InputError: It is a workbook, or no text.

    Example:
        >>> decode_table("Zoë,1".encode("utf-16"), "a.csv")
        ('Zoë,1', '')
        >>> decode_table(b"Zo\xeb,1", "a.csv")
        ('Zoë,1', 'it is not UTF-8 (byte 2) and was read as Windows-1252; look at the letters of its names')
    """
    workbook = find_workbook(content)
    if workbook:
        raise InputError(f"{name} is {workbook}, not CSV; {WAY_OUT}")
    encoding = next((encoding for mark, encoding in MARKS if content.startswith(mark)), _guess_utf16(content))
    try:
        text, note = content.decode(encoding), ""
    except UnicodeDecodeError as error:
        text, note = _decode_windows(content, name, encoding, error)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            f"{name}, line {line}: it holds a NUL character, so it is no text; save it as CSV in UTF-8"
        )
    return text.removeprefix("\ufeff"), note


def find_workbook(content: bytes) -> str:
    """Return what kind of workbook a content is; "" if it is none.

    Example:
        >>> find_workbook(b"name,issue"), find_workbook(OLE2 + b"...")
        ('', 'an Excel workbook (.xls)')
    """
    if content.startswith(OLE2):
        return "an Excel workbook (.xls)"
    if not content.startswith(ZIP):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        names = set()
    if b"opendocument.spreadsheet" in content[:200]:  # the first of its files says so, not compressed
        return "an OpenDocument spreadsheet (.ods)"
    if "[Content_Types].xml" in names or any(each.startswith("xl/") for each in names):
        return "an Excel workbook (.xlsx)"
    return "a Numbers workbook" if "Index/Document.iwa" in names else ""


def _guess_utf16(content: bytes) -> str:
    """Return the encoding without a byte order mark: UTF-16 if every other byte of the beginning is zero."""
    begin = content[:64]
    even, odd = begin[::2], begin[1::2]
    if len(begin) >= 4 and not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if len(begin) >= 4 and not any(even) and all(odd) else "utf-8"


def _decode_windows(content: bytes, name: str, encoding: str, error: UnicodeDecodeError) -> tuple[str, str]:
    """Decode as Windows-1252 what has no letter of UTF-8 in it: that would be a damaged file."""
    expected = encoding.removesuffix("-sig").upper()
    refusal = InputError(f"{name}: it is not {expected} (byte {error.start}); save it as CSV in UTF-8")
    if encoding != "utf-8" or LETTER_OF_UTF8.search(content):
        raise refusal from error
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        raise refusal from error
    note = (
        f"it is not UTF-8 (byte {error.start}) and was read as Windows-1252; look at the letters of its names"
    )
    return text, note
