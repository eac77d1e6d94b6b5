"""The record of a folder of results, `.raim-restore.jsonl`: which input and which work made each of them.

It is a journal (`raim.runs`) that stays. A result that it knows to be of the same work is kept by the next run, or made
again where its restorer is external; any other file is left alone unless it may be replaced.
"""

from dataclasses import dataclass

from raim import __version__
from raim.restore.descriptor import Restorer

RECORD = ".raim-restore.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What the record says of one result.

    Attributes:
        name: Of the result's file.
        input: SHA-256 of the input's file.
        output: SHA-256 of the result's file.
        seconds: That the restoration took.
        work: What made it, see `describe_work`.
        notes: What the restorer measured and chose.
    """

    name: str
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
