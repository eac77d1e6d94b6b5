"""What a member's name may be: a relative path downwards, in printable characters.

Nothing is ever unpacked to disk here, yet such names are refused: a team's archive is kept and handed on, and
whoever unpacks it later must be safe too.
"""

import re
import unicodedata

from raim.errors import shown
from raim.scoring.submission.findings import Finding, problem

UTF8_NAME = 0x0800
LONGEST_NAME_BYTES = 255  # of one part: the limit of ext4, APFS (in UTF-8) and NTFS (in UTF-16 units)
_DRIVE = re.compile(r"[A-Za-z]:")
_SEPARATORS = re.compile(r"[\\/]+")
# Control, surrogate (undecodable bytes), line and paragraph separator.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Characters that reorder text, so that `gnp.exe` can read `exe.png` (Unicode Standard Annex 9, section 2).
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def decode_name(raw: bytes, flags: int) -> tuple[str, Finding | None]:
    r"""Decode a stored name: UTF-8 if flagged (or if it happens to be), else code page 437 (APPNOTE D.1).

    Example:
        >>> decode_name("é.png".encode(), 0)[0], decode_name(b"\x82.png", 0)[0]
        ('é.png', 'é.png')
    """
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError:
        name = raw.decode("cp437")
    if not flags & UTF8_NAME:
        return name, None
    text = (
        f"the name {shown(name)} claims to be UTF-8 and is not; rename the file with plain letters and digits"
    )
    return name, problem("name-encoding", text, name)


def split_name(name: str) -> tuple[str, ...]:
    """Split a relative path at its slashes; empty parts and `.` mean nothing and are left out.

    Example:
        >>> split_name("./results//0001.png")
        ('results', '0001.png')
    """
    return tuple(part for part in name.split("/") if part not in ("", "."))


def last_part(name: str) -> str:
    r"""Give what an extractor on any system could take as the file's own name.

    Example:
        >>> last_part("C:\\results\\0001.png")
        '0001.png'
    """
    return _SEPARATORS.split(name)[-1]


def find_name_problems(name: str) -> list[Finding]:
    """Find everything that makes a member's name unsafe; an empty list for an ordinary one.

    Example:
        >>> [each.code for each in find_name_problems("../0001.png")]
        ['path-traversal']
    """
    visible = shown(name)
    problems = []
    if not split_name(name):
        problems.append(problem("empty-name", "a member has no name; make the zip again", name))
    if ".." in _SEPARATORS.split(name):
        text = f"the name {visible} leads out of the folder with ..; put the file at the root of the zip"
        problems.append(problem("path-traversal", text, name))
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        text = f"the name {visible} is an absolute path; names must be relative, such as 0001.png"
        problems.append(problem("absolute-path", text, name))
    if "\\" in name:
        text = f"the name {visible} contains a backslash; names in a zip use / : make it with another program"
        problems.append(problem("backslash", text, name))
    if any(len(part.encode(errors="replace")) > LONGEST_NAME_BYTES for part in split_name(name)):
        text = f"the name {visible} is longer than {LONGEST_NAME_BYTES} bytes; rename the file"
        problems.append(problem("name-too-long", text, name))
    # Printable ASCII, the ordinary case, needs no look at every character.
    if not (name.isascii() and name.isprintable()) and any(is_refused(char) for char in name):
        text = f"the name {visible} contains a control or invisible character; rename the file"
        problems.append(problem("control-character", text, name))
    return problems


def is_refused(char: str) -> bool:
    r"""Say whether a character may not stand in a name.

    Example:
        >>> is_refused("\0"), is_refused("\u202e"), is_refused("é")
        (True, True, False)
    """
    return unicodedata.category(char) in _REFUSED_CATEGORIES or char in _REORDERING
