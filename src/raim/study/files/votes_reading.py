"""Reading tables of votes: every problem is found in one pass, with its file and line.

The columns stand in `votes_table`. With a plan, a sheet's positions and labels say image, kind and entry.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast, get_args

from raim.errors import InputError, unknown_name
from raim.study.files.values import read_time
from raim.study.files.votes_table import COLUMNS, REASON
from raim.study.votes import Kind
from raim.tables import unescape_cell

PARTS = ("voting", "training")
YES, NO = frozenset({"1", "true", "yes", "x"}), frozenset({"", "0", "false", "no"})


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
    """

    rows: tuple[VoteRow, ...]
    columns: tuple[str, ...]
    criteria: tuple[str, ...]


def read_rows(text: str, file_name: str, problems: list[str]) -> VoteTable:
    r"""Read the rows of a table; what is wrong with it is added to `problems`, and such rows are left out.

    Example:
        >>> found = []
        >>> table = read_rows("judge,image,entry,pick\nJ1,a,x,1\nJ1,a,y,first\n", "votes.csv", found)
        >>> len(table.rows), found
        (1, ["votes.csv line 3: pick is 'first'; expected a whole number from 1"])
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    rows: list[VoteRow] = []
    columns: tuple[str, ...] = ()
    try:
        for cells in reader:
            if not columns:
                columns = tuple(_clean_name(name) for name in cells)
                faults = list(_header_faults(columns))
                if faults:
                    problems += [f"{file_name} line 1: {fault}" for fault in faults]
                    break
            elif any(cell.strip() for cell in cells):
                where = f"{file_name} line {reader.line_num}"
                _read_row(where, columns, cells, rows, problems)
    except csv.Error as error:
        problems.append(f"{file_name} line {reader.line_num}: it is no CSV: {error}")
    if not columns:
        problems.append(f"{file_name} is empty; its first line names the columns")
    criteria = tuple(name.removeprefix(REASON) for name in columns if name.startswith(REASON))
    return VoteTable(rows=tuple(rows), columns=columns, criteria=criteria)


def _clean_name(name: str) -> str:
    name = unescape_cell(name.strip())
    return name if name.lower().startswith(REASON) else name.lower()


def _header_faults(columns: tuple[str, ...]) -> Iterable[str]:
    for name in columns:
        if name not in COLUMNS and not name.startswith(REASON):
            yield str(unknown_name("column", name, COLUMNS))
        elif columns.count(name) > 1:
            yield f"the column {name!r} stands there twice"
    if "judge" not in columns:
        yield "there is no column 'judge'"
    if "pick" not in columns and "grade" not in columns:
        yield "there is no column 'pick' and none 'grade'; one of them holds the votes"


def _read_row(
    where: str, columns: tuple[str, ...], cells: list[str], rows: list[VoteRow], problems: list[str]
) -> None:
    if len(cells) != len(columns):
        problems.append(f"{where}: it has {len(cells)} cells, the first line names {len(columns)} columns")
        return
    row = dict(zip(columns, (unescape_cell(cell.strip()) for cell in cells), strict=True))
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
        where=where,
        judge=row["judge"],
        image=row.get("image", ""),
        issue=row.get("issue", ""),
        part=part,
        position=_whole(row, "position", faults),
        kind=cast("Kind", kind) if kind in get_args(Kind) else None,
        label=row.get("label", "").upper(),
        entry=row.get("entry", ""),
        pick=_whole(row, "pick", faults),
        grade=_whole(row, "grade", faults),
        reasons=tuple(name.removeprefix(REASON) for name in row if _flag(row, name, REASON, faults)),
        seconds=_seconds(row, faults),
        cast_at=_time(row, faults),
        is_simulated=_flag(row, "is_simulated", "is_simulated", faults),
    )
    problems += [f"{where}: {fault}" for fault in faults]
    if not faults:
        rows.append(read)


def _whole(row: Mapping[str, str], name: str, faults: list[str]) -> int | None:
    text = row.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 6) or int(text) < 1:
        faults.append(f"{name} is {text!r}; expected a whole number from 1")
        return None
    return int(text)


def _flag(row: Mapping[str, str], name: str, prefix: str, faults: list[str]) -> bool:
    if not name.startswith(prefix):
        return False
    text = row.get(name, "").lower()
    if text not in YES | NO:
        faults.append(f"{name} is {text!r}; expected 1 or nothing")
    return text in YES


def _seconds(row: Mapping[str, str], faults: list[str]) -> float:
    text = row.get("seconds", "")
    try:
        seconds = float(text) if text else 0.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        faults.append(f"seconds is {text!r}; expected a number from 0")
        return 0.0
    return seconds


def _time(row: Mapping[str, str], faults: list[str]) -> datetime | None:
    text = row.get("cast_at", "")
    if not text:
        return None
    try:
        return read_time(text)
    except InputError as error:
        faults.append(str(error))
        return None
