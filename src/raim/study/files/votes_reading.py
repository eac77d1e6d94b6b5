"""Reading tables of votes: every problem is found in one pass, with its file and line.

The columns are in `votes_table`. With a plan, a sheet's positions and labels say image, kind and entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast, get_args

from raim.errors import InputError, unknown_name
from raim.study.files.values import read_time
from raim.study.files.votes_table import COLUMNS, REASON
from raim.study.votes import Kind
from raim.tables import Row, parse_number, parse_table, parse_whole

PARTS = ("voting", "training")
YES, NO = frozenset({"1", "1.0", "true", "yes", "x"}), frozenset({"", "0", "0.0", "false", "no"})
MOST = 999_999  # of positions, picks and grades


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteRow:
    """One row of a table of votes: one candidate of one trial.

    Attributes:
        where: File and line.
        judge: Who.
        image: "" if a plan is to tell it.
        issue: Of the image.
        part: "voting" or "training".
        position: None if it is not stated.
        kind: None if it is not stated.
        label: "" if it is not stated.
        entry: "" if a plan is to tell it.
        pick: None if it was not picked.
        grade: None if there is none.
        reasons: Criteria.
        seconds: Of the trial.
        cast_at: None if it is not stated.
        is_simulated: Whether a program has made the vote.
    """

    where: str
    judge: str
    image: str
    issue: str
    part: str
    position: int | None
    kind: Kind | None
    label: str
    entry: str
    pick: int | None
    grade: int | None
    reasons: tuple[str, ...]
    seconds: float
    cast_at: datetime | None
    is_simulated: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteTable:
    """The rows of a file.

    Attributes:
        rows: In the order of the file.
        columns: That it has.
        criteria: From the names of its columns of reasons.
        notes: What to know of how it was read.
    """

    rows: tuple[VoteRow, ...]
    columns: tuple[str, ...]
    criteria: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_vote_rows(content: bytes | str, file_name: str, problems: list[str]) -> VoteTable:
    r"""Read the rows of a table; what is wrong with it is added to `problems`, and such rows are left out.

    Raises:
        InputError: It is a workbook, or no text.

    Example:
        >>> found = []
        >>> table = read_vote_rows("judge,image,entry,pick\nJ1,a,x,1\nJ1,a,y,first\n", "votes.csv", found)
        >>> len(table.rows), found
        (1, ["votes.csv, line 3: pick is 'first'; expected a whole number from 1"])
    """
    table = parse_table(content, file_name, known=COLUMNS)
    columns = tuple(_name_column(name) for name in table.columns)
    wrong = [(table.header_line, fault) for fault in _header_faults(columns)] if columns else []
    if not columns and not table.faults:
        wrong.append((1, "it is empty; its first line names the columns"))
    rows: list[VoteRow] = []
    faults = [*wrong, *table.faults]
    for row in () if wrong else table.rows:
        _read_row(row, rows, faults)
    problems += replace(table, faults=tuple(sorted(set(faults)))).say_faults()
    criteria = tuple(name.removeprefix(REASON) for name in columns if name.startswith(REASON))
    return VoteTable(rows=tuple(rows), columns=columns, criteria=criteria, notes=table.notes)


def _name_column(name: str) -> str:
    return REASON + name[len(REASON) :].strip() if name.lower().startswith(REASON) else name


def _header_faults(columns: tuple[str, ...]) -> Iterable[str]:
    for name in columns:
        if name not in COLUMNS and not name.startswith(REASON):
            yield str(unknown_name("column", name, COLUMNS))
        elif columns.count(name) > 1:
            yield f"the column {name!r} is there twice"
    if "judge" not in columns:
        yield "there is no column 'judge'"
    if "pick" not in columns and "grade" not in columns:
        yield "there is no column 'pick' and none 'grade'; one of them holds the votes"


def _read_row(found: Row, rows: list[VoteRow], wrong: list[tuple[int, str]]) -> None:
    row = {_name_column(name): text for name, text in found.cells.items()}
    faults: list[str] = []
    if not row["judge"]:
        faults.append("it names no judge")
    kind = row.get("kind", "").lower()
    if kind not in {"", *get_args(Kind)}:
        faults.append(f"kind is {kind!r}; expected one of {', '.join(get_args(Kind))}")
    part = row.get("part", "").lower() or ("training" if kind == "training" else "voting")
    if part not in PARTS:
        faults.append(f"part is {part!r}; expected voting or training")
    read = VoteRow(
        where=found.where,
        judge=row["judge"],
        image=row.get("image", ""),
        issue=row.get("issue", ""),
        part=part,
        position=_whole(found, "position", faults),
        kind=cast("Kind", kind) if kind in get_args(Kind) else None,
        label=row.get("label", "").upper(),
        entry=row.get("entry", ""),
        pick=_whole(found, "pick", faults),
        grade=_whole(found, "grade", faults),
        reasons=tuple(name.removeprefix(REASON) for name in row if _flag(row, name, REASON, faults)),
        seconds=_seconds(found, faults),
        cast_at=_time(row, faults),
        is_simulated=_flag(row, "is_simulated", "is_simulated", faults),
    )
    wrong += [(found.line, fault) for fault in faults]
    if not faults:
        rows.append(read)


def _whole(row: Row, name: str, faults: list[str]) -> int | None:
    text = row.cells.get(name, "")
    try:
        number = parse_whole(text, has_decimal_comma=name in row.comma_columns)
    except InputError:
        number = 0
    if number is not None and not 1 <= number <= MOST:
        faults.append(f"{name} is {text[:60]!r}; expected a whole number from 1")
        return None
    return number


def _flag(row: Mapping[str, str], name: str, prefix: str, faults: list[str]) -> bool:
    if not name.startswith(prefix):
        return False
    text = row.get(name, "").lower()
    if text not in YES | NO:
        faults.append(f"{name} is {text!r}; expected 1 or nothing")
    return text in YES


def _seconds(row: Row, faults: list[str]) -> float:
    text = row.cells.get("seconds", "")
    try:
        seconds = parse_number(text, has_decimal_comma="seconds" in row.comma_columns)
    except InputError as error:
        faults.append(f"seconds is {error}")
        return 0.0
    if (seconds is None and text) or (seconds or 0.0) < 0:
        faults.append(f"seconds is {text!r}; expected a number from 0")
    return seconds or 0.0


def _time(row: Mapping[str, str], faults: list[str]) -> datetime | None:
    text = row.get("cast_at", "")
    if not text:
        return None
    try:
        return read_time(text)
    except InputError as error:
        faults.append(str(error))
        return None
