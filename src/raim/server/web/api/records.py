"""The JSON forms of the API."""

import math

from pydantic import BaseModel, ConfigDict

Number = float | str | None  # JSON has no infinity: it is written "inf"


def as_plain(value: float | None) -> Number:
    """Give a number as JSON may hold it.

    Example:
        >>> as_plain(math.inf), as_plain(1.5), as_plain(None)
        ('inf', 1.5, None)
    """
    return value if value is None or math.isfinite(value) else str(value)


class Record(BaseModel):
    """Base of all forms; unknown fields of requests are refused, so that a misspelt one is told."""

    model_config = ConfigDict(extra="forbid")


class Fault(Record):
    """What went wrong."""

    code: str
    message: str
    problems: list[str] = []


class Failure(Record):
    """Every answer that is not a success."""

    error: Fault
