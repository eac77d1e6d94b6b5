"""The folder of pairs that `raim degrade` and `raim align` write, and how a stopped run goes on in it.

    input/   reference/   mask/ (of `raim align`)   manifest.csv   sheet.html

While a run goes on, `unfinished.jsonl` has a line for each item that is done; the manifest takes its place at the end.
"""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from raim.errors import InputError
from raim.files import place_file
from raim.processes import map_processes
from raim.runs import LOCK, Journal, OutputFolder, Record
from raim.tables import read_table

INPUT, REFERENCE, MASK = "input", "reference", "mask"
MANIFEST, SHEET, JOURNAL = "manifest.csv", "sheet.html", "unfinished.jsonl"

OnProgress = Callable[[int, int], None]


def file_paths(out: Path, name: str) -> tuple[Path, Path, Path]:
    """Return the paths of a pair's input and reference, and that of the mask that an aligned pair has.

    Example:
        >>> [path.as_posix() for path in file_paths(Path("out"), "wall_001")]
        ['out/input/wall_001.png', 'out/reference/wall_001.png', 'out/mask/wall_001.png']
    """
    return out / INPUT / f"{name}.png", out / REFERENCE / f"{name}.png", out / MASK / f"{name}.png"


@dataclass(frozen=True, kw_only=True, slots=True)
class PairFolder(Generic[Record]):
    """A folder that is ready for a run.

    Attributes:
        output: The folder.
        journal: Of the items that are done.
        known: Those that a stopped run has made, by name.
    """

    output: OutputFolder
    journal: Journal[Record]
    known: Mapping[str, Record]

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
    ) -> Iterator["PairFolder[Record]"]:
        """Hold a folder that is new, empty, of a stopped run that goes on, or emptied of an earlier run.

        Args:
            out: The folder.
            kind: Of the journal's items.
            command: That writes it.
            kinds: Which of input/, reference/ and mask/ it writes.
            column: Of its manifest, which no other program's has.
            names: Of the items that will be made.
            overwrite: Whether an earlier run's pairs are removed.

        Raises:
            InputError: The folder holds something else, is in use, or cannot be made.
        """
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
            yield cls(output=output, journal=journal, known=known if goes_on else {})

    def make(
        self,
        function: Callable[[Any], Any],
        plans: Sequence[Any],
        workers: int,
        *,
        total: int,
        on_progress: OnProgress | None,
    ) -> Iterator[tuple[Any, Any]]:
        """Make what is planned in processes, and note what is done.

        Args:
            function: Of (plan, what a stopped run has made of it or None); gives the item, or something else for none.
            plans: Each has the name of its item.
            workers: Processes.
            total: Plans in all, with those that cannot be made.
            on_progress: Called with (plans done, plans in all) after each, and once before the first.

        Yields:
            Each plan with what came of it: an item, or the error.
        """
        tell = on_progress or (lambda _done, _total: None)
        tell(total - len(plans), total)
        tasks = [(plan, self.known.get(plan.name)) for plan in plans]
        made = map_processes(function, tasks, min(workers, len(tasks)))
        for n_left, ((plan, before), result) in zip(range(len(plans) - 1, -1, -1), made, strict=True):
            if isinstance(result, self.journal.kind) and result != before:
                self.journal.append(result)
            yield plan, result
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
