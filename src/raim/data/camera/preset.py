"""What a preset is: the ranges of a camera's parameters for one scenario or issue, and the drawing of a camera."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np

from raim.data.camera.draws import Draw, Size, Value
from raim.data.camera.model import Camera
from raim.data.camera.parameters import build_camera


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """From where one parameter is drawn, and why from there."""

    draw: Draw
    reason: str


Table = Mapping[str, Range]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """What is drawn for one scenario or issue.

    Attributes:
        name: The label in a manifest.
        kind: Whether the label is the scenario of a pair or the issue of an unpaired image.
        summary: What the input looks like, in one line.
        ordinary: What every camera draws.
        table: What this preset draws instead or besides; all other parameters keep their defaults.
        parts: Further tables, of which some are drawn as well.
        fewest_parts: How many at least; every set of so many or more is equally likely.
    """

    name: str
    kind: Literal["scenario", "issue"]
    summary: str
    ordinary: Table
    table: Table
    parts: Mapping[str, Table] = field(default_factory=dict)
    fewest_parts: int = 0

    def ranges(self) -> dict[str, Range]:
        """List all that may be drawn; where tables have the same parameter, the last one drawn counts."""
        named = dict(self.ordinary)
        for part in self.parts.values():
            named |= dict(part)
        return named | dict(self.table)

    def draw_camera(
        self,
        rng: np.random.Generator,
        *,
        height: int,
        width: int,
        overrides: Mapping[str, Value] = MappingProxyType({}),
    ) -> Camera:
        """Draw a camera for a photograph.

        Args:
            rng: Where chance comes from.
            height: Of the photograph in pixels.
            width: Of the photograph in pixels.
            overrides: Parameters (`stage.parameter`) that are set instead; they change no other draw.

        Raises:
            UnknownNameError: An override names no parameter.
            InputError: Its value is outside the parameter's range.

        Example:
            >>> from raim.data.camera import find_preset
            >>> camera = find_preset("denoise").draw_camera(np.random.default_rng(0), height=480, width=640)
            >>> 200 <= camera.noise.iso <= 3200
            True
        """
        size = Size(height=height, width=width)
        values = _take(self.ordinary, rng, size)
        for part in self._draw_parts(rng):
            values |= _take(self.parts[part], rng, size)
        return build_camera(values | _take(self.table, rng, size) | dict(overrides))

    def _draw_parts(self, rng: np.random.Generator) -> tuple[str, ...]:
        sets = [
            chosen
            for n in range(self.fewest_parts, len(self.parts) + 1)
            for chosen in itertools.combinations(self.parts, n)
        ]
        return sets[int(rng.integers(len(sets)))]


def _take(table: Table, rng: np.random.Generator, size: Size) -> dict[str, Value]:
    return {name: each.draw.take(rng, size) for name, each in table.items()}
