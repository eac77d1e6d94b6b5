"""Tables of scores and points as files: read with every fault named at once, and rankings written as CSV and JSON.

A file of scores has the columns `team` and `score`, one of points `team` and `points`; other columns are passed over.
What `raim score` writes is read too: its CSV (the rows of kind "entry") and its JSON.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from raim.challenge.ranking import FinalRanking, RankedTeam
from raim.errors import InputError

SCHEMA = "raim-ranking/1"
COLUMNS = ("rank", "team", "score", "points", "normalised", "final", "award", "why_unranked")
LARGEST = 50 * 2**20
MOST_PROBLEMS = 20


def read_numbers(path: Path, column: str) -> dict[str, float | None]:
    r"""Read a number for each team; None where the cell is empty.

    Args:
        path: A CSV, or the JSON of `raim score`.
        column: "score" or "points".

    Raises:
        InputError: It cannot be read, or has faults: all of them are listed with their lines.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "points.csv")
        ...     _ = path.write_text("team,points\nMiAlgo,57\nHIT-IIL,1\n")
        ...     read_numbers(path, "points")
        {'MiAlgo': 57.0, 'HIT-IIL': 1.0}
    """
    text = _read_text(path)
    if text.lstrip().startswith("{"):
        return _read_json(path, text, column)
    return _read_csv(path, text, column)


def format_csv(ranking: FinalRanking) -> str:
    """Give a ranking as CSV, entries that were left out at its end."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in (*ranking.rows, *ranking.left_out):
        writer.writerow([_cell(getattr(row, name)) for name in COLUMNS])
    return held.getvalue()


def as_plain(ranking: FinalRanking) -> dict[str, Any]:
    """Give a ranking as JSON knows values."""
    other = ranking.with_left_out
    return {
        "schema": SCHEMA,
        "weights": asdict(ranking.weights),
        "effective_weights": None if ranking.effective is None else asdict(ranking.effective),
        "decimals": ranking.decimals,
        "note": ranking.note,
        "rows": [_plain(row) for row in ranking.rows],
        "left_out": [_plain(row) for row in ranking.left_out],
        "with_left_out": None if other is None else [_plain(row) for row in other.rows],
    }


def _plain(row: RankedTeam) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _cell(value: object) -> object:
    return "" if value is None else repr(value) if isinstance(value, float) else value


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST // 2**20} MiB; it is no table of teams")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; save it as CSV in UTF-8") from error


def _read_json(path: Path, text: str, column: str) -> dict[str, float | None]:
    try:
        entries = json.loads(text)["entries"]
        means = {str(entry["name"]): entry["mean"].get(column) for entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is not the JSON that raim score writes; expected that, or a CSV with the columns team,{column}"
        ) from error
    return _numbers(path, ((f"entry {name!r}", name, value) for name, value in means.items()), column)


def _read_csv(path: Path, text: str, column: str) -> dict[str, float | None]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    name = "team" if "team" in header else "entry"
    if name not in header or column not in header:
        raise InputError(f"{path} has the columns {','.join(header) or 'none'}; expected team,{column}")
    try:
        rows = [
            (f"line {reader.line_num}", (row[name] or "").strip(), (row[column] or "").strip())
            for row in reader
            if row.get("kind", "entry") == "entry" or name == "team"
        ]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from error
    return _numbers(path, rows, column)


def _numbers(path: Path, rows: Iterable[tuple[str, str, object]], column: str) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    problems = []
    for where, team, value in rows:
        number, problem = _number(value, column)
        if not team:
            problem = "it names no team"
        elif team in found:
            problem = f"the team {team!r} stands there twice"
        if problem:
            problems.append(f"{path}, {where}: {problem}")
        else:
            found[team] = number
    if not found and not problems:
        problems.append(f"{path} names no team")
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise InputError("\n".join(problems[:MOST_PROBLEMS]) + (f"\n... and {more} more" if more > 0 else ""))
    return found


def _number(value: object, column: str) -> tuple[float | None, str]:
    if value is None or value == "":
        return None, ""
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return None, f"the {column} is {value!r}; expected a number, such as 79.13"
    return number, ""


def join_numbers(scores: Mapping[str, float | None], points: Mapping[str, float | None]) -> tuple[str, ...]:
    """Give every team of two tables, and refuse tables that speak of different teams altogether.

    Raises:
        InputError: They have no team in common.
    """
    if not set(scores) & set(points):
        raise InputError(
            f"scores and points have no team in common ({', '.join(list(scores)[:3])} ...; "
            f"{', '.join(list(points)[:3])} ...); teams must be written the same in both"
        )
    return tuple(dict.fromkeys([*scores, *points]))
