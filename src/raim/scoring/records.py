"""The records of a scoring, and the one JSON form in which they are written.

A value that could not be measured is None with its reason in `unscored`; it is never a number. JSON has no
infinity, so an infinite PSNR is written as the string "inf".
"""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raim.errors import InputError
from raim.scoring.profiles import Profile

SCHEMA = "raim-scores/1"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageScore:
    """What was measured on one restored image.

    Attributes:
        name: Stem of the file, the same in restored, reference and manifest.
        scenario: From the manifest; None without one.
        values: Each measure of the profile and "score"; None where there is no value.
        warnings: What the reader should know though there is a value.
        unscored: Why there is no score; None if there is one.
    """

    name: str
    scenario: str | None = None
    values: Mapping[str, float | None]
    warnings: tuple[str, ...] = ()
    unscored: str | None = None

    @property
    def score(self) -> float | None:
        """The SCORE, or None if unscored."""
        return self.values["score"]

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        values = {key: _to_json(value) for key, value in self.values.items()}
        return {
            "name": self.name,
            "scenario": self.scenario,
            **values,
            "warnings": list(self.warnings),
            "unscored": self.unscored,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryScore:
    """All images of one entry: of one restored folder or zip.

    Attributes:
        name: How the entry is called in tables.
        images: One record for each reference, in the order of their names.
        notes: What was found in the folder or zip beside them, such as files without a reference.
    """

    name: str
    images: tuple[ImageScore, ...]
    notes: tuple[str, ...] = ()

    @property
    def scored(self) -> tuple[ImageScore, ...]:
        """The images that have a score."""
        return tuple(image for image in self.images if image.unscored is None)

    @property
    def mean(self) -> dict[str, float | None]:
        """Average each column over the scored images; None where there is none."""
        return mean_values(self.images)

    def by_scenario(self) -> dict[str, dict[str, float | None]]:
        """Average each column over the scored images of each scenario, in the order of names."""
        names = sorted({image.scenario for image in self.images if image.scenario is not None})
        return {
            name: mean_values([image for image in self.images if image.scenario == name]) for name in names
        }

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "name": self.name,
            "n_images": len(self.images),
            "n_scored": len(self.scored),
            "notes": list(self.notes),
            "mean": {key: _to_json(value) for key, value in self.mean.items()},
            "scenarios": {
                scenario: {key: _to_json(value) for key, value in values.items()}
                for scenario, values in self.by_scenario().items()
            },
            "images": [image.as_dict() for image in self.images],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreTable:
    """The result of a scoring, with everything that its numbers depend on.

    Attributes:
        profile: The choices that were made.
        entries: Best first; entries with fewer scored images come after complete ones.
        raim_version: The version that measured.
        weights: SHA-256 of each set of pretrained weights that was used.
        manifest_sha256: Of the manifest, or None without one.
        engine: What computed the convolutions, with its version.
    """

    profile: Profile
    entries: tuple[EntryScore, ...]
    raim_version: str
    weights: Mapping[str, str] = field(default_factory=dict)
    manifest_sha256: str | None = None
    engine: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "schema": SCHEMA,
            "raim_version": self.raim_version,
            "profile": self.profile.name,
            "definition": self.profile.as_dict(),
            "engine": self.engine,
            "weights": dict(self.weights),
            "manifest_sha256": self.manifest_sha256,
            "entries": [entry.as_dict() for entry in self.entries],
        }


def mean_values(images: Sequence[ImageScore]) -> dict[str, float | None]:
    """Average each column over the images that have a score; None where no image has one.

    Example:
        >>> images = [ImageScore(name=str(value), values={"score": value}) for value in (20.0, 30.0)]
        >>> mean_values(images)
        {'score': 25.0}
    """
    scored = [image for image in images if image.unscored is None]
    columns = images[0].values if images else {}
    return {
        column: statistics.fmean(_number(image, column) for image in scored) if scored else None
        for column in columns
    }


def sort_entries(entries: Iterable[EntryScore]) -> tuple[EntryScore, ...]:
    """Put complete entries first, then by falling mean SCORE, then by name; no missing score ever leads."""

    def key(entry: EntryScore) -> tuple[int, float, str]:
        score = entry.mean.get("score")
        return len(entry.images) - len(entry.scored), -score if score is not None else math.inf, entry.name

    return tuple(sorted(entries, key=key))


def write_json(table: ScoreTable, path: Path) -> None:
    """Write the table as JSON; NaN is refused."""
    text = json.dumps(table.as_dict(), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _to_json(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    if math.isnan(value):
        raise InputError("a score record holds NaN; an image without a value must say why in `unscored`")
    return "inf" if value > 0 else "-inf"


def _number(image: ImageScore, column: str) -> float:
    value = image.values[column]
    if value is None:
        raise InputError(f"{image.name} counts as scored but has no {column}")
    return value
