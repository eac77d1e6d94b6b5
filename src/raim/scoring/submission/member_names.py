"""What a member's name may be: a relative path downwards, in printable characters.

Nothing is ever unpacked to disk here, yet such names are refused: a team's archive is kept and passed on, and
whoever unpacks it later must be safe too.
"""

import contextlib
import re
import unicodedata
import zlib
from dataclasses import dataclass

from raim.errors import shown
from raim.scoring.submission.findings import Finding, problem
from raim.scoring.submission.zip_members import UTF8_NAME, find_extra

UNICODE_PATH = 0x7075
LEGACY_ENCODINGS = {
    "GBK": "gbk",
    "Big5": "big5",
    "Shift JIS": "cp932",
    "EUC-KR": "cp949",
    "Windows-1252": "cp1252",
    "code page 850": "cp850",
    "Windows-1251": "cp1251",
    "code page 866": "cp866",
}
FOLDER_ICON = "Icon\r"  # of macOS: junk with a control character
LONGEST_NAME_BYTES = 255  # of one part: the limit of ext4, APFS (in UTF-8) and NTFS (in UTF-16 units)
_DRIVE = re.compile(r"[A-Za-z]:")
_SEPARATORS = re.compile(r"[\\/]+")
# Control, surrogate (undecodable bytes), line and paragraph separator.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Characters that reorder text, so that `gnp.exe` can read `exe.png` (Unicode Standard Annex 9, section 2).
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredName:
    """A member's name in a zip."""

    raw: bytes  # as it is stored
    text: str  # decoded; may hold anything
    problems: tuple[Finding, ...]  # what makes it unsafe
    is_guessed: bool = False  # whether the zip does not say in which encoding it is


def read_name(raw: bytes, flags: int, extra: bytes) -> StoredName:
    r"""Decode a stored name: UTF-8 where flagged, else the Unicode path, else UTF-8 if it is that, else code page 437.

    The Unicode path, an extra field of its row, counts if it belongs to this very name (by its CRC-32).

    Source: PKWARE APPNOTE.TXT 6.3.10, 4.6.9 (Unicode path) and D.1.

    Example:
        >>> read_name("é.png".encode(), 0, b"").text, read_name(b"\x82.png", 0, b"").text
        ('é.png', 'é.png')
    """
    legacy = raw.decode("cp437")
    try:
        field = b"" if flags & UTF8_NAME else find_extra(extra, UNICODE_PATH) or b""
        if field.startswith(b"\x01" + zlib.crc32(raw).to_bytes(4, "little")):
            text = field[5:].decode("utf-8")
            return StoredName(
                raw=raw, text=text, problems=(*find_name_problems(text), *_find_legacy(legacy, text))
            )
    except UnicodeDecodeError:
        text = f"the Unicode path of {shown(legacy)} claims to be UTF-8 and is not; make the zip again"
        return StoredName(raw=raw, text=legacy, problems=(problem("name-encoding", text, legacy),))
    try:
        text, is_guessed = raw.decode("utf-8"), False
    except UnicodeDecodeError:
        text, is_guessed = legacy, True
    return StoredName(raw=raw, text=text, problems=tuple(find_name_problems(text)), is_guessed=is_guessed)


def _find_legacy(legacy: str, text: str) -> list[Finding]:
    """Find what makes a name unsafe for programs that do not know its Unicode path."""
    found = find_name_problems(legacy)
    if legacy.endswith("/") != text.endswith("/"):
        what = f"one member is named as a folder and as a file ({shown(legacy)}, {shown(text)}); make the zip again"
        found.append(problem("name-encoding", what, text))
    # The second byte of a Chinese or Japanese character can be that of a backslash.
    return [each for each in found if each.code != "backslash"]


def read_in_encodings(raw: bytes) -> dict[str, str]:
    """Return the readings of a name in the encodings that Windows writes without saying so, by encoding."""
    readings = {}
    for name, encoding in LEGACY_ENCODINGS.items():
        with contextlib.suppress(UnicodeDecodeError):
            readings[name] = raw.decode(encoding)
    return readings


def split_name(name: str) -> tuple[str, ...]:
    """Split a relative path at its slashes; empty parts and `.` mean nothing and are left out."""
    return tuple(part for part in name.split("/") if part not in ("", "."))


def last_part(name: str) -> str:
    """Return what an extractor on any system could take as the file's own name."""
    return _SEPARATORS.split(name)[-1]


def find_name_problems(name: str) -> list[Finding]:
    """Find everything that makes a member's name unsafe; an empty list for an ordinary one.

    Example:
        >>> [each.code for each in find_name_problems("../0001.png")]
        ['path-traversal']
    """
    parts, printable = split_name(name), f"the name {shown(name)}"
    found = {
        "empty-name": not parts and "a member has no name; make the zip again",
        "path-traversal": ".." in _SEPARATORS.split(name)
        and f"{printable} leads out of the folder with ..; put the file at the root of the zip",
        "absolute-path": (name.startswith(("/", "\\")) or _DRIVE.match(name))
        and f"{printable} is an absolute path; names must be relative, such as 0001.png",
        "backslash": "\\" in name
        and f"{printable} contains a backslash; names in a zip use / : make it with another program",
        "name-too-long": any(len(part.encode(errors="replace")) > LONGEST_NAME_BYTES for part in parts)
        and f"{printable} is longer than {LONGEST_NAME_BYTES} bytes; rename the file",
        # Printable ASCII, the ordinary case, needs no look at every character.
        "control-character": not (name.isascii() and name.isprintable())
        and any(map(is_refused, name.removesuffix(FOLDER_ICON)))
        and f"{printable} contains a control or invisible character; rename the file",
    }
    return [problem(code, text, name) for code, text in found.items() if text]


def is_refused(char: str) -> bool:
    """Return whether a character may not stand in a name."""
    return unicodedata.category(char) in _REFUSED_CATEGORIES or char in _REORDERING
