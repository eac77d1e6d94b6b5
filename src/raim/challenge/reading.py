"""Reading challenge.toml and looking at everything it names; every problem is listed with file and line.

Scoring profiles and the reader of manifests belong to other layers, so both are passed in:

    read_challenge(path, profiles=raim.scoring.PROFILES, read_manifest=raim.data.read_manifest)
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from raim.challenge.challenge import Challenge
from raim.challenge.consistency import ProfileLike, find_inconsistencies
from raim.challenge.folders import ReadManifest, look_at
from raim.challenge.locating import KeyPath, find_line, parse_toml
from raim.challenge.parsing import parse_draft
from raim.challenge.problem import Problem, UnplacedProblem, challenge_error, has_problems
from raim.challenge.schedule import find_schedule_faults
from raim.challenge.section import Section

CHALLENGE_FILE = "challenge.toml"
Profiles = Mapping[str, ProfileLike]
Parsed = TypeVar("Parsed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Examined:
    """A challenge, if it has no problem, and what was found.

    Attributes:
        challenge: With the images of its data sets; None where there is a problem.
        found: Problems and notes, in the order of the file, then of the data sets.
    """

    challenge: Challenge | None
    found: tuple[Problem, ...]


def read_challenge(
    path: Path, *, profiles: Profiles, read_manifest: ReadManifest, check_hashes: bool = True
) -> Challenge:
    """Read a challenge and check everything that it names.

    Args:
        path: The file, or the folder in which it is called challenge.toml.
        profiles: All scoring profiles by name.
        read_manifest: Reads a manifest; raises ManifestError.
        check_hashes: Whether every image is read and hashed (about a second per GB); else only headers are read.

    Raises:
        ChallengeError: It has problems; all are listed, and are in `problems`.
    """
    examined = examine_challenge(
        path, profiles=profiles, read_manifest=read_manifest, check_hashes=check_hashes
    )
    if examined.challenge is None:
        raise challenge_error(str(path), examined.found)
    return examined.challenge


def find_problems(
    path: Path, *, profiles: Profiles, read_manifest: ReadManifest, check_hashes: bool = True
) -> list[Problem]:
    """List every problem and note of a challenge; arguments as in `read_challenge`."""
    examined = examine_challenge(
        path, profiles=profiles, read_manifest=read_manifest, check_hashes=check_hashes
    )
    return list(examined.found)


def examine_challenge(
    path: Path,
    *,
    profiles: Profiles,
    read_manifest: ReadManifest,
    check_hashes: bool = True,
    is_closed: bool = False,
    on_image: Callable[[int], None] = lambda _n_files: None,
) -> Examined:
    """Read a challenge and list what was found, both; arguments as in `read_challenge`.

    `is_closed`: it may name nothing outside of its folder. `on_image` is called after each image with the
    number of its files.
    """
    file = path / CHALLENGE_FILE if path.is_dir() else path
    text = read_text(file)
    if isinstance(text, Problem):
        return Examined(challenge=None, found=(text,))
    draft, found = _examine_text(text, file, profiles, is_closed=is_closed)
    if draft is None:
        return Examined(challenge=None, found=found)
    profile = profiles.get(draft.profile)
    looked = [
        look_at(each, read_manifest, profile=profile, check_hashes=check_hashes, on_image=on_image)
        for each in draft.data_sets
    ]
    found += tuple(problem for each in looked for problem in each.found)
    challenge = replace(draft, data_sets=tuple(each.data_set for each in looked))
    return Examined(challenge=None if has_problems(found) else challenge, found=found)


def parse_challenge(
    text: str, *, profiles: Profiles, folder: Path, file_name: str = CHALLENGE_FILE
) -> Challenge:
    r"""Read a challenge from the text of its file, without looking at its data sets.

    Args:
        text: TOML.
        profiles: All scoring profiles by name.
        folder: Where relative paths start; texts that are in files of their own are read from there.
        file_name: Stands in messages.

    Raises:
        ChallengeError: It has problems; all are listed, and are in `problems`.

    Example:
        >>> parse_challenge("schema = 1\nphase = 3", profiles={}, folder=Path())
        Traceback (most recent call last):
        raim.errors.ChallengeError: challenge.toml has 5 problems:
        ...
    """
    challenge, found = _examine_text(text, folder / file_name, profiles)
    if challenge is None or has_problems(found):
        raise challenge_error(file_name, found)
    return challenge


def read_text(file: Path) -> str | Problem:
    """Read a file of ours, or say why it cannot be."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        message = f"it cannot be read: {error.strerror}; `raim challenge new` makes an example"
    except UnicodeDecodeError as error:
        message = f"it is not UTF-8 (byte {error.start}); save it as UTF-8"
    return Problem(file=str(file), message=message)


def _examine_text(
    text: str, file: Path, profiles: Profiles, *, is_closed: bool = False
) -> tuple[Challenge | None, tuple[Problem, ...]]:
    """Make records of the tables, phases in the order of time, and find the faults of the file itself."""

    def parse(top: Section) -> Challenge:
        draft = parse_draft(top)
        top.faults += [*find_inconsistencies(draft, profiles), *find_schedule_faults(draft)]
        return replace(
            draft.challenge, phases=tuple(sorted(draft.challenge.phases, key=lambda phase: phase.opens))
        )

    return examine_text(text, file, parse, is_closed=is_closed)


def examine_text(
    text: str, file: Path, parse: Callable[[Section], Parsed], *, is_closed: bool = False
) -> tuple[Parsed | None, tuple[Problem, ...]]:
    """Make a record of the tables of a file, and find its problems; None where it is no TOML.

    `parse` gives the record, and adds to the faults of the section that it gets.
    """
    try:
        tables, lines = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        return None, (_syntax_problem(error, text, file),)
    except (ValueError, RecursionError):
        message = "a number has thousands of digits, or arrays or tables are nested hundreds deep; no key takes such"
        return None, (Problem(file=str(file), message=message),)
    faults: list[UnplacedProblem] = []
    parsed = parse(Section(tables, (), file.parent, faults, is_closed=is_closed))
    return parsed, _place(faults, lines, file)


def _place(faults: list[UnplacedProblem], lines: Mapping[KeyPath, int], file: Path) -> tuple[Problem, ...]:
    """Find the lines of faults, and put them in that order."""
    found = [
        Problem(
            file=str(file), line=find_line(lines, each.path), message=each.message, severity=each.severity
        )
        for each in faults
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0))


def _syntax_problem(error: tomllib.TOMLDecodeError, text: str, file: Path) -> Problem:
    """Return what tomllib says, with the line that it names only in its text."""
    match = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
    line = int(match[1]) if match and match[1] else text.count("\n") + 1
    message = str(error)[: match.start()] if match else str(error)
    return Problem(file=str(file), line=line, message=f"it is not TOML: {message}")
