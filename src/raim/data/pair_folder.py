"""The folder of pairs that `raim degrade` and `raim align` write, and how a stopped run goes on in it.

    input/   reference/   mask/ (of `raim align`)   manifest.csv   sheet.html

While a run goes on, `unfinished.jsonl` has a line for each item that is done; the manifest takes its place at the end.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import numpy as np

from raim import __version__
from raim.errors import InputError, RaimError
from raim.files import hash_file, place_file
from raim.images import write_image
from raim.processes import OnProgress, map_processes
from raim.runs import LOCK, Journal, OutputFolder, Record, has_hashes
from raim.tables import format_table, read_table

INPUT, REFERENCE, MASK = "input", "reference", "mask"
MANIFEST, SHEET, JOURNAL = "manifest.csv", "sheet.html", "unfinished.jsonl"


def file_paths(out: Path, name: str) -> tuple[Path, Path, Path]:
    """Return the paths of a pair's input and reference, and that of the mask that an aligned pair has.

    Example:
        >>> [path.as_posix() for path in file_paths(Path("out"), "wall_001")]
        ['out/input/wall_001.png', 'out/reference/wall_001.png', 'out/mask/wall_001.png']
    """
    return out / INPUT / f"{name}.png", out / REFERENCE / f"{name}.png", out / MASK / f"{name}.png"


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenPair:
    """The two files of a pair, whose stem is the name; the reference has the size of a restored image."""

    name: str
    input_sha256: str
    reference_sha256: str
    input_width: int
    input_height: int
    width: int
    height: int


def write_pair(out: Path, name: str, *pictures: np.ndarray) -> dict[str, Any]:
    """Write input, reference and, if there is one, mask; return the fields of `WrittenPair` and `mask_sha256`.

    Raises:
        OutputError: A file cannot be written.
    """
    written: dict[str, Any] = {"name": name}
    for path, kind, picture in zip(file_paths(out, name), (INPUT, REFERENCE, MASK), pictures, strict=False):
        write_image(path, picture)
        written[f"{kind}_sha256"] = hash_file(path)
    (written["input_height"], written["input_width"]), (written["height"], written["width"]) = (
        picture.shape[:2] for picture in pictures[:2]
    )
    return written


def is_written(out: Path, files: WrittenPair, *mask_sha256: str) -> bool:
    """Return whether the files of a pair, and its mask if it has one, are there with their SHA-256."""
    hashes = (files.input_sha256, files.reference_sha256, *mask_sha256)
    return has_hashes(dict(zip(file_paths(out, files.name), hashes, strict=False)))


def format_pairs(
    columns: Sequence[str],
    pairs: Iterable[tuple[WrittenPair, Mapping[str, object], Mapping[str, object]]],
) -> str:
    """Return the manifest of pairs as CSV: a row for the input, and one for the reference.

    Args:
        columns: Of the table.
        pairs: The files of each, its label (scenario or issue), and what else the input's row says.
    """
    rows: list[dict[str, object]] = []
    for files, label, own in pairs:
        both = {"name": files.name, **label}
        size = {"width": files.input_width, "height": files.input_height, "sha256": files.input_sha256}
        rows.append({**both, "role": INPUT, **size, **own, "raim_version": __version__})
        size = {"width": files.width, "height": files.height, "sha256": files.reference_sha256}
        rows.append({**both, "role": REFERENCE, **size})
    return format_table(columns, ([row.get(column) for column in columns] for row in rows))


@dataclass(frozen=True, kw_only=True, slots=True)
class PairFolder(Generic[Record]):
    """A folder that is ready for a run.

    Attributes:
        output: The folder.
        journal: Of the items that are done.
        known: Those that a stopped run has made, by name.
        workers: Processes.
    """

    output: OutputFolder
    journal: Journal[Record]
    known: Mapping[str, Record]
    workers: int

    @classmethod
    @contextlib.contextmanager
    def open(
        cls,
        out: Path,
        kind: type[Record],
        *,
        command: str,
        kinds: Sequence[str],
        column: str,
        names: Collection[str],
        overwrite: bool,
        workers: int,
    ) -> Iterator["PairFolder[Record]"]:
        """Hold a folder that is new, empty, of a stopped run that goes on, or emptied of an earlier run.

        The command that writes it has items of a kind, pictures of `kinds` (input, reference, mask), a column in its
        manifest that no other program's has, and names of the items that it will make.

        Raises:
            InputError: The folder holds something else, is in use, or cannot be made, or there are no workers.
        """
        if workers < 1:
            raise InputError(f"{workers} workers were asked for; there must be at least 1")
        journal = Journal(out / JOURNAL, kind)
        pictures = (f"{each}/*.png" for each in kinds)
        output = OutputFolder(path=out, command=command, patterns=(*pictures, SHEET, MANIFEST, JOURNAL))
        with output.held(is_own=journal.path.is_file() or _has_column(out / MANIFEST, column)):
            known = journal.read()
            others = sorted(known.keys() - set(names))
            goes_on = journal.path.is_file() and not others
            state = (
                f"holds pairs of another, interrupted run ({others[0]}, ...)" if others else "is not empty"
            )
            output.prepare(goes_on=goes_on, state=state, overwrite=overwrite)
            journal.path.touch()
            yield cls(output=output, journal=journal, known=known if goes_on else {}, workers=workers)

    def make(
        self,
        function: Callable[[Any], Any],
        plans: Sequence[Any],
        *,
        total: int,
        on_progress: OnProgress | None,
    ) -> Iterator[tuple[Any, Record | str]]:
        """Make what is planned in processes, in any order, and note what is done.

        Args:
            function: Of (plan, what a stopped run has made of it or None); gives the item, or why there is none.
            plans: Each has the name of its item.
            total: Plans in all, with those that cannot be made.
            on_progress: Called with (plans done, plans in all) after each, and once before the first.

        Yields:
            Each plan with its item, or why there is none, which the next run tries again.
        """
        tell = on_progress or (lambda _done, _total: None)
        tell(total - len(plans), total)
        tasks = [(plan, self.known.get(plan.name)) for plan in plans]
        made = map_processes(function, tasks, min(self.workers, len(tasks)))
        for n_left, ((plan, before), result) in zip(range(len(plans) - 1, -1, -1), made, strict=True):
            if isinstance(result, self.journal.kind) and result != before:
                self.journal.append(result)
            yield plan, str(result) if isinstance(result, RaimError) else result
            tell(total - n_left, total)

    def finish(self, manifest: str, names: Collection[str]) -> None:
        """Write the manifest of a run that is done; pictures that other options once made are removed.

        Raises:
            OutputError: It cannot be written.
        """
        pictures = (pattern for pattern in self.output.patterns if pattern.endswith(".png"))
        self.output.remove(*pictures, but=frozenset(names))
        place_file(self.output.path / MANIFEST, manifest.encode())
        self.output.remove(JOURNAL, LOCK)


def _has_column(manifest: Path, column: str) -> bool:
    try:
        return column in read_table(manifest).columns
    except InputError:
        return False
