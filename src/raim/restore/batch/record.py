"""The record of a folder of results, `.raim-restore.jsonl`: which input and which work made each of them.

A line is appended for each result; the last one of a name counts. A result that the record vouches for is kept by the
next run, or made again where its restorer is external; any other file is left alone unless it may be replaced.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from raim import __version__
from raim.files import cannot_write, hash_file
from raim.restore.descriptor import Restorer

RECORD = ".raim-restore.jsonl"
OLD_RECORD = ".raim-restore.json"  # one object, by name, until November 2026
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What the record says of one result.

    Attributes:
        input: SHA-256 of the input's file.
        output: SHA-256 of the result's file.
        seconds: That the restoration took.
        work: What made it, see `describe_work`.
        notes: What the restorer measured and chose.
    """

    input: str
    output: str
    seconds: float
    work: str
    notes: tuple[str, ...] = ()


def describe_work(restorer: Restorer, **options: object) -> str:
    """Say what makes results, so that another restorer, option or version is seen to be other work.

    Device, threads and tiles are no part of it: their results agree within the rounding of 8 bits.

    Args:
        restorer: The restorer.
        **options: What its name does not say, such as sigma, or the hash of a model file; None is left out.

    Example:
        >>> from raim.restore import find_restorer
        >>> describe_work(find_restorer("ffdnet"), sigma=10)[:23]
        'ffdnet; sigma=10; raim '
    """
    from raim.weights import weights_sha256

    stated = [f"{key}={value}" for key, value in options.items() if value is not None]
    hashes = [f"{name} {weights_sha256(name)[:16]}" for name in restorer.weights]
    return "; ".join([restorer.name, *stated, f"raim {__version__}", *hashes])


def read_record(folder: Path) -> dict[str, Made]:
    """Read what is known of the results in a folder; a line that cannot be read, such as a torn last one, is none.

    Example:
        >>> read_record(Path("there is no such folder"))
        {}
    """
    lines = _read_bytes(folder / RECORD).splitlines()
    return _read_old(folder) | dict(filter(None, map(_read_line, lines)))


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _read_old(folder: Path) -> dict[str, Made]:
    try:
        stated = json.loads(_read_bytes(folder / OLD_RECORD))
        return {name: _parse(made) for name, made in stated.items()}
    except UNREADABLE:
        return {}


def _read_line(line: bytes) -> tuple[str, Made] | None:
    try:
        stated = json.loads(line)
        return stated.pop("name"), _parse(stated)
    except UNREADABLE:
        return None


def _parse(stated: dict[str, Any]) -> Made:
    return Made(**{**stated, "notes": tuple(stated["notes"])})


def append_record(folder: Path, name: str, made: Made) -> None:
    """Add a result to the record of a folder.

    Raises:
        OutputError: It cannot be written.
    """
    # The line break comes first: a line that was torn takes none with it.
    line = "\n" + json.dumps({"name": name, **asdict(made)})
    try:
        with (folder / RECORD).open("ab") as file:
            file.write(line.encode())
    except OSError as error:
        raise cannot_write(folder / RECORD, error) from error


def vouches(made: Made | None, target: Path, work: str) -> bool:
    """Say whether a result is the very file that the record says this work has made."""
    if made is None or made.work != work or not target.is_file():
        return False
    return hash_file(target) == made.output
