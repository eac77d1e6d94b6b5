r"""One cell: numbers in the ways of all countries where they are unambiguous, times, and texts that are no formula.

A decimal comma is read where it can be nothing else: `79,13`, `0,912`. `1,234` may be a number with thousands, so it is
refused, unless another cell of its column has an unambiguous decimal comma.
"""

import re
from datetime import UTC, datetime

from raim.errors import InputError
from raim.tables.names import clean_name

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
    """Say whether a cell is a number whose comma can only be that of its decimals.

    Example:
        >>> is_decimal_comma("79,13"), is_decimal_comma("0,912"), is_decimal_comma("1,234")
        (True, True, False)
    """
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
