"""The readers of tables beside scores and points: what is handed to them, what they make of it, what they should.

A reader gives what it reads in plain values; `expect` reads the same bytes by the rules of `other_reading`.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from other_reading import Lines, UnreadableError, column_of, read_lines, read_value, read_whole
from raim.data import ManifestRow, format_manifest, parse_manifest
from raim.data.alignment.captures import list_scenes
from raim.data.alignment.pairs import Refused
from raim.images import write_image
from raim.report.closed.folder import read_folder
from raim.study import StudyDesign, simulate_ballots
from raim.study.files import format_votes, read_study_files
from raim.tables import format_table

TEAMS = ("Alpha", "Béta", "=Gamma")
SCENES = ("desk", "0007", "gärten")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """One of raim's readers.

    Attributes:
        make: Gives a table that is right.
        read: Reads it with raim; the folder is for files.
        expect: Reads it otherwise.
    """

    make: Callable[[random.Random], bytes]
    read: Callable[[Path, bytes], Any]
    expect: Callable[[bytes], Any]


# --- manifests, and lists of images -----------------------------------------------------------------------------------


def _make_manifest(rng: random.Random) -> bytes:
    hashes = [f"{rng.getrandbits(256):064x}" for _ in range(6)]
    rows = [
        ManifestRow(
            name=f"{place:04d}",
            scenario=rng.choice(["denoise", "blür", "=moire", None]),
            width=rng.choice([224, 4000]),
            height=48,
            input_sha256=rng.choice([None, hashes[place]]),
            reference_sha256=rng.choice([None, hashes[-place]]),
        )
        for place in range(1, 5)
    ]
    return format_manifest(rows).encode()


def _read_manifest(_folder: Path, content: bytes) -> Any:
    return sorted(
        (row.name, row.scenario, row.width, row.height, row.input_sha256, row.reference_sha256)
        for row in parse_manifest(content).rows
    )


def _expect_manifest(content: bytes) -> Any:
    columns = ("name", "scenario", "issue", "label", "width", "height", "sha256", "role")
    lines = read_lines(content, [{"name"}], columns)
    groups: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for line in lines:
        groups[line["name"]][line.get("role", "").lower()] = line
    found = []
    for name, roles in groups.items():
        sized = roles.get("reference", roles.get("", {}))
        source, other = roles.get("input", roles.get("", {})), roles.get("reference", {})
        stated = [text for line in roles.values() if (text := _label_of(line))]
        sides = [read_whole(sized.get(side, "")) for side in ("width", "height")]
        hashes = [line.get("sha256", "").lower() or None for line in (source, other)]
        found.append((name, stated[0] if stated else None, *sides, *hashes))
    return sorted(found)


def _label_of(line: Mapping[str, str]) -> str:
    own = [line[name] for name in ("scenario", "issue") if name in line]
    return "".join(own) if own else line.get("label", "")


# --- votes ------------------------------------------------------------------------------------------------------------


def _make_votes(rng: random.Random) -> bytes:
    design = StudyDesign(
        seed=rng.randrange(9),
        entries=TEAMS,
        images={"1": "moire", "0002": ""},
        n_judges=2,
        n_traps=0,
        n_training=0,
    )
    ballots = simulate_ballots(design, dict.fromkeys(TEAMS, 0.0), np.random.default_rng(rng.randrange(9)))
    return format_votes(ballots).encode()


def _read_votes(folder: Path, content: bytes) -> Any:
    (folder / "votes").write_bytes(content)
    votes = read_study_files([folder / "votes"]).ballots.votes
    return sorted(
        (vote.judge, vote.image, entry, place, vote.seconds)
        for vote in votes
        for place, entry in enumerate(vote.choice, start=1)
    ) + sorted((vote.judge, vote.image, *pair) for vote in votes for pair in vote.ratings.items())


def _expect_votes(content: bytes) -> Any:
    known = (
        "judge",
        "image",
        "entry",
        "pick",
        "grade",
        "seconds",
        "kind",
        "position",
        "part",
        "label",
        "issue",
    )
    lines = read_lines(content, [{"judge"}, {"pick", "grade"}], known)
    picks = _whole_cells(lines, "pick")
    grades = _whole_cells(lines, "grade")
    seconds = [read_value(line.get("seconds", ""), column_of(lines, "seconds")) or 0.0 for line in lines]
    own = [(line["judge"], line.get("image", ""), line.get("entry", "")) for line in lines]
    chosen = sorted(
        (*name, pick, second)
        for name, pick, second in zip(own, picks, seconds, strict=True)
        if pick is not None
    )
    return chosen + sorted(
        (*name, grade) for name, grade in zip(own, grades, strict=True) if grade is not None
    )


def _whole_cells(lines: Lines, name: str) -> list[int | None]:
    column = column_of(lines, name)
    return [read_whole(text, column) for text in column]


# --- captures ---------------------------------------------------------------------------------------------------------


def _make_captures(rng: random.Random) -> bytes:
    rows = [(scene, f"{role}.png", role) for scene in SCENES for role in ("input", "reference")]
    return format_table(["scene", "file", "role"], rng.sample(rows, len(rows))).encode()


def _read_captures(folder: Path, content: bytes) -> Any:
    captures = folder / "captures"
    if not captures.is_dir():
        for scene in SCENES:
            (captures / scene).mkdir(parents=True)
            for role in ("input", "reference"):
                write_image(captures / scene / f"{role}.png", np.zeros((96, 96, 3), np.uint8))
    (captures / "captures.csv").write_bytes(content)
    scenes = [scene for scene in list_scenes(captures, "blur") if not isinstance(scene, Refused)]
    return sorted((scene.name, scene.input.name, scene.references[0].name) for scene in scenes)


def _expect_captures(content: bytes) -> Any:
    lines = read_lines(content, [{"scene"}, {"file"}, {"role"}], ("scene", "file", "role", "mode"))
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        scene = "0007" if line["scene"] in {"7", "7.0", "7."} else line["scene"]
        found[scene][line["role"].lower()].append(line["file"])
    files = {"input.png", "reference.png"}
    return sorted(
        (scene, *roles["input"], *roles["reference"])
        for scene, roles in found.items()
        if scene in SCENES
        and [len(roles[role]) for role in ("input", "reference")] == [1, 1]
        and {*roles["input"], *roles["reference"]} == files
    )


# --- the tables of a report's folder ----------------------------------------------------------------------------------


def _make_teams(rng: random.Random) -> bytes:
    rows = [
        (team, rng.choice(["", "", "late", "-"]), rng.choice(["yes; no", "=1", "a\nb"])) for team in TEAMS
    ]
    return format_table(["team", "left_out", "What, and why?"], rows).encode()


def _read_teams(folder: Path, content: bytes) -> Any:
    material = read_folder(_make_report(folder, "teams.csv", content))
    return sorted((each.team, each.left_out, sorted(each.fact_sheet.items())) for each in material.teams)


def _expect_teams(content: bytes) -> Any:
    lines = {line["team"]: line for line in read_lines(content, [{"team"}], ("team", "left_out"))}
    sheets = {team: lines.get(team, {}) for team in TEAMS}
    return sorted(
        (
            team,
            sheet.get("left_out", ""),
            sorted((key, text) for key, text in sheet.items() if text and key not in {"team", "left_out"}),
        )
        for team, sheet in sheets.items()
    )


def _make_scenarios(rng: random.Random) -> bytes:
    rows = [
        (team, name, rng.uniform(0, 99), rng.choice([None, 27.5]))
        for team in TEAMS
        for name in ("blur", "=x")
    ]
    return format_table(["team", "scenario", "score", "psnr"], rows).encode()


def _read_scenarios(folder: Path, content: bytes) -> Any:
    material = read_folder(_make_report(folder, "scenarios.csv", content))
    return {
        each.team: {name: values.get("score") for name, values in each.scenarios.items()}
        for each in material.teams
    }


def _expect_scenarios(content: bytes) -> Any:
    lines = read_lines(content, [{"team"}, {"scenario"}], ("team", "scenario", "score", "psnr"))
    column = column_of(lines, "score")
    found: dict[str, dict[str, float | None]] = {team: {} for team in TEAMS}
    for line in lines:
        if line["team"] in found:
            found[line["team"]][line["scenario"]] = read_value(line.get("score", ""), column)
    return found


def _make_submissions(rng: random.Random) -> bytes:
    days = [f"2026-03-{rng.randrange(10, 28)}T12:00:00Z" for _ in TEAMS]
    rows = [(day, team, rng.uniform(0, 99)) for day, team in zip(days, TEAMS, strict=True)]
    return format_table(["submitted_at", "team", "score"], rows).encode()


def _read_submissions(folder: Path, content: bytes) -> Any:
    material = read_folder(_make_report(folder, "submissions.csv", content))
    return sorted(((each.team, each.score) for each in material.timeline), key=str)


def _expect_submissions(content: bytes) -> Any:
    lines = read_lines(content, [{"submitted_at"}, {"team"}, {"score"}])
    column = column_of(lines, "score")
    return sorted(((line["team"], read_value(line["score"], column)) for line in lines), key=str)


def _make_report(folder: Path, name: str, content: bytes) -> Path:
    place = folder / "report"
    place.mkdir(exist_ok=True)
    for file in place.iterdir():
        file.unlink()
    scores = format_table(["team", "score"], [(team, 70.0) for team in TEAMS])
    (place / "scores.csv").write_text(scores, encoding="utf-8")
    (place / name).write_bytes(content)
    return place


READERS = {
    "manifest": Reader(make=_make_manifest, read=_read_manifest, expect=_expect_manifest),
    "votes": Reader(make=_make_votes, read=_read_votes, expect=_expect_votes),
    "captures": Reader(make=_make_captures, read=_read_captures, expect=_expect_captures),
    "teams": Reader(make=_make_teams, read=_read_teams, expect=_expect_teams),
    "scenarios": Reader(make=_make_scenarios, read=_read_scenarios, expect=_expect_scenarios),
    "submissions": Reader(make=_make_submissions, read=_read_submissions, expect=_expect_submissions),
}


def find_expected(reader: Reader, content: bytes) -> Any:
    """Give what a reader should read; a text where there is no table."""
    try:
        return reader.expect(content)
    except UnreadableError as error:
        return f"no table: {error}"
