"""The records of a scoring, and the forms in which they are written: JSON and CSV.

A value that could not be measured is None with its reason in `unscored`; it is never a number. JSON has no
infinity, so an infinite PSNR is written as the string "inf".
"""

import json
import math
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raim.errors import InputError
from raim.files import place_file
from raim.scoring.profiles import TITLES, Profile
from raim.scoring.submission.findings import name_some
from raim.tables import Digits, format_html, format_table

SCORES_SCHEMA = "raim-scores/1"
NAMED = 5  # images without a score that the reason of an unranked entry names
MEAN = "mean"
FIRST = ("entry", "kind", "name", "scenario")
LAST = ("rank", "n_scored", "n_expected", "warnings", "unscored")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageScore:
    """What was measured on one restored image.

    Attributes:
        name: Stem of the file, the same in restored, reference and manifest.
        scenario: From the manifest; None without one.
        values: Each measure of the profile and "score"; None where there is no value.
        warnings: What the reader should know though there is a value.
        unscored: Why there is no score; None if there is one.
        failed: Whether that is a failure, such as a damaged file or want of memory, and not a result.
        is_expected: Whether anybody could have a score: False where the reference is too small for the profile.
    """

    name: str
    scenario: str | None = None
    values: Mapping[str, float | None]
    warnings: tuple[str, ...] = ()
    unscored: str | None = None
    failed: bool = False
    is_expected: bool = True

    @property
    def score(self) -> float | None:
        """The SCORE, or None if unscored."""
        return self.values["score"]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        values = {key: _to_json(value) for key, value in self.values.items()}
        return {
            "name": self.name,
            "scenario": self.scenario,
            **values,
            "warnings": list(self.warnings),
            "unscored": self.unscored,
            "failed": self.failed,
            "is_expected": self.is_expected,
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
    def n_scored(self) -> int:
        """How many images have a score; the means are over them."""
        return len(self.scored)

    @property
    def n_expected(self) -> int:
        """How many images could have a score."""
        return sum(image.is_expected for image in self.images)

    @property
    def why_incomplete(self) -> str | None:
        """Return why the mean does not compare with those of other entries; None if all images have a score.

        Example:
            >>> one = ImageScore(name="1", values={"score": 60.0})
            >>> gone = [ImageScore(name=name, values={"score": None}, unscored="missing") for name in "234"]
            >>> EntryScore(name="cherry", images=(one, *gone)).why_incomplete
            '1 of 4 images have a score; none: 2, 3, 4'
        """
        unscored = [image.name for image in self.images if image.is_expected and image.unscored is not None]
        if not self.n_expected:
            return "there is no image that could have a score"
        if not unscored:
            return None
        return f"{self.n_scored} of {self.n_expected} images have a score; none: {name_some(unscored, NAMED)}"

    @property
    def mean(self) -> dict[str, float | None]:
        """Average each column over the scored images; None where there is none."""
        scored = self.scored
        columns = self.images[0].values if self.images else {}
        return {
            column: statistics.fmean(_number(image, column) for image in scored) if scored else None
            for column in columns
        }

    def by_scenario(self) -> dict[str, "EntryScore"]:
        """Split the images by scenario, in the order of names; those without one are in none."""
        names = sorted({image.scenario for image in self.images if image.scenario is not None})
        return {
            name: EntryScore(
                name=self.name, images=tuple(image for image in self.images if image.scenario == name)
            )
            for name in names
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "n_images": len(self.images),
            "n_expected": self.n_expected,
            "n_scored": self.n_scored,
            "notes": list(self.notes),
            "mean": {key: _to_json(value) for key, value in self.mean.items()},
            "scenarios": {
                scenario: {key: _to_json(value) for key, value in part.mean.items()}
                for scenario, part in self.by_scenario().items()
            },
            "images": [image.as_dict() for image in self.images],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreTable:
    """The result of a scoring, with everything that its numbers depend on.

    Attributes:
        profile: The choices that were made.
        entries: Best first; incomplete entries come after complete ones.
        raim_version: The version that measured.
        weights: SHA-256 of each set of pretrained weights that was used.
        manifest_sha256: Of the manifest, or None without one.
        engine: What computed the convolutions, with its version.
        allow_incomplete: Whether entries with missing scores are ranked all the same, by their mean.
        notes: What to know of the scoring as a whole.
    """

    profile: Profile
    entries: tuple[EntryScore, ...]
    raim_version: str
    weights: Mapping[str, str] = field(default_factory=dict)
    manifest_sha256: str | None = None
    engine: str | None = None
    allow_incomplete: bool = False
    notes: tuple[str, ...] = ()

    def why_unranked(self, entry: EntryScore) -> str | None:
        """Return why an entry has no rank; None if it has one."""
        if self.allow_incomplete and entry.n_scored:
            return None
        return entry.why_incomplete

    def ranks(self) -> dict[str, int]:
        """Rank entries by mean SCORE; 1 is the best, a tie shares the better rank, unranked ones are left out."""
        scores = {entry.name: _number_of(entry) for entry in self.entries if self.why_unranked(entry) is None}
        return {name: 1 + sum(other > own for other in scores.values()) for name, own in scores.items()}

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each image of each entry as plain values, such as pandas takes."""
        return [
            {
                "entry": entry.name,
                "name": image.name,
                "scenario": image.scenario,
                **image.values,
                "warnings": "; ".join(image.warnings),
                "unscored": image.unscored,
            }
            for entry in self.entries
            for image in entry.images
        ]

    def _repr_html_(self) -> str:
        """Return the means as a table, for notebooks."""
        ranks, columns = self.ranks(), self.profile.columns
        rows = [
            [entry.name, ranks.get(entry.name, "-"), f"{entry.n_scored}/{entry.n_expected}"]
            + [self.profile.show(column, entry.mean.get(column)) for column in columns]
            for entry in self.entries
        ]
        return format_html(["entry", "rank", "images", *(TITLES.get(each, each) for each in columns)], rows)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        ranks = self.ranks()
        return {
            "schema": SCORES_SCHEMA,
            "raim_version": self.raim_version,
            "profile": self.profile.name,
            "definition": self.profile.as_dict(),
            "engine": self.engine,
            "weights": dict(self.weights),
            "manifest_sha256": self.manifest_sha256,
            "allow_incomplete": self.allow_incomplete,
            "notes": list(self.notes),
            "entries": [
                {**entry.as_dict(), "rank": ranks.get(entry.name), "why_unranked": self.why_unranked(entry)}
                for entry in self.entries
            ],
        }


def sort_entries(entries: Iterable[EntryScore], *, allow_incomplete: bool = False) -> tuple[EntryScore, ...]:
    """Put complete entries first, then by falling mean SCORE, then by name; no missing score ever leads."""

    def key(entry: EntryScore) -> tuple[int, float, str]:
        n_unscored = 0 if allow_incomplete and entry.n_scored else len(entry.images) - entry.n_scored
        return n_unscored, -_number_of(entry), entry.name

    return tuple(sorted(entries, key=key))


def write_json(table: ScoreTable, path: Path) -> None:
    """Write the table as JSON; NaN is refused.

    Raises:
        OutputError: It cannot be written.
    """
    text = json.dumps(table.as_dict(), indent=1, allow_nan=False)
    place_file(path, f"{text}\n".encode())


def _number_of(entry: EntryScore) -> float:
    score = entry.mean.get("score")
    return -math.inf if score is None else score


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


def write_csv(table: ScoreTable, path: Path) -> None:
    """Write the table as CSV; a value that could not be measured is an empty cell, with the reason in its row.

    Raises:
        OutputError: It cannot be written.
    """
    ranks = table.ranks()
    rows = (row for entry in table.entries for row in _rows(entry, table, ranks.get(entry.name)))
    text = format_table([*FIRST, *table.profile.columns, *LAST], rows)
    place_file(path, text.encode("utf-8", errors="replace"))


def _rows(entry: EntryScore, table: ScoreTable, rank: int | None) -> Iterator[list[object]]:
    for image in entry.images:
        cells = _cells(image.values, table.profile.columns)
        notes = ["; ".join(image.warnings), image.unscored]
        yield [entry.name, "image", image.name, image.scenario, *cells, None, None, None, *notes]
    for scenario, part in entry.by_scenario().items():
        yield _mean_row(part, table, scenario, None, part.why_incomplete)
    yield _mean_row(entry, table, None, rank, table.why_unranked(entry))


def _mean_row(
    part: EntryScore, table: ScoreTable, scenario: str | None, rank: int | None, why: str | None
) -> list[object]:
    """Make the row of a scenario, or of a whole entry."""
    kind = "entry" if scenario is None else "scenario"
    cells = _cells(part.mean, table.profile.columns)
    return [part.name, kind, MEAN, scenario, *cells, rank, part.n_scored, part.n_expected, None, why]


def _cells(values: Mapping[str, float | None], columns: tuple[str, ...]) -> list[Digits | None]:
    found = [values.get(column) for column in columns]
    return [None if value is None else Digits(f"{value:.9g}") for value in found]
