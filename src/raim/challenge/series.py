"""A series: challenges of one server that share a page, a look and rules, such as those of a workshop (series.toml)."""

import re
from dataclasses import dataclass
from pathlib import Path

from raim.challenge.problem import Problem, challenge_error, has_problems
from raim.challenge.reading import examine_text, read_text
from raim.challenge.section import Section

SERIES_FILE = "series.toml"
COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """What challenges have in common.

    Attributes:
        name: For people.
        tagline: One line under the name.
        description: Of the page, in Markdown.
        rules: That hold in each of them, before its own, in Markdown.
        url: Of the workshop; "" without.
        accent: Colour of links and buttons in light pages, such as "#1f5fae"; "" for raim's own.
        accent_dark: The same in dark pages.
    """

    name: str
    tagline: str = ""
    description: str = ""
    rules: str = ""
    url: str = ""
    accent: str = ""
    accent_dark: str = ""


def read_series(folder: Path) -> Series | None:
    """Read the series of a server's folder; None where there is none.

    Raises:
        ChallengeError: series.toml has problems; all are listed.

    Example:
        >>> read_series(Path("nowhere")) is None
        True
    """
    file = folder / SERIES_FILE
    if not file.exists():
        return None
    text = read_text(file)
    if isinstance(text, Problem):
        raise challenge_error(str(file), (text,))
    series, found = examine_text(text, file, _parse)
    if series is None or has_problems(found):
        raise challenge_error(str(file), found)
    return series


def _parse(top: Section) -> Series:
    series = Series(
        name=top.text("name"),
        tagline=top.text("tagline", ""),
        description=top.markdown("description", ""),
        rules=top.markdown("rules", ""),
        url=top.text("url", ""),
        accent=_colour(top, "accent"),
        accent_dark=_colour(top, "accent_dark"),
    )
    if series.url and not series.url.startswith(("https://", "http://")):
        top.fail("url", f"url is {series.url!r}; expected an address that begins with https://")
    top.finish()
    return series


def _colour(top: Section, key: str) -> str:
    value = top.text(key, "")
    if value and not COLOUR.fullmatch(value):
        top.fail(key, f"{key} is {value!r}; expected a colour such as '#1f5fae'")
    return value
