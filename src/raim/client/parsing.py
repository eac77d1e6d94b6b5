"""From JSON to records, by the records' own annotations: unknown fields are of a newer server and left out."""

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar

from raim.errors import ServerRefusedError

Record = TypeVar("Record")
PLAIN = (str, bool, int)
INFINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
UNDERSTOOD = 200  # the status of an answer that is not what was asked for


def read_record(kind: type[Record], plain: object, *, url: str) -> Record:
    """Make a record of JSON.

    Args:
        kind: A frozen record.
        plain: From JSON.
        url: Where it is from, for the message.

    Raises:
        ServerRefusedError: It is not of that form.

    Example:
        >>> from raim.client.records import UploadPlace
        >>> read_record(UploadPlace, {"url": "/uploads/1", "offset": 7, "new": 0}, url="http://localhost")
        UploadPlace(url='/uploads/1', offset=7)
    """
    try:
        return _record(kind, plain, "the answer")
    except (TypeError, ValueError) as error:
        raise ServerRefusedError(
            f"{url} does not answer as a raim server does ({error}); check the address, and that raim here and there "
            "are of about the same version",
            status=UNDERSTOOD,
            code="not_understood",
        ) from error


def _record(kind: Any, plain: object, where: str) -> Any:
    if not isinstance(plain, dict):
        raise _other(where, "an object", plain)
    hints = typing.get_type_hints(kind)
    given = {field.name: plain.get(field.name, MISSING) for field in fields(kind)}
    missing = [field.name for field in fields(kind) if given[field.name] is MISSING and _is_needed(field)]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    return kind(
        **{
            name: _value(hints[name], value, f"{where}'s {name}")
            for name, value in given.items()
            if value is not MISSING
        }
    )


def _is_needed(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _value(hint: Any, value: object, where: str) -> object:
    arguments = typing.get_args(hint)
    kind = typing.get_origin(hint)
    if kind in (types.UnionType, typing.Union):
        return None if value is None else _value(arguments[0], value, where)
    if kind is tuple:
        if not isinstance(value, list):
            raise _other(where, "a list", value)
        return tuple(_value(arguments[0], each, where) for each in value)
    if kind is Mapping:
        if not isinstance(value, dict):
            raise _other(where, "an object", value)
        return {key: _value(arguments[1], each, where) for key, each in value.items()}
    return _record(hint, value, where) if is_dataclass(hint) else _single(hint, value, where)


def _single(hint: Any, value: object, where: str) -> object:
    if hint is float:
        if isinstance(value, str) and value in INFINITE:
            return INFINITE[value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    if hint is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment
    if hint in PLAIN and type(value) is hint:
        return value
    raise _other(where, hint.__name__, value)


def _other(where: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{where} is {str(value)[:60]!r}, not {expected}")
