"""What every stage of the camera is: a record of parameters, each declared once with default, range and meaning."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from raim.errors import InputError, unknown_name

Value = bool | int | float | str


def number(default: float, low: float, high: float, words: str) -> Any:
    """Declare a parameter that is a number of a range; its default may lie outside, such as 0 bits for none."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "words": words})


def yes_or_no(words: str) -> Any:
    """Declare a parameter that is no by default."""
    return choice(False, (False, True), words)


def choice(default: Value, options: Sequence[Value], words: str) -> Any:
    """Declare a parameter that is one of several values."""
    return dataclasses.field(default=default, metadata={"options": options, "words": words})


@dataclasses.dataclass(frozen=True, slots=True)
class CameraStage:
    """Base of a stage's record; its default values do nothing, and others outside their range are refused."""

    NAME: ClassVar[str] = ""  # where it is not that of the class

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if value != each.default:
                _check(f"{self.NAME or type(self).__name__.lower()}.{each.name}", value, each.metadata)


def _check(name: str, value: Any, declared: Mapping[str, Any]) -> None:
    if "options" in declared:
        if value not in declared["options"]:
            raise unknown_name(f"value of {name}", value, declared["options"])
    elif not (declared["low"] <= value <= declared["high"] and math.isfinite(value)):
        raise InputError(f"{name} is {value}; expected {describe_range(declared)}")


def describe_range(declared: Mapping[str, Any]) -> str:
    """Return the values that a parameter may have, from the metadata of its field.

    Example:
        >>> describe_range({"low": 0, "high": 100}), describe_range({"options": (False, True)})
        ('0 to 100', 'no or yes')
    """
    if "options" in declared:
        return " or ".join(map(write_plainly, declared["options"]))
    low, high = declared["low"], declared["high"]
    return f"{low:g} to {high:g}" if math.isfinite(high) else f"at least {low:g}"


def write_plainly(value: Value) -> str:
    """Return a value as people read it.

    Example:
        >>> write_plainly(True), write_plainly(0.5)
        ('yes', '0.5')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
