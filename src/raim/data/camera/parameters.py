"""A camera as a flat list of parameters named `stage.parameter`, as manifests and the command line write them."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from raim.data.camera.draws import Value
from raim.data.camera.model import Camera
from raim.errors import InputError, unknown_name

STAGES: Mapping[str, type] = MappingProxyType(get_type_hints(Camera))
TYPES: Mapping[str, Any] = MappingProxyType(
    {
        f"{stage}.{name}": hint
        for stage, record in STAGES.items()
        for name, hint in get_type_hints(record).items()
    }
)


def flatten_camera(camera: Camera) -> dict[str, Value]:
    """List every parameter of a camera.

    Example:
        >>> flatten_camera(Camera())["noise.full_well"]
        8000.0
    """
    return {name: getattr(getattr(camera, name.partition(".")[0]), name.partition(".")[2]) for name in TYPES}


def build_camera(values: Mapping[str, Value]) -> Camera:
    """Make a camera from parameters; those that are not named keep their defaults.

    Raises:
        UnknownNameError: There is no such parameter.
        InputError: A value is outside its range.

    Example:
        >>> build_camera({"noise.iso": 800.0}).noise.iso
        800.0
    """
    for name in values:
        _require_parameter(name)
    stages = {}
    for stage, record in STAGES.items():
        named = {name: values[f"{stage}.{name}"] for name in _fields(record) if f"{stage}.{name}" in values}
        stages[stage] = record(**named)
    return Camera(**stages)


def parse_parameter(text: str) -> tuple[str, Value]:
    """Read `stage.parameter=value`.

    Raises:
        InputError: It has another form, or the value another type.
        UnknownNameError: There is no such parameter; the nearest is named.

    Example:
        >>> parse_parameter("noise.iso=3200")
        ('noise.iso', 3200.0)
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise InputError(f"{text!r} sets nothing; write stage.parameter=value, such as noise.iso=3200")
    parsed = parse_value(name, value)
    build_camera({name: parsed})
    return name, parsed


def parse_value(name: str, text: str) -> Value:
    """Read the value of a parameter as its type.

    Raises:
        InputError: The text is no such value.
        UnknownNameError: There is no such parameter; the nearest is named.

    Example:
        >>> parse_value("sampling.has_mosaic", "no"), parse_value("banding.bits", "6")
        (False, 6)
    """
    hint = _require_parameter(name)
    if get_args(hint):
        if text not in get_args(hint):
            raise unknown_name(f"value of {name}", text, get_args(hint))
        return text
    if hint is bool:
        return _parse_bool(name, text)
    try:
        return int(text) if hint is int else float(text)
    except ValueError:
        kind = "a whole number" if hint is int else "a number"
        raise InputError(f"{name} is {text!r}; expected {kind}") from None


def write_value(value: Value) -> str:
    """Write a value so that `parse_value` reads the same back, to the last bit.

    Example:
        >>> write_value(True), write_value(0.1)
        ('yes', '0.1')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if isinstance(value, float) else str(value)


def _fields(record: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(record))


def _require_parameter(name: str) -> Any:
    """Give the type of a parameter; of a near miss only the stage's own parameters are listed."""
    if name in TYPES:
        return TYPES[name]
    stage, _, parameter = name.partition(".")
    if stage not in STAGES:
        raise unknown_name("stage of the camera", stage, STAGES)
    raise unknown_name(f"parameter of the stage {stage!r}", parameter, _fields(STAGES[stage]))


def _parse_bool(name: str, text: str) -> bool:
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.lower() not in words:
        raise InputError(f"{name} is {text!r}; expected yes or no")
    return words[text.lower()]
