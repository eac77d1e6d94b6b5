"""An archive of a study for everybody: design and votes without names of judges, the same bytes for the same study.

Judges are J01, J02, ... in the order of the ballots, as in an analysis. Entries keep their names, or are E1, E2, ... by
falling points: that order says nothing that the votes in the archive do not say, where an order of names would. Times
are left out unless they are asked for: they may tell who has voted when.
"""

import io
import zipfile
from dataclasses import replace

import numpy as np

from raim.errors import InputError
from raim.study.files.document import StudyDocument, format_document, parse_document
from raim.study.files.problems import votes_error
from raim.study.files.votes_table import REASON, format_votes
from raim.study.points import mean_points, points_array
from raim.study.votes import BLURRED, Ballots, Vote

STUDY, VOTES, README = "study.json", "votes.csv", "README.md"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can hold
LARGEST_ARCHIVE = 200 * 2**20


def make_archive(document: StudyDocument, *, code_entries: bool = False, with_times: bool = False) -> bytes:
    """Make the archive: a zip of README.md, study.json and votes.csv, not compressed, so that no library shows in it.

    Args:
        document: The study.
        code_entries: Whether entries become E1, E2, ...; then the design is left out, which would reveal names.
        with_times: Whether it says when votes were made and how long judges have looked.

    Example:
        >>> votes = (Vote(judge="Ann", image="a", position=1, shown=("x", "y"), choice=("y",)),)
        >>> study = StudyDocument(ballots=Ballots(entries=("x", "y"), images=("a",), judges=("Ann",), votes=votes))
        >>> packed = make_archive(study)
        >>> b"Ann" in packed, zipfile.ZipFile(io.BytesIO(packed)).namelist()
        (False, ['README.md', 'study.json', 'votes.csv'])
    """
    shared = anonymise(document, code_entries=code_entries, with_times=with_times)
    files = {
        README: describe_archive(shared, code_entries=code_entries, with_times=with_times),
        STUDY: format_document(shared),
        VOTES: format_votes(shared.ballots, is_simulated=shared.is_simulated),
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16  # the same on every machine
            archive.writestr(info, text.encode())
    return held.getvalue()


def read_archive(packed: bytes, *, file_name: str = "archive.zip") -> StudyDocument:
    """Read the study of an archive.

    Raises:
        VotesError: It is none, or its study has problems.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            if archive.getinfo(STUDY).file_size > LARGEST_ARCHIVE:
                raise votes_error(file_name, [f"its {STUDY} is larger than {LARGEST_ARCHIVE // 2**20} MiB"])
            text = archive.read(STUDY).decode()
    except KeyError as error:
        raise votes_error(file_name, [f"it holds no {STUDY}; raim study export writes one"]) from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, UnicodeDecodeError, EOFError) as error:
        raise votes_error(file_name, [f"it is a damaged zip: {error}"]) from error
    return parse_document(text, file_name=f"{file_name}/{STUDY}")


def anonymise(
    document: StudyDocument, *, code_entries: bool = False, with_times: bool = False
) -> StudyDocument:
    """Return a study without names of judges; arguments as in `make_archive`.

    Raises:
        InputError: An entry has the name of the blurred copy of a trap.
    """
    ballots = document.ballots
    if BLURRED in ballots.entries:
        raise InputError(
            f"an entry is called {BLURRED!r}, which is the name of the tile of a trap; rename it"
        )
    judges = dict(zip(ballots.judges, _numbered("J", len(ballots.judges), 2), strict=True))
    entries = {name: name for name in ballots.entries}
    if code_entries:
        order = _by_points(ballots)
        entries = dict(zip(order, _numbered("E", len(order), 1), strict=True))
    coded = replace(
        ballots,
        judges=tuple(judges.values()),
        entries=tuple(entries.values()) if code_entries else ballots.entries,
        votes=tuple(
            _anonymise_vote(vote, judges, {**entries, BLURRED: BLURRED}, with_times=with_times)
            for vote in ballots.votes
        ),
    )
    return replace(document, ballots=coded, design=None if code_entries else document.design, notes=())


def _anonymise_vote(vote: Vote, judges: dict[str, str], entries: dict[str, str], *, with_times: bool) -> Vote:
    return replace(
        vote,
        judge=judges[vote.judge],
        shown=tuple(entries[name] for name in vote.shown),
        choice=tuple(entries[name] for name in vote.choice),
        ratings={entries[name]: grade for name, grade in vote.ratings.items()},
        reasons={entries[name]: criteria for name, criteria in vote.reasons.items()},
        seconds=vote.seconds if with_times else 0.0,
        cast_at=vote.cast_at if with_times else None,
    )


def _by_points(ballots: Ballots) -> tuple[str, ...]:
    """Order entries by falling points, then by each vote; only entries whose votes are all equal stay as they were."""
    points = points_array(ballots)
    means = np.nan_to_num(mean_points(points), nan=-1.0)
    votes = np.nan_to_num(points, nan=-1.0).reshape(-1, points.shape[-1])
    order = sorted(range(len(means)), key=lambda each: (-means[each], tuple(-votes[:, each])))
    return tuple(ballots.entries[each] for each in order)


def _numbered(letter: str, number: int, width: int) -> list[str]:
    width = max(width, len(str(number)))
    return [f"{letter}{each:0{width}d}" for each in range(1, number + 1)]


def describe_archive(document: StudyDocument, *, code_entries: bool, with_times: bool) -> str:
    """Return the text that says what the archive holds, column by column."""
    ballots = document.ballots
    simulated = "\n**These votes were made by a program, not by people.**\n" if document.is_simulated else ""
    points = "/".join(map(str, ballots.points)) or "none: each candidate gets a grade, 1 bad to 5 excellent"
    reasons = "".join(
        f"| `{REASON}{name}` | 1 if {name} was a reason of the pick |\n" for name in ballots.criteria
    )
    times = (
        "seconds a judge has looked at the trial, without pauses | when, in ISO form"
        if with_times
        else "0: left out | empty: left out"
    )
    looked, when = times.split(" | ")
    entries = "coded E1, E2, ... by falling points" if code_entries else "under their names"
    return f"""# A blinded study of image restorations
{simulated}
{len(ballots.judges)} judges (J01, J02, ...; also those who have not voted), {len(ballots.images)} images, \
{len(ballots.entries)} entries ({entries}), {len(ballots.votes)} votes. Mode: {ballots.mode}; points: {points}.

- `{STUDY}`: everything, schema `raim-study/1`; `raim study analyse` reads it, and this archive as it is.
- `{VOTES}`: one row for each candidate that a judge saw in a trial.

| column | meaning |
|---|---|
| `judge` | code of the judge |
| `image`, `issue` | the image, and what is difficult in it |
| `part`, `position` | voting or training, and the place in the judge's own order, from 1 |
| `kind` | `counted` gives points; `repeat` is a second showing, `trap` has a blurred copy, `training` came before |
| `label`, `entry` | the letter under which the judge saw the candidate, and which it was |
| `pick` | 1 for the first pick, 2 for the second, ...; empty if it was not picked |
| `grade` | with ratings: 1 bad to 5 excellent |
{reasons}| `seconds` | {looked} |
| `cast_at` | {when} |
| `is_simulated` | true if a program has made the vote |
"""
