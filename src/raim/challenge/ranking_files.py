"""Tables of scores and points as files: read with every fault named at once, and rankings written as CSV and JSON.

A file of scores has the columns `team` and `score`, one of points `team` and `points`; other columns are passed over.
What `raim score` writes is read too: its CSV (the rows of kind "entry") and its JSON. Whether an entry misses images
say the columns `n_scored` and `n_expected`, or else the rows of kind "image".
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from raim.challenge.ranking import FinalRanking, RankedTeam
from raim.errors import InputError
from raim.tables import (
    Problems,
    Row,
    by_name,
    clean_name,
    decode_table,
    format_table,
    list_columns,
    list_shortly,
    parse_table,
    read_content,
    read_number,
    rename_known,
    take_rows,
)

SCHEMA = "raim-ranking/1"
COLUMNS = ("rank", "team", "score", "points", "normalised", "final", "award", "why_unranked")
COUNTS = ("n_scored", "n_expected")
KINDS = ("image", "scenario", "entry")
KNOWN = ("team", "entry", "score", "points", "kind", "name", "scenario", *COUNTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamNumbers:
    """A number for each team of a file.

    Attributes:
        values: By team, in the order of the file; None where there is none.
        incomplete: For each entry with missing images: how many have a score.
        notes: What was read as no number.
    """

    values: Mapping[str, float | None]
    incomplete: Mapping[str, str]
    notes: tuple[str, ...]


def read_team_numbers(path: Path, column: str) -> TeamNumbers:
    r"""Read a number for each team.

    Args:
        path: A CSV, or the JSON of `raim score`.
        column: "score" or "points".

    Raises:
        InputError: It cannot be read, or has faults: all of them are listed with their lines.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "scores.csv")
        ...     _ = path.write_text("team,score,n_scored,n_expected\nMiAlgo,79.13,50,50\nHIT-IIL,89.8,1,50\n")
        ...     found = read_team_numbers(path, "score")
        >>> found.values, found.incomplete
        ({'MiAlgo': 79.13, 'HIT-IIL': 89.8}, {'HIT-IIL': '1 of 50 images have a score'})
    """
    content = read_content(path)
    problems = Problems()
    text, note = decode_table(content, str(path))
    problems.notes += [f"{path}: {note}"] if note else []
    if text.lstrip().startswith("{"):
        rows = list(_json_rows(text, path, column, problems))
    else:
        needed = ("team|entry", column)
        table = parse_table(text, str(path), known=list_columns(needed, KNOWN))
        rows = take_rows(table, needed, problems)
    teams = find_teams(rows, problems)
    values = {team: read_number(row, column, problems, is_needed=True) for team, row in teams.items()}
    incomplete = find_incomplete(rows, teams, problems) if column == "score" else {}
    if not teams and not problems.found:
        problems.add(str(path), "it names no team")
    problems.stop(path)
    return TeamNumbers(values=values, incomplete=incomplete, notes=list_shortly(problems.notes))


def find_teams(rows: Sequence[Row], problems: Problems) -> dict[str, Row]:
    """Return the row of each team: of what `raim score` wrote those of kind "entry"."""
    if any("team" in row.cells for row in rows):
        return by_name(rows, "team", problems)
    for row in rows:
        if row.cells.get("kind", "entry") not in KINDS:
            problems.add(row.where, f"the kind is {row.cells['kind']!r}; expected one of {', '.join(KINDS)}")
    return by_name([row for row in rows if row.cells.get("kind", "entry") == "entry"], "entry", problems)


def find_incomplete(rows: Sequence[Row], teams: Mapping[str, Row], problems: Problems) -> dict[str, str]:
    """Return for each entry with missing images how many have a score.

    Args:
        rows: All of a file.
        teams: Of these, the row of each team.
        problems: Counts that cannot be are added here.

    Example:
        >>> rows = [Row(where="", cells={"team": name, "n_scored": n, "n_expected": "4"}) for name, n in ("a4", "b1")]
        >>> find_incomplete(rows, find_teams(rows, Problems()), Problems())
        {'b': '1 of 4 images have a score'}
    """
    scored, n_expected = _read_counts(teams, problems) or _count_images(rows, problems)
    return {
        team: f"{scored[team]} of {n_expected} images have a score"
        for team in teams
        if team in scored and not 0 < scored[team] == n_expected
    }


def format_csv(ranking: FinalRanking) -> str:
    """Return a ranking as CSV, entries that were left out at its end."""
    rows = (*ranking.rows, *ranking.left_out)
    return format_table(COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in rows))


def ranking_as_plain(ranking: FinalRanking) -> dict[str, Any]:
    """Return a ranking as JSON knows values."""
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


def match_team_names(numbers: TeamNumbers, known: Collection[str]) -> TeamNumbers:
    """Return numbers by the names that another file has for the same teams.

    Example:
        >>> match_team_names(TeamNumbers(values={"7": 3.0}, incomplete={}, notes=()), ["007"]).values
        {'007': 3.0}
    """
    values, note = rename_known(numbers.values, known)
    incomplete, _ = rename_known(numbers.incomplete, known)
    return TeamNumbers(values=values, incomplete=incomplete, notes=(*numbers.notes, *filter(None, [note])))


def join_numbers(scores: Mapping[str, float | None], points: Mapping[str, float | None]) -> tuple[str, ...]:
    """Return every team of two tables, and refuse tables that speak of different teams altogether.

    Raises:
        InputError: They have no team in common.
    """
    if not set(scores) & set(points):
        raise InputError(
            f"scores and points have no team in common ({', '.join(list(scores)[:3])} ...; "
            f"{', '.join(list(points)[:3])} ...); teams must be written the same in both"
        )
    return tuple(dict.fromkeys([*scores, *points]))


def _plain(row: RankedTeam) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _read_counts(teams: Mapping[str, Row], problems: Problems) -> tuple[dict[str, int], int] | None:
    """Return the scored images of each team, and how many are expected; None where no row states them."""
    if not any(row.cells.get(name) for row in teams.values() for name in COUNTS):
        return None
    scored, expected = {}, [0]
    for team, row in teams.items():
        counts = [read_number(row, name, problems) for name in COUNTS]
        n_scored, n_expected = counts
        if n_scored is None or n_expected is None:
            problems.add(
                row.where, f"{team!r} has not both n_scored and n_expected; fill in both, or neither"
            )
        elif not (n_scored.is_integer() and n_expected.is_integer() and 0 <= n_scored <= n_expected):
            problems.add(
                row.where,
                f"{n_scored:g} of {n_expected:g} images of {team!r} have a score; expected whole numbers, "
                "n_scored from 0 to n_expected",
            )
        else:
            scored[team] = int(n_scored)
            expected.append(int(n_expected))
    return scored, max(expected)


def _count_images(rows: Sequence[Row], problems: Problems) -> tuple[dict[str, int], int]:
    """Return the same from the rows of images, for the entries that have such rows."""
    names: set[str] = set()
    scored: dict[str, set[str]] = {}
    for row in rows:
        if row.cells.get("kind") == "image" and "team" not in row.cells:
            name = row.cells.get("name") or row.where
            names.add(name)
            own = scored.setdefault(row.team, set())
            if read_number(row, "score", problems) is not None:
                own.add(name)
    return {team: len(own) for team, own in scored.items()}, len(names)


def _json_rows(text: str, path: Path, column: str, problems: Problems) -> Iterator[Row]:
    """Yield the JSON of `raim score` as the rows of its CSV, with numbers as they are written."""
    try:
        entries = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)["entries"]
        if not any(column in entry["mean"] for entry in entries):
            problems.add(str(path), f"no entry has the mean {column!r}")
        for place, entry in enumerate(entries, start=1):
            where = f"{path}, entry {place}"
            name = entry["name"]
            if not isinstance(name, str) or name.encode(errors="replace").decode() != name:
                problems.add(where, "its name is no text")
                continue
            counts = [entry.get("n_scored"), entry.get("n_expected", entry.get("n_images"))]
            cells = [entry["mean"].get(column), *(counts if None not in counts else ("", ""))]
            named = zip((column, *COUNTS), map(_text, cells), strict=True)
            yield Row(where=where, cells={"entry": clean_name(name), "kind": "entry", **dict(named)})
            for image in entry.get("images") or ():
                shown = {"name": _text(image["name"]), "score": _text(image.get("score"))}
                yield Row(where=where, cells={"entry": clean_name(name), "kind": "image", **shown})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path} is not the JSON that raim score writes; expected that, or a CSV with the columns team,{column}"
        ) from error


def _text(value: object) -> str:
    """Return a value of JSON as a cell has it."""
    if isinstance(value, str):
        return value.strip()
    return "null" if value is None else f"a {type(value).__name__}"
