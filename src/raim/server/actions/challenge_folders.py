"""The challenges of a server's folder: the folder's own, or those of its sub-folders."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from raim.challenge import Challenge, read_challenge
from raim.challenge.reading import CHALLENGE_FILE
from raim.challenge.series import SERIES_FILE, Series, read_series
from raim.data import IMAGE_SUFFIXES, read_manifest
from raim.errors import ChallengeError
from raim.scoring.profiles import PROFILES
from raim.server.database import ServerFolder
from raim.server.database.engine import FOLDER_LOCK, take_turn

# Of the files that a challenge's folder needs.
FOLDER_SUFFIXES = IMAGE_SUFFIXES | {".toml", ".md", ".csv", ".tsv", ".txt"}


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundChallenges:
    """The challenges of a server's folder.

    Attributes:
        challenges: By where their file lies, seen from that folder; "." for itself.
        problems: What is wrong with the others, by folder, and with series.toml.
        series: What they share; None without a series.toml.
    """

    challenges: dict[str, Challenge]
    problems: dict[str, tuple[str, ...]]
    series: Series | None = None


def find_challenges(folder: Path) -> FoundChallenges:
    """Find the challenge of a folder, or those of its sub-folders; one with problems takes down no other.

    Images are not hashed: that is done when they are stored.

    Raises:
        ChallengeError: There is none without problems, or two have one id.
    """
    places = [folder]
    if not (folder / CHALLENGE_FILE).exists() and folder.is_dir():
        places = sorted(path.parent for path in folder.glob(f"*/{CHALLENGE_FILE}")) or [folder]
    challenges: dict[str, Challenge] = {}
    problems: dict[str, tuple[str, ...]] = {}
    for place in places:
        name = place.relative_to(folder).as_posix()
        try:
            challenges[name] = load_challenge(place)
        except ChallengeError as error:
            if len(places) == 1:
                raise
            problems[name] = tuple(map(str, error.problems))
    by_id: dict[str, str] = {}
    for name, challenge in challenges.items():
        if challenge.id in by_id:
            raise ChallengeError(
                f"{by_id[challenge.id]}/{CHALLENGE_FILE} and {name}/{CHALLENGE_FILE} have one id, {challenge.id!r}; "
                "give one of them another"
            )
        by_id[challenge.id] = name
    if not challenges:
        raise ChallengeError("\n".join(f"{name}: {each}" for name, said in problems.items() for each in said))
    series = None
    try:
        series = read_series(folder)
    except ChallengeError as error:
        problems[SERIES_FILE] = tuple(map(str, error.problems))
    return FoundChallenges(challenges=challenges, problems=problems, series=series)


def note_look(session: Session, series: Series | None, problems: Mapping[str, tuple[str, ...]]) -> None:
    """Write down what a look at the server's folder found besides challenges, for all its web processes."""
    row = lock_folder(session)
    seen = {folder: list(each) for folder, each in problems.items()}
    plain = None if series is None else asdict(series)
    if (row.series, row.problems) != (plain, seen):
        row.series, row.problems, row.version = plain, seen, row.version + 1


def forget_problems(session: Session, folder: str) -> None:
    """Write down that the challenge of a folder has been taken."""
    row = lock_folder(session)
    if folder in row.problems:
        row.problems = {name: each for name, each in row.problems.items() if name != folder}


def lock_folder(session: Session) -> ServerFolder:
    """Return the row of the server's folder; whoever writes to it or brings in a challenge waits for us."""
    take_turn(session, FOLDER_LOCK)
    row = session.get(ServerFolder, 1)
    if row is None:
        row = ServerFolder(id=1, version=0, problems={}, mark="")
        session.add(row)
    return row


def load_challenge(folder: Path) -> Challenge:
    """Read the challenge of a folder, without hashing its images: that is done when they are stored.

    Raises:
        ChallengeError: It has problems; all are listed.
    """
    return read_challenge(folder, profiles=PROFILES, read_manifest=read_manifest, check_hashes=False)
