"""Spoiled tables through all of raim's readers: refused, or read and ranked as another reading does it.

Half of the cases are scores and points: what raim score, a person or raim rank would write is put in the form of any
program, spoiled (bits, cells, columns, lines, values of JSON, nesting, encodings, its end) and handed to the functions
behind `raim rank`; every tenth case goes on to the command itself, another to `raim report --from-csv`, another to
`raim study analyse --scores`. `read_expected` reads the same file by rules of its own and ranks in plain Python. The
other half goes through the other readers (`table_readers.py`). A fault is another exception than raim's, a value, rank
or final score that differs, a ranked entry without a score or all images, a file that was refused though it was not
spoiled, whatever its form, and a case that takes more than ten seconds.
"""

import contextlib
import io
import json
import random
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fuzz import Outcome
from other_reading import UnreadableError, column_of, decode, read_lines, read_value
from raim.challenge import Entrant, FinalRanking, Weights, rank_teams
from raim.challenge.ranking_files import (
    COUNTS,
    KNOWN,
    format_csv,
    join_numbers,
    ranking_as_plain,
    read_team_numbers,
)
from raim.cli.main import raim as raim_command
from raim.errors import RaimError
from raim.study import StudyDesign, simulate_ballots
from raim.study.files import StudyDocument, format_document
from spoiled_tables import SOURCES, TEAMS, dress, make_points, spoil
from table_readers import READERS, find_expected

WEIGHTS = (0.4, 0.6)
LONGEST_S = 10.0  # of a case
UNSPOILED = 5  # every so many-th case of a kind is not spoiled
REPORTED, STUDIED, PRINTED = (
    3,
    7,
    9,
)  # of ten cases the one that goes on to the report, the study, the command

Table = dict[str, tuple[float | None, bool]]  # team to number and whether images are missing


def run_cases(n: int, seed: int, folder: Path) -> Iterator[Outcome]:
    """Give the outcome of each case."""
    (folder / "study.json").write_text(_make_study(), encoding="utf-8")
    for number in range(n):
        rng = random.Random(f"{seed} {number}")  # noqa: S311 - not for secrets
        is_of_scores = number % 2 == 0
        begun = time.monotonic()
        outcome = (_run_case if is_of_scores else _run_other)(rng, number // 2, folder)
        if not outcome.fault and time.monotonic() - begun > LONGEST_S:
            outcome = Outcome(words=outcome.words, fault=f"it took {time.monotonic() - begun:.0f} s")
        if outcome.fault:
            for name in ("scores", "points") if is_of_scores else ("other",):
                (folder / f"{number}_{name}").write_bytes((folder / name).read_bytes())
        yield outcome


def _run_other(rng: random.Random, number: int, folder: Path) -> Outcome:
    """Run a case of another reader than that of scores and points."""
    name = list(READERS)[number % len(READERS)]
    reader = READERS[name]
    is_spoiled = number // len(READERS) % UNSPOILED != 0
    whole = reader.make(rng)
    content = spoil(rng, whole) if is_spoiled else whole
    content = dress(rng, content) if rng.random() < 0.6 else content
    (folder / "other").write_bytes(content)
    try:
        found = reader.read(folder, content)
    except RaimError as error:
        str(error).encode()
        fault = "" if is_spoiled else f"{name}: refused though it is not spoiled: {error}"
        return Outcome(words=f"{name}: refused", fault=fault)
    except Exception:  # noqa: BLE001 - any other exception is what is looked for
        return Outcome(words="another exception", fault=traceback.format_exc(limit=-3))
    expected = find_expected(reader, content if is_spoiled else whole)
    fault = "" if found == expected else f"{name}: read {found}, expected {expected}"
    return Outcome(words=f"{name}: read", fault=fault)


def _run_case(rng: random.Random, number: int, folder: Path) -> Outcome:
    is_spoiled = number % UNSPOILED != 0
    whole, whole_points = rng.choice(SOURCES)(rng), make_points(rng)
    scores = spoil(rng, whole) if is_spoiled else whole
    points = spoil(rng, whole_points) if is_spoiled and rng.random() < 0.3 else whole_points
    scores, points = (dress(rng, each) if rng.random() < 0.5 else each for each in (scores, points))
    (folder / "scores").write_bytes(scores)
    (folder / "points").write_bytes(points)
    has_points = rng.random() < 0.5
    given = (scores, points) if is_spoiled else (whole, whole_points)
    expected = _expect(given[0], given[1] if has_points else None)
    try:
        ranking = _rank(folder / "scores", folder / "points" if has_points else None)
        fault = compare(ranking, expected)
        words = "ranked"
    except RaimError as error:
        str(error).encode()
        ranking, words = None, "refused"
        fault = "" if is_spoiled else f"refused though it is not spoiled: {error}"
    except Exception:  # noqa: BLE001 - any other exception is what is looked for
        return Outcome(words="another exception", fault=traceback.format_exc(limit=-3))
    if not fault and number % 10 == REPORTED:
        fault = _report(folder, scores, points if has_points else None, expected)
        words += ", and the report was tried"
    if not fault and number % 10 == PRINTED:
        given = ("--points", folder / "points") if has_points else ()
        code, fault = _call("rank", "--scores", folder / "scores", *given)
        fault = fault or ("" if (code == 0) == (words == "ranked") else f"{words}, and the command is not")
    if not fault and number % 10 == STUDIED:
        fault = _study(folder, expected if not has_points else _expect(scores, None))
        words += ", and the study was tried"
    return Outcome(words=words, fault=fault)


def _rank(scores: Path, points: Path | None) -> FinalRanking:
    """Do as `raim rank`."""
    by_score = read_team_numbers(scores, "score")
    by_points = None if points is None else read_team_numbers(points, "points")
    teams = tuple(by_score.values) if by_points is None else join_numbers(by_score.values, by_points.values)
    entrants = [
        Entrant(
            team=team,
            score=by_score.values.get(team),
            points=None if by_points is None else by_points.values.get(team),
            incomplete=by_score.incomplete.get(team, ""),
        )
        for team in teams
    ]
    shares = WEIGHTS if points is not None else (1.0, 0.0)
    ranking = rank_teams(entrants, weights=Weights(score=shares[0], study=shares[1]))
    json.dumps(ranking_as_plain(ranking), allow_nan=False, ensure_ascii=False).encode()
    format_csv(ranking).encode()
    "".join((*by_score.notes, *(by_points.notes if by_points else ()))).encode()
    return ranking


def compare(ranking: FinalRanking, expected: "Expected | str") -> str:
    """Say how a ranking differs from what is expected; "" if it does not."""
    if isinstance(expected, str):
        return f"ranked, where the other reading says: {expected}"
    found = {row.team: (row.rank, row.final) for row in ranking.rows}
    if set(found) != set(expected):
        return f"the teams are {sorted(found)}, expected {sorted(expected)}"
    for team, (rank, final) in found.items():
        other_rank, other_final = expected[team]
        if rank != other_rank or (final is None) != (other_final is None):
            return f"{team!r} has rank {rank} and final {final}, expected {expected[team]}"
        if final is not None and abs(final - other_final) > 1e-9 * max(1, abs(final)):
            return f"{team!r} has the final score {final}, expected {other_final}"
    n_ranked = len(ranking.ranked)
    if any(row.rank is None for row in ranking.rows[:n_ranked]):
        return "a team without a rank stands before one with a rank"
    return next((f"{row.team!r}: no reason" for row in ranking.rows[n_ranked:] if not row.why_unranked), "")


def _report(folder: Path, scores: bytes, points: bytes | None, expected: "Expected | str") -> str:
    place = folder / "challenge"
    place.mkdir(exist_ok=True)
    (place / "scores.csv").write_bytes(scores)
    (place / "points.csv").unlink(missing_ok=True)
    if points is not None:
        (place / "points.csv").write_bytes(points)
    code, fault = _call("report", "--from-csv", place, folder / "out", "--formats", "json,csv")
    if fault or code:
        return fault
    rows = json.loads((folder / "out" / "data" / "report.json").read_text(encoding="utf-8"))["ranking"][
        "rows"
    ]
    if isinstance(expected, str):
        return f"reported, where the other reading says: {expected}"
    found = {row["team"]: row["rank"] for row in rows}
    wanted = {team: rank for team, (rank, _) in expected.items()}
    return "" if found == wanted else f"the report has the ranks {found}, expected {wanted}"


def _study(folder: Path, expected: "Expected | str") -> str:
    given = ("analyse", folder / "study.json", "--scores", folder / "scores", "--draws", 100)
    code, fault = _call("study", *given, "--json", folder / "analysis.json")
    if fault or code:
        return fault
    entries = json.loads((folder / "analysis.json").read_text(encoding="utf-8"))["entries"]
    if isinstance(expected, str):
        return f"analysed, where the other reading says: {expected}"
    for entry in entries:
        is_ranked = expected.get(entry["entry"], (None, None))[0] is not None
        if (entry["final_rank"]["value"] is not None) != is_ranked:
            return f"the study's final rank of {entry['entry']} is {entry['final_rank']}"
        if (entry["final"]["value"] is not None) != is_ranked:
            return f"the study's final score of {entry['entry']} is {entry['final']}"
    return ""


def _call(*arguments: object) -> tuple[int, str]:
    """Run a command in this process; give whether it was refused, and the traceback of any other exception."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            raim_command.main([str(each) for each in arguments], prog_name="raim", standalone_mode=False)
        except RaimError:
            return 2, ""
        except Exception:  # noqa: BLE001 - any other exception is what is looked for
            return 1, traceback.format_exc(limit=-3)
    return 0, ""


def _make_study() -> str:
    design = StudyDesign(seed=1, entries=TEAMS, images={str(n): "" for n in range(4)}, n_judges=4, n_traps=0)
    strengths = {team: 0.5 * place for place, team in enumerate(TEAMS)}
    return format_document(
        StudyDocument(ballots=simulate_ballots(design, strengths, np.random.default_rng(1)))
    )


# --- another reading of the same file ---------------------------------------------------------------------------------

Expected = Mapping[str, tuple[int | None, float | None]]


def _expect(scores: bytes, points: bytes | None) -> "Expected | str":
    try:
        by_score = read_expected(scores, "score")
        by_points = None if points is None else read_expected(points, "points")
    except UnreadableError as error:
        return str(error)
    if by_points is not None and not set(by_score) & set(by_points):
        return "no team in common"
    able = {}
    for team, (score, is_incomplete) in by_score.items():
        own = None if by_points is None else by_points.get(team, (None, False))[0]
        if score is not None and not is_incomplete and (by_points is None or own is not None):
            able[team] = (score, own)
    low, high = (
        (0, 0) if by_points is None or not able else (f(own for _, own in able.values()) for f in (min, max))
    )
    finals = {}
    for team, (score, own) in able.items():
        is_flat = high - low <= 1e-9
        finals[team] = (
            score if is_flat else WEIGHTS[0] * score + WEIGHTS[1] * (100 * (own - low) / (high - low))
        )
    rounded = {team: round(final, 2) for team, final in finals.items()}
    return {
        team: (1 + sum(other > rounded[team] + 1e-9 for other in rounded.values()), finals[team])
        if team in finals
        else (None, None)
        for team in {**by_score, **(by_points or {})}
    }


def read_expected(content: bytes, column: str) -> Table:
    """Read a file by rules of its own.

    Raises:
        UnreadableError: It is no table, or more than one can be read out of it.
    """
    text = decode(content)
    if text.lstrip()[:1] == "{":
        lines = _json_lines(text, column)
    else:
        lines = read_lines(content, ({"team", "entry"}, {column}), KNOWN)
    is_plain = any("team" in line for line in lines)
    teams: dict[str, dict[str, str]] = {}
    images: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for line in lines:
        if column not in line or not ("team" in line or "entry" in line):
            raise UnreadableError("a column is missing")
        name = line["team"] if is_plain else line["entry"]
        kind = "entry" if is_plain else line.get("kind", "entry")
        if kind == "entry":
            if not name or name in teams:
                raise UnreadableError("no name, or twice")
            teams[name] = line
        elif kind == "image":
            images[name].append((line.get("name", ""), line.get("score", "")))
        elif kind != "scenario":
            raise UnreadableError("an unknown kind")
    if not teams:
        raise UnreadableError("no team")
    is_json = text.lstrip()[:1] == "{"  # whose numbers are none of a country's
    cells = {each: [] if is_json else column_of(lines, each) for each in (column, *COUNTS)}
    incomplete = _incomplete(teams, images, cells) if column == "score" else set()
    return {
        name: (read_value(line[column], cells[column]), name in incomplete) for name, line in teams.items()
    }


def _incomplete(
    teams: Mapping[str, Mapping[str, str]],
    images: Mapping[str, list[tuple[str, Any]]],
    cells: Mapping[str, Sequence[str]],
) -> set[str]:
    stated = {name: (line.get("n_scored", ""), line.get("n_expected", "")) for name, line in teams.items()}
    if any(part for pair in stated.values() for part in pair):
        counts = {
            name: (read_value(scored, cells["n_scored"]), read_value(expected, cells["n_expected"]))
            for name, (scored, expected) in stated.items()
        }
        for scored, expected in counts.values():
            if (
                scored is None
                or expected is None
                or scored % 1
                or expected % 1
                or not 0 <= scored <= expected
            ):
                raise UnreadableError("counts that cannot be")
        most = max(expected for _, expected in counts.values())
        return {name for name, (scored, _) in counts.items() if scored != most or not most}
    every, own = set(), {}
    for name, rows in images.items():
        every |= {image or f"{name} {place}" for place, (image, _) in enumerate(rows)}
        own[name] = {
            image or f"{name} {place}"
            for place, (image, score) in enumerate(rows)
            if read_value(score, cells["score"]) is not None
        }
    return {name for name in teams if name in own and own[name] != every}


def _json_lines(text: str, column: str) -> list[dict[str, str]]:
    try:
        entries = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)["entries"]
        lines = []
        for entry in entries:
            name = entry["name"]
            name.strip().encode()
            counts = {
                "n_scored": entry.get("n_scored"),
                "n_expected": entry.get("n_expected", entry.get("n_images")),
            }
            shown = {} if None in counts.values() else {key: _word(value) for key, value in counts.items()}
            own = {"entry": name.strip(), column: _word(entry["mean"].get(column))}
            lines.append({"kind": "entry", **own, **shown})
            for image in entry.get("images") or []:
                word = {"name": _word(image["name"]), "score": _word(image.get("score"))}
                lines.append({"kind": "image", "entry": name.strip(), column: "", **word})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError("no JSON of scores") from error
    if not any(column in entry["mean"] for entry in entries):
        raise UnreadableError("no such mean")
    return lines


def _word(value: Any) -> str:
    return value.strip() if isinstance(value, str) else "null" if value is None else "not a number"
