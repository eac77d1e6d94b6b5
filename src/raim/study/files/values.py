"""Values of JSON documents, refused in words where they are not what a document needs."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from raim.errors import InputError


def parse_json(text: str) -> Any:
    """Read JSON, without the words NaN and Infinity that are none.

    Raises:
        InputError: It is no JSON.

    Example:
        >>> parse_json('{"a": [1]}')
        {'a': [1]}
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not JSON: {error}") from error


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def read_time(text: str) -> datetime:
    """Read a time that says its zone.

    Raises:
        InputError: It is none.

    Example:
        >>> read_time("2026-03-01T12:00:00Z").isoformat()
        '2026-03-01T12:00:00+00:00'
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise InputError(f"the time is {text!r}; expected one with its zone, such as 2026-03-01T12:00:00Z")
    return time


def need_mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return a value that is an object, or raise InputError."""
    if not isinstance(value, dict):
        raise InputError(f"{name} is {_short(value)}; expected an object")
    return value


def need_list(value: object, name: str) -> list[Any]:
    """Return a value that is a list, or raise InputError."""
    if not isinstance(value, list):
        raise InputError(f"{name} is {_short(value)}; expected a list")
    return value


def need_texts(value: object, name: str) -> tuple[str, ...]:
    """Return a value that is a list of texts, or raise InputError."""
    return tuple(need_text(each, name) for each in need_list(value, name))


def need_text(value: object, name: str) -> str:
    """Return a value that is a text, or raise InputError."""
    if not isinstance(value, str):
        raise InputError(f"{name} is {_short(value)}; expected a text")
    return value


def need_whole(value: object, name: str) -> int:
    """Return a value that is a whole number, or raise InputError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{name} is {_short(value)}; expected a whole number")
    return value


def need_choice(value: object, choices: tuple[str, ...], name: str) -> Any:
    """Return a value that is one of the words, or raise InputError."""
    if value not in choices:
        raise InputError(f"{name} is {_short(value)}; expected one of {', '.join(choices)}")
    return value


def _short(value: object) -> str:
    return "missing" if value is None else repr(value)[:60]
