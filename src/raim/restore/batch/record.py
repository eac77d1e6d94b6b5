"""The record of a folder of results, `.raim-restore.json`: which input and which work made each of them.

A result that the record vouches for is kept by the next run; any other file is left alone unless it may be replaced.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from raim import __version__
from raim.files import hash_file, place_file
from raim.restore.descriptor import Restorer

RECORD = ".raim-restore.json"


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
    """Read what is known of the results in a folder; nothing where there is no record, or none that can be read.

    Example:
        >>> read_record(Path("there is no such folder"))
        {}
    """
    try:
        stated = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {name: Made(**{**made, "notes": tuple(made["notes"])}) for name, made in stated.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def write_record(folder: Path, record: Mapping[str, Made]) -> None:
    """Write the record of a folder, in one step.

    Raises:
        InputError: It cannot be written.
    """
    text = json.dumps({name: asdict(made) for name, made in sorted(record.items())}, indent=1)
    place_file(folder / RECORD, text.encode())


def vouches(made: Made | None, target: Path, work: str) -> bool:
    """Say whether a result is the very file that the record says this work has made."""
    if made is None or made.work != work or not target.is_file():
        return False
    return hash_file(target) == made.output
