"""A camera as a flat list of parameters named `stage.parameter`, as manifests and the command line write them."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from raim.data.camera.model import Camera
from raim.data.camera.stage import Value, write_plainly
from raim.errors import InputError, unknown_name

STAGES: Mapping[str, Any] = MappingProxyType(get_type_hints(Camera))
TYPES: Mapping[str, Any] = MappingProxyType(
    {
        f"{stage}.{each.name}": get_type_hints(record)[each.name]
        for stage, record in STAGES.items()
        for each in dataclasses.fields(record)
    }
)


def flatten_camera(camera: Camera) -> dict[str, Value]:
    """Return every parameter of a camera.

    Example:
        >>> flatten_camera(Camera())["noise.full_well"]
        8000.0
    """
    stages = dataclasses.asdict(camera)
    return {f"{stage}.{name}": value for stage, named in stages.items() for name, value in named.items()}


def build_camera(values: Mapping[str, Value]) -> Camera:
    """Return a camera of parameters; those that are not named keep their defaults.

    Raises:
        UnknownNameError: There is no such parameter.
        InputError: A value is outside its range.

    Example:
        >>> build_camera({"noise.iso": 800.0}).noise.iso
        800.0
    """
    stages: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        _require_parameter(name)
        stage, _, parameter = name.partition(".")
        stages.setdefault(stage, {})[parameter] = value
    return Camera(**{stage: STAGES[stage](**named) for stage, named in stages.items()})


def parse_parameter(text: str) -> tuple[str, Value]:
    """Return name and value of `stage.parameter=value`.

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
    """Return the value of a parameter as its type; errors as for `parse_parameter`."""
    hint = _require_parameter(name)
    if options := get_args(hint):
        if text not in options:
            raise unknown_name(f"value of {name}", text, options)
        return text
    if hint is bool:
        words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
        if text.lower() not in words:
            raise InputError(f"{name} is {text!r}; expected yes or no")
        return words[text.lower()]
    try:
        return int(text) if hint is int else float(text)
    except ValueError:
        kind = "a whole number" if hint is int else "a number"
        raise InputError(f"{name} is {text!r}; expected {kind}") from None


def write_value(value: Value) -> str:
    """Return a value as `parse_value` reads it back, to the last bit."""
    return repr(value) if isinstance(value, float) else write_plainly(value)


def _require_parameter(name: str) -> Any:
    """Return the type of a parameter; of a near miss only the stage's own parameters are listed."""
    if name in TYPES:
        return TYPES[name]
    stage, _, parameter = name.partition(".")
    if stage not in STAGES:
        raise unknown_name("stage of the camera", stage, STAGES)
    own = (each.name for each in dataclasses.fields(STAGES[stage]))
    raise unknown_name(f"parameter of the stage {stage!r}", parameter, own)
