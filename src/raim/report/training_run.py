"""What lies in the folder of a training run, as its page wants it; anything may be missing while a run is young."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from raim.errors import InputError
from raim.tables import Row, parse_number, parse_table, parse_whole, read_content

FACTS, RECIPE, LOG, VALIDATION, SAMPLES = (
    "training.json",
    "recipe.toml",
    "log.csv",
    "validation.csv",
    "samples",
)
MOST_STEPS = 10**9  # as in a recipe
LARGEST = 3.4e38  # number of 32 bits
WAY_OUT = "the next start of the run repairs the file"


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberTable:
    """A table of numbers; an empty cell, and what is no finite number, is None. The first column is the step."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[float | None, ...], ...] = ()

    def points(self, column: str) -> tuple[tuple[float, float], ...]:
        """Return (step, value) for the rows that have a finite value.

        Example:
            >>> NumberTable(columns=("step", "score"), rows=((10.0, 80.5), (20.0, None))).points("score")
            ((10.0, 80.5),)
        """
        if column not in self.columns:
            return ()
        place = self.columns.index(column)
        pairs = ((row[0], row[place]) for row in self.rows)
        return tuple((step, value) for step, value in pairs if step is not None and _is_number(value))


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRun:
    """All that is known of a run.

    Attributes:
        facts: What training.json says in plain values, and "identity".
        recipe: The recipe's text.
        log: log.csv.
        validation: validation.csv.
        samples: Steps and file names of the sample sheets, the newest first.
    """

    facts: Mapping[str, Any]
    recipe: str
    log: NumberTable
    validation: NumberTable
    samples: tuple[tuple[int, str], ...]

    @property
    def last_step(self) -> float:
        """The last step of which something is known; 0 before."""
        return max(
            (row[0] or 0.0 for table in (self.log, self.validation) for row in table.rows), default=0.0
        )


def read_run(run: Path) -> TrainingRun:
    """Read the folder of a run.

    Raises:
        InputError: It is none, or one of its files is not in its form; file and line are named.
    """
    sheets = {sheet.stem.removeprefix("step-"): sheet.name for sheet in (run / SAMPLES).glob("step-*.png")}
    return TrainingRun(
        facts=_read_facts(run / FACTS),
        recipe=_read_text(run / RECIPE),
        log=read_step_numbers(run / LOG),
        validation=read_step_numbers(run / VALIDATION),
        samples=tuple(
            sorted(((int(step), name) for step, name in sheets.items() if step.isdecimal()), reverse=True)
        ),
    )


def read_step_numbers(path: Path) -> NumberTable:
    """Read a table of numbers whose first column is the step; an empty table if it is missing or empty.

    Raises:
        InputError: A line is malformed.
    """
    if not path.is_file():
        return NumberTable()
    try:
        table = parse_table(read_content(path), str(path))
    except InputError as error:
        raise InputError(f"{error}; {WAY_OUT}") from error
    if table.columns and table.columns[0] != "step":
        raise InputError(
            f"{path}:1: the first column is {table.columns[0][:60]!r}, expected 'step'; {WAY_OUT}"
        )
    for line, fault in table.faults:
        raise InputError(f"{path}:{line}: {fault}; remove the line, or {WAY_OUT}")
    return NumberTable(columns=table.columns, rows=tuple(_read_row(path, row) for row in table.rows))


def _read_row(path: Path, row: Row) -> tuple[float | None, ...]:
    try:
        step = parse_whole(row.cells["step"])
        numbers = [parse_number(text, most=math.inf) for text in row.cells.values()]
    except InputError as error:
        raise InputError(f"{path}:{row.line}: {error}; remove the line, or {WAY_OUT}") from error
    if step is None or not 0 <= step <= MOST_STEPS:
        raise InputError(f"{path}:{row.line}: there is no step from 0; remove the line, or {WAY_OUT}")
    return (float(step), *numbers[1:])


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace") if path.is_file() else ""
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check its permissions") from error


def _read_facts(path: Path) -> Mapping[str, Any]:
    text = _read_text(path)
    try:
        facts = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: it is no JSON ({error}); {WAY_OUT}") from error
    if not isinstance(facts, dict):
        raise InputError(f"{path}: expected an object; {WAY_OUT}")
    # A page shows nothing else that has parts.
    plain = {
        key: value for key, value in facts.items() if key == "identity" or not isinstance(value, dict | list)
    }
    _check_facts(path, plain)
    return plain


def _check_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Refuse what the page cannot reckon with; anything else is shown as it is."""
    for key in ("step", "steps", "seconds"):
        value = facts.get(key, 0)
        if not _is_number(value) or value < 0:
            raise InputError(f"{path}: {key} is {str(value)[:60]!r}, expected a number from 0; {WAY_OUT}")
    identity = facts.get("identity")
    means = identity.values() if isinstance(identity, dict) else ()
    if not isinstance(identity, dict | None) or not all(mean is None or _is_number(mean) for mean in means):
        raise InputError(f"{path}: identity is not the means of measures; {WAY_OUT}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
