"""Names in tables: compared without what nobody sees, and recognised where a spreadsheet has shortened them."""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from raim.errors import shown

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
    """Names of a table beside those that are known.

    Attributes:
        names: Name of the table to the known name.
        shortened: Those of them that a spreadsheet has shortened, such as 1 for 0001.
        unknown: Names of the table that are not known.
    """

    names: Mapping[str, str]
    shortened: tuple[str, ...]
    unknown: tuple[str, ...]

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
    """Say that a table names no image, with the cause where it shows.

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
