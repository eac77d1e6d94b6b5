"""Tables of scores as raim score, a person or raim rank write them, and the ways in which they come spoiled."""

import contextlib
import csv
import io
import json
import random
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from raim.challenge import Entrant, rank_teams
from raim.challenge.ranking_files import format_csv
from raim.scoring import PROFILES, EntryScore, ImageScore, ScoreTable, write_csv, write_json

TEAMS = ("Alpha", "Beta", "Gamma", "Delta", "Éta", "Zêta, Ltd.")
Rows = list[list[str]]
ODD = (
    "", " ", "n/a", "NaN", "inf", "-inf", "-", "null", "None", "0", "-1", "1e999", "1e300", "-1e300", "1e-400", "7,9",
    "1_0", "\u0667", "0x10", "1e5", "abc", "4", "1.5", "\x00", "'=1", "=1", "a" * 200_000, "\ud800", "TRUE", "9" * 400,
    "nan(1)", "+7",
)  # fmt: skip
LIKELY = ("", "n/a", "nan", "inf", "-", "0", "1", "3", "4", "79.13", "80.00", "-7", ".5", "1e2")


# --- what is spoiled --------------------------------------------------------------------------------------------------


def _table(rng: random.Random) -> ScoreTable:
    profile = PROFILES["raim-2024"]
    entries = []
    for team in TEAMS:
        images = []
        is_incomplete = rng.random() < 0.3
        for name in ("001", "002", "003"):
            values = {column: round(rng.uniform(1, 99), 3) for column in profile.columns}
            scenario = rng.choice(["night", "blur"])
            if is_incomplete and rng.random() < 0.6:
                values = dict.fromkeys(profile.columns)
                images.append(ImageScore(name=name, scenario=scenario, values=values, unscored="missing"))
            else:
                images.append(ImageScore(name=name, scenario=scenario, values=values))
        entries.append(EntryScore(name=team, images=tuple(images)))
    return ScoreTable(profile=profile, entries=tuple(entries), raim_version="1")


def _written(write: Callable[[ScoreTable, Path], None]) -> Callable[[random.Random], bytes]:
    def make(rng: random.Random) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name, "table")
            write(_table(rng), path)
            return path.read_bytes()

    return make


def _plain(rng: random.Random, *, counts: bool) -> bytes:
    rows = [["team", "score", *(["n_scored", "n_expected"] if counts else [])]]
    for team in TEAMS:
        score = rng.choice(
            [f"{rng.uniform(0, 99):.2f}", f"{rng.uniform(0, 99):.2f}", "80.00", rng.choice(ODD[:9])]
        )
        rows.append([team, score, *([str(rng.choice([1, 4, 4, 4])), "4"] if counts else [])])
    return _join(rows)


def make_points(rng: random.Random) -> bytes:
    """Make a table of points."""
    return _join([["team", "points"], *([team, str(rng.choice([0, 7, 7, 21, 57]))] for team in TEAMS)])


def _ranking(rng: random.Random) -> bytes:
    entrants = [Entrant(team=team, score=rng.uniform(0, 99), points=rng.randrange(60)) for team in TEAMS]
    return format_csv(rank_teams(entrants)).encode()


SOURCES: Sequence[Callable[[random.Random], bytes]] = (
    _written(write_csv),
    _written(write_json),
    lambda rng: _plain(rng, counts=True),
    lambda rng: _plain(rng, counts=False),
    _ranking,
)


def _join(rows: Sequence[Sequence[str]]) -> bytes:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows(rows)
    return held.getvalue().encode("utf-8", errors="surrogatepass")


# --- in which forms it comes ------------------------------------------------------------------------------------------


def dress(rng: random.Random, content: bytes) -> bytes:
    """Give a table as another program would have written it: the same cells, otherwise separated and encoded."""
    try:
        text = content.decode()
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(row)]
    except (csv.Error, UnicodeDecodeError):
        return content
    if not rows or text.lstrip()[:1] == "{":
        return content
    mark = rng.choice([",", ";", "\t"])
    if mark != "," and rng.random() < 0.6:
        rows = [rows[0], *([_with_comma(cell) for cell in row] for row in rows[1:])]
    if rng.random() < 0.4 and not any(":" in name or " " in name for name in rows[0]):
        rows[0] = [name.upper() for name in rows[0]]
    more = [""] * rng.choice([0, 0, 2])
    rows = [[*row, *more] for row in rows]
    for _ in range(rng.choice([0, 0, 1, 3])):
        rows.insert(rng.randint(0, len(rows)), [""] * rng.choice([1, len(rows[0])]))
    held = io.StringIO(newline="")
    has_lines = any("\n" in cell for row in rows for cell in row)
    quoting = csv.QUOTE_ALL if has_lines or rng.random() < 0.5 else csv.QUOTE_MINIMAL
    ends = rng.choice(["\n", "\r\n", "\r"])
    csv.writer(held, delimiter=mark, quoting=quoting, lineterminator=ends).writerows(rows)
    written = f"sep={mark}\r\n" * (rng.random() < 0.15) + held.getvalue()
    codes = ["utf-8", "utf-8-sig", "utf-16", "utf-32", *(["utf-16-le"] if written[:40].isascii() else [])]
    try:
        return written.encode(rng.choice([*codes, "cp1252"]))
    except UnicodeEncodeError:
        return written.encode("utf-8", errors="surrogatepass")


def _with_comma(cell: str) -> str:
    """Write a number with a decimal comma that cannot be a sign for thousands."""
    match = re.fullmatch(r"([+-]?[0-9]*)[.]([0-9]+)(e[+-]?[0-9]+)?", cell, re.IGNORECASE)
    return cell if match is None else f"{match[1]},{match[2]}{'0' * (len(match[2]) == 3)}{match[3] or ''}"


# --- how it is spoiled ------------------------------------------------------------------------------------------------


def spoil(rng: random.Random, content: bytes) -> bytes:
    """Spoil a file in one to three ways."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        way = rng.choice(
            BYTES if rng.random() < 0.35 else (_spoil_json if content.lstrip()[:1] == b"{" else _spoil_csv,)
        )
        content = way(rng, content)
    return content


def _flip(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.choice([0, 1, 2, 3, 4, 5, 6, 6, 7])
    return bytes(changed)


def _insert(rng: random.Random, content: bytes) -> bytes:
    at = rng.randint(0, len(content))
    odd = rng.choice(
        [b"\0", b'"', b"\r", b"\n", b"\n\n", b",", b"\xff", b";", b"'", b"\xef\xbb\xbf", b" ", b"-", b"."]
    )
    return content[:at] + odd + content[at:]


def _recode(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(rng.choice(["utf-16", "utf-32", "latin-1", "utf-8-sig", "cp1252"]), errors="replace")


BYTES: Sequence[Callable[[random.Random, bytes], bytes]] = (
    _flip,
    _insert,
    _recode,
    lambda rng, content: content[: rng.randint(0, len(content))],
    lambda rng, content: content[rng.randint(0, len(content)) :],
    lambda rng, content: content.replace(b"\n", rng.choice([b"\r\n", b"\r"])),
    lambda rng, content: content.replace(b",", rng.choice([b";", b"\t", b",,"])),
)


def _spoil_csv(rng: random.Random, content: bytes) -> bytes:
    try:
        rows = [row for row in csv.reader(io.StringIO(content.decode(), newline="")) if row]
    except (csv.Error, UnicodeDecodeError):
        return _flip(rng, content)
    if rows:
        rng.choice(LINE_WAYS if rng.random() < 0.6 else TABLE_WAYS)(rng, rows)
    return _join(rows)


def _set(rng: random.Random, rows: Rows) -> None:
    line = rng.choice(rows)
    line[rng.randrange(len(line))] = rng.choice(ODD if rng.random() < 0.5 else LIKELY)


def _delete(rng: random.Random, rows: Rows) -> None:
    line = rng.choice(rows)
    del line[rng.randrange(len(line))]


def _double(rng: random.Random, rows: Rows) -> None:
    line = rng.choice(rows)
    line.insert(rng.randrange(len(line)), rng.choice(line))


def _swap(rng: random.Random, rows: Rows) -> None:
    line = rng.choice(rows)
    one, other = rng.randrange(len(line)), rng.randrange(len(line))
    line[one], line[other] = line[other], line[one]


def _drop_column(rng: random.Random, rows: Rows) -> None:
    column = rng.randrange(len(rows[0]))
    for row in rows:
        del row[column : column + 1]


def _double_column(rng: random.Random, rows: Rows) -> None:
    column = rng.randrange(len(rows[0]))
    for row in rows:
        row[column:column] = row[column : column + 1]


def _shuffle_columns(rng: random.Random, rows: Rows) -> None:
    order = rng.sample(range(len(rows[0])), len(rows[0]))
    for row in rows:
        row[:] = [row[place] for place in order if place < len(row)]


def _rename(rng: random.Random, rows: Rows) -> None:
    rows[0][rng.randrange(len(rows[0]))] = rng.choice(
        ["team", "score", "kind", "n_scored", "entry", "", "Score"]
    )


LINE_WAYS: Sequence[Callable[[random.Random, Rows], None]] = (
    _set,
    _set,
    _set,
    _delete,
    _double,
    _swap,
    lambda rng, rows: rng.shuffle(rng.choice(rows)),
)
TABLE_WAYS: Sequence[Callable[[random.Random, Rows], None]] = (
    _drop_column,
    _double_column,
    _shuffle_columns,
    _rename,
    lambda rng, rows: rows.remove(rng.choice(rows)),
    lambda rng, rows: rows.insert(rng.randint(0, len(rows)), list(rng.choice(rows))),
    lambda rng, rows: rng.shuffle(rows),
)


def _spoil_json(rng: random.Random, content: bytes) -> bytes:
    try:
        plain = json.loads(content)
        places = list(_places(plain))
    except (ValueError, RecursionError):
        return _flip(rng, content)
    if not places:
        return content
    holder, key = rng.choice(places)
    # Half of the time where it matters.
    if rng.random() < 0.5:
        near = [
            each
            for each in places
            if each[1] in {"score", "mean", "name", "n_scored", "n_expected", "n_images"}
        ]
        holder, key = rng.choice(near or places)
    way = rng.choice(["set", "set", "set", "delete", "double", "nest", "other"])
    if way == "set":
        holder[key] = rng.choice(
            [*ODD, None, True, 7, -1, 1.5, float("nan"), float("inf"), 10**400, [], {}, [1], {"a": 1}]
        )
    elif way == "delete":
        del holder[key]
    elif way == "double" and isinstance(holder, list):
        holder.append(holder[key])
    elif way == "nest":
        depth = rng.choice([3, 900, 100_000])
        text = json.dumps(plain)
        return text.replace("[", "[" * depth, 1).replace("]", "]" * depth, 1).encode()
    else:
        other_holder, other_key = rng.choice(places)
        with contextlib.suppress(KeyError, IndexError):
            holder[key] = other_holder[other_key]
    try:
        return json.dumps(plain, ensure_ascii=rng.random() < 0.5).encode("utf-8", errors="surrogatepass")
    except (ValueError, RecursionError):  # a value within itself
        return content


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield value, key
        yield from _places(each)
