r"""One cell: numbers in the ways of all countries where they are unambiguous, times, names, texts that are no formula.

A decimal comma is read where it can be nothing else: `79,13`, `0,912`. `1,234` may be a number with thousands, so it is
refused, unless another cell of its column has an unambiguous decimal comma. Names are compared without what nobody
sees, and recognised where a spreadsheet has shortened them.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from raim.errors import InputError, shown

MOST = 1e12  # no score, count or points; beyond it sums and rounding lose their digits
ENDLESS = frozenset(sign + word for sign in ("", "-", "+") for word in ("nan", "inf", "infinity"))
NO_NUMBER = ENDLESS | {"", "-", "n/a", "#n/a", "na", "none", "null"}
_SIGN, _POWER = r"[+-]?", r"(?:e[+-]?\d+)?"
POINT = re.compile(rf"{_SIGN}(?:\d+\.?\d*|\.\d+){_POWER}", re.ASCII | re.IGNORECASE)
COMMA = re.compile(rf"{_SIGN}(?:\d+,\d*|,\d+){_POWER}", re.ASCII | re.IGNORECASE)
PERHAPS_THOUSANDS = re.compile(rf"{_SIGN}[1-9]\d{{0,2}},\d{{3}}", re.ASCII)
THOUSANDS = re.compile(rf"{_SIGN}\d{{1,3}}(?:[., '\u2019]\d{{3}})+(?:[.,]\d*)?", re.ASCII)
# Source: OWASP, "CSV Injection": spreadsheets take cells that begin so for a formula.
FORMULA = re.compile(r"[\s']*[=+\-@\t\r\n]")
EXAMPLE = "expected a number, such as 79.13"
# Soft hyphen, zero-width space, word joiner, byte order mark, marks of direction. The joiners U+200C and U+200D stay:
# they are part of how Persian words and some emoji are written.
INVISIBLE = dict.fromkeys(
    [0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF]
)
_Value = TypeVar("_Value")
WHOLE = re.compile(r"(0|[1-9][0-9]*)(\.0*)?")
SCIENTIFIC = re.compile(r"[0-9][.,][0-9]+E\+[0-9]+", re.IGNORECASE)
MOST_SHOWN = 3
FORMAT_AS_TEXT = "format the column as text in the spreadsheet, or write the file with another program"


def parse_number(text: str, *, has_decimal_comma: bool = False, most: float = MOST) -> float | None:
    """Read the number of a cell; None for an empty cell and for a word that says that there is none.

    Args:
        text: Of the cell.
        has_decimal_comma: Whether the numbers of its column are known to have a decimal comma.
        most: The largest that is taken, and the smallest with a minus.

    Raises:
        InputError: It is something else; the text goes on from "the score is".

    Example:
        >>> parse_number("79.13"), parse_number("79,13"), parse_number("n/a"), parse_number("-inf")
        (79.13, 79.13, None, None)
        >>> parse_number("1,234")
        Traceback (most recent call last):
        raim.errors.InputError: '1,234', which may be 1.234 or 1234; write a decimal point and no sign for thousands
    """
    if text.casefold() in NO_NUMBER:
        return None
    if POINT.fullmatch(text):
        if has_decimal_comma and "." in text:
            raise InputError(
                f"{text[:60]!r} with a point, where other numbers of the column have a decimal comma; write all alike"
            )
        number = float(text)
    elif COMMA.fullmatch(text) and (has_decimal_comma or is_decimal_comma(text)):
        number = float(text.replace(",", "."))
    elif PERHAPS_THOUSANDS.fullmatch(text):
        may_be = f"{text.replace(',', '.')} or {text.replace(',', '')}"
        raise InputError(f"{text!r}, which may be {may_be}; write a decimal point and no sign for thousands")
    elif THOUSANDS.fullmatch(text):
        raise InputError(
            f"{text[:60]!r}, which has a sign for thousands; write numbers without it, such as 1234.5"
        )
    else:
        raise InputError(f"{text[:60]!r}; {EXAMPLE}")
    if abs(number) <= most:
        return number
    raise InputError(f"{text[:60]!r}; {EXAMPLE}, up to {most:g}")


def is_decimal_comma(text: str) -> bool:
    """Return whether a cell is a number whose comma can only be that of its decimals."""
    return COMMA.fullmatch(text) is not None and PERHAPS_THOUSANDS.fullmatch(text) is None


def parse_whole(text: str, *, has_decimal_comma: bool = False) -> int | None:
    """Read a whole number, also one that a program has written as 1.0; None for an empty cell.

    Raises:
        InputError: It is something else; the text goes on from "the width is".

    Example:
        >>> parse_whole("224"), parse_whole("224.0"), parse_whole("")
        (224, 224, None)
    """
    if not text:
        return None
    try:
        number = parse_number(text, has_decimal_comma=has_decimal_comma)
    except InputError:
        number = None
    if number is None or not number.is_integer():
        raise InputError(f"{text[:60]!r}; expected a whole number")
    return int(number)


def parse_moment(text: str) -> datetime:
    """Read a time in ISO form; one without a zone is taken as UTC.

    Raises:
        InputError: It is something else; the text goes on from "the time is".

    Example:
        >>> parse_moment("2024-02-01 12:00").isoformat()
        '2024-02-01T12:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(f"{text[:60]!r}; expected a time such as 2024-02-01T12:00:00Z") from None


def escape_cell(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    Example:
        >>> escape_cell("@home"), escape_cell("Team 7"), read_cell(escape_cell("'=x"))
        ("'@home", 'Team 7', "'=x")
    """
    return f"'{text}" if FORMULA.match(text) else text


def read_cell(raw: str) -> str:
    """Return the text of a cell: an apostrophe before a formula undone, and as `clean_name` says.

    Example:
        >>> read_cell(" '=Alpha "), read_cell("'Alpha'")
        ('=Alpha', "'Alpha'")
    """
    # What `escape_cell` gives begins with the apostrophe, so blanks before it are somebody else's.
    bare = raw.lstrip() if raw[:1].isspace() else raw
    return clean_name(bare[1:] if bare.startswith("'") and FORMULA.match(bare) else bare)


def clean_name(text: str) -> str:
    r"""Return a text in NFC, without invisible characters and without blanks at its ends; other blanks become spaces.

    Example:
        >>> clean_name("\ufeff Zoe\u0308\u00a0"), clean_name("Team\u00a07")
        ('Zoë', 'Team 7')
    """
    if text.isascii():
        return text.strip()
    text = text.translate(INVISIBLE)
    text = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in text)
    return unicodedata.normalize("NFC", text.strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class NameMatch:
    """Names of a table beside those that are known."""

    names: Mapping[str, str]  # name of the table to the known name
    shortened: tuple[str, ...]  # those of them that a spreadsheet has shortened, such as 1 for 0001
    unknown: tuple[str, ...]  # names of the table that are not known

    @property
    def note(self) -> str:
        """What to know of shortened names; "" if there are none."""
        if not self.shortened:
            return ""
        pairs = [f"{name} as {self.names[name]}" for name in self.shortened[:MOST_SHOWN]]
        more = ", ..." if len(self.shortened) > MOST_SHOWN else ""
        return (
            f"a spreadsheet has shortened {len(self.shortened)} names, which are read as they were: "
            f"{', '.join(pairs)}{more}; to keep them, {FORMAT_AS_TEXT}"
        )


def match_names(written: Iterable[str], known: Collection[str]) -> NameMatch:
    """Match the names of a table to those that are known.

    A whole number stands for the one known name that is this number with zeros before it, if only this name of the
    table can mean it.

    Example:
        >>> match_names(["1", "b", "x"], ["0001", "0002", "b"])
        NameMatch(names={'1': '0001', 'b': 'b'}, shortened=('1',), unknown=('x',))
    """
    own = {clean_name(name): name for name in known} | {name: name for name in known}
    found = {name: own.get(name, own.get(clean_name(name))) for name in written}
    meant = Counter(_number(name) for name in found if WHOLE.fullmatch(name) or _is_padded(name))
    padded: dict[str, list[str]] = {}
    for name in filter(_is_padded, known):
        padded.setdefault(_number(name), []).append(name)
    shortened = [
        name
        for name, there in found.items()
        if there is None
        and WHOLE.fullmatch(name)
        and meant[_number(name)] == 1 == len(padded.get(_number(name), ()))
    ]
    found |= {name: padded[_number(name)][0] for name in shortened}
    return NameMatch(
        names={name: there for name, there in found.items() if there is not None},
        shortened=tuple(shortened),
        unknown=tuple(name for name, there in found.items() if there is None),
    )


def rename_known(found: Mapping[str, _Value], known: Collection[str]) -> tuple[dict[str, _Value], str]:
    """Put known names in the place of those of a table that mean them; and a note on names that were shortened.

    Example:
        >>> rename_known({"Alpha ": 1.0, "7": 2.0}, ["Alpha", "007"])[0]
        {'Alpha': 1.0, '007': 2.0}
    """
    match = match_names(found, known)
    return {match.names.get(name, name): value for name, value in found.items()}, match.note


def say_none_known(names: Iterable[str], known: Collection[str]) -> str:
    """Return the message that a table names no image, with the cause where it shows.

    Example:
        >>> print(say_none_known(["a", "b"], ["0001", "0002"]))
        no row names an image: it has a, b, the images are 0001, 0002
    """
    numbers = [name for name in names if SCIENTIFIC.fullmatch(name)]
    cause = f"; a spreadsheet has made {numbers[0]} of a name: {FORMAT_AS_TEXT}" if numbers else ""
    return f"no row names an image: it has {_list_some(names)}, the images are {_list_some(known)}{cause}"


def _list_some(names: Iterable[str]) -> str:
    listed = [shown(name) for name in itertools.islice(names, MOST_SHOWN + 1)]
    return ", ".join(listed[:MOST_SHOWN]) + (", ..." if len(listed) > MOST_SHOWN else "")


def _is_padded(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _number(name: str) -> str:
    """Return a whole number without the zeros that a spreadsheet adds or takes away."""
    return name.partition(".")[0].lstrip("0")
