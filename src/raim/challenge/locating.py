"""TOML with lines: its tables, and where each key is, the line for a path such as ("phase", 1, "opens").

Python's tomllib gives values without positions. This walks over a text that tomllib has accepted, so it only has
to know where keys, strings, arrays and inline tables begin and end (toml.io, version 1.0.0), not to judge them.
"""

import bisect
import re
import tomllib
from collections.abc import Mapping
from typing import Any

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACES = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# A multi-line string may end in up to two quotes of its own before the closing three.
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:\'{0,2})|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}\n#]+")


def parse_toml(text: str) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    r"""Read TOML, with or without a byte order mark, with line ends of any system.

    Returns:
        The tables, and the lines as `locate_keys` gives them.

    Raises:
        ValueError: It is no TOML (`tomllib.TOMLDecodeError`), or has a number of thousands of digits.
        RecursionError: It is nested hundreds deep.

    Example:
        >>> parse_toml("\ufeffschema = 1\r\n")
        ({'schema': 1}, {('schema',): 1})
    """
    text = text.removeprefix("\ufeff")
    return tomllib.loads(text), locate_keys(text)


def locate_keys(text: str) -> Mapping[KeyPath, int]:
    r"""Return the line, counted from 1, on which each key, table and element of an array begins.

    Args:
        text: TOML that `tomllib.loads` accepts.

    Example:
        >>> lines = locate_keys('schema = 1\n[[phase]]\nid = "a"\n[[phase]]\nid = "b"\n')
        >>> lines["phase", 1], lines["phase", 1, "id"]
        (4, 5)
    """
    return _Walk(text).lines


def find_line(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Return the line of a path, or of the nearest table above it; 1 where there is none.

    Example:
        >>> find_line({("phase", 0): 7}, ("phase", 0, "opens"))
        7
    """
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Walk:
    """One walk over a text; `lines` is what it finds."""

    def __init__(self, text: str) -> None:
        # As tomllib does; the number of lines stays the same.
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.lengths: dict[KeyPath, int] = {}  # of the arrays of tables
        self.ends = [match.start() for match in re.finditer("\n", self.text)]
        self._walk()

    def _walk(self) -> None:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return self.at

    def _take(self, pattern: re.Pattern[str]) -> str:
        start = self.at
        return self.text[start : self._skip(pattern)]

    def _mark(self, path: KeyPath, at: int) -> None:
        self.lines.setdefault(path, bisect.bisect_left(self.ends, at) + 1)

    def _header(self) -> KeyPath:
        start = self.at
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.at += brackets
        path: KeyPath = ()
        keys = self._keys()
        for depth, key in enumerate(keys, start=1):
            path = (*path, key)
            self._mark(path, start)
            if brackets == 2 and depth == len(keys):
                self.lengths[path] = self.lengths.get(path, 0) + 1
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
                self._mark(path, start)
        self.at += brackets
        return path

    def _keys(self) -> list[str]:
        """Read a dotted key and the spaces around it."""
        keys = []
        while True:
            self._skip(_SPACES)
            quoted = self.text.startswith(('"', "'"), self.at)
            part = self._take(_STRING if quoted else _BARE)
            keys.append(tomllib.loads(f"key = {part}")["key"] if quoted else part)
            self._skip(_SPACES)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _pair(self, table: KeyPath) -> None:
        start = self.at
        path = table
        for key in self._keys():
            path = (*path, key)
            self._mark(path, start)
        self.at += 1  # the equals sign
        self._skip(_SPACES)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            self._skip(_STRING)
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != "]":
            self._mark((*path, index), self.at)
            self._value((*path, index))
            index += 1
            self._skip_comma()
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self.text[self._skip(_BLANK)] != "}":
            self._pair(path)
            self._skip_comma()
        self.at += 1

    def _skip_comma(self) -> None:
        if self.text[self._skip(_BLANK)] == ",":
            self.at += 1
