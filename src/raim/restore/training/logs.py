"""What a run writes down while it goes: two CSV files, and the same for TensorBoard.

log.csv: step, loss, its terms, learning_rate, gradient_norm, seconds. validation.csv: step, the measures, score.
A run that goes on from a checkpoint removes the lines after it first, so that each step stands once.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from raim.errors import need_extra
from raim.files import cannot_write, place_file
from raim.tables import Digits, format_rows, format_table

LOG, VALIDATION, TENSORBOARD = "log.csv", "validation.csv", "tensorboard"


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvLog:
    """A CSV file that grows by lines; the first of its columns is "step". What cannot be written is an `InputError`."""

    path: Path
    columns: tuple[str, ...]

    def open_at(self, step: int) -> None:
        """Begin the file, or remove the lines after a step and those that are damaged."""
        try:
            text = self.path.read_text("utf-8", errors="replace") if self.path.is_file() else ""
        except OSError as error:
            raise cannot_write(self.path, error) from error
        lines = [line.split(",") for line in text.splitlines()[1:]]
        kept = [line for line in lines if _is_whole(line, len(self.columns)) and int(line[0]) <= step]
        numbers = ([Digits(cell) for cell in line] for line in kept)
        place_file(self.path, format_table(self.columns, numbers).encode())

    def add(self, step: int, values: Mapping[str, float | None]) -> None:
        """Add a line; a value that is None leaves its cell empty."""
        listed = [values.get(column) for column in self.columns[1:]]
        cells = [step, *(None if value is None else Digits(f"{value:.7g}") for value in listed)]
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write("".join(format_rows([cells])))
        except OSError as error:
            raise cannot_write(self.path, error) from error


def _is_whole(line: Sequence[str], n_columns: int) -> bool:
    """Return whether a line is a step and its numbers: a killed run may have left half of one."""
    try:
        int(line[0])
        numbers = [float(cell) for cell in line if cell]
    except ValueError:
        return False
    return len(line) == n_columns and numbers[0] >= 0


@dataclass(slots=True)
class TensorBoard:
    """The same numbers for TensorBoard, and sample sheets; what cannot be written is an `InputError`.

    They are written in the training process: tensorboardX's own SummaryWriter has a thread for that, which dies of a
    full disk in silence. What an earlier start has written after `step` is hidden by TensorBoard.
    """

    folder: Path
    step: int
    _writer: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Open it."""
        need_extra("a training log", "train", "tensorboardX")
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog

        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._writer = EventsWriter(str(self.folder / "events"))
        if self.step:
            self._write(self.step + 1, session_log=SessionLog(status=SessionLog.START))

    def add(self, kind: str, step: int, values: Mapping[str, float | None]) -> None:
        """Add numbers under a heading."""
        from tensorboardX import summary

        for name, value in values.items():
            if value is not None:
                self._write(step, summary=summary.scalar(f"{kind}/{name}", value))

    def add_picture(self, name: str, step: int, pixels: UInt8[np.ndarray, "h w 3"]) -> None:
        """Add a picture."""
        from tensorboardX import summary

        self._write(step, summary=summary.image(name, pixels, dataformats="HWC"))

    def close(self) -> None:
        """Close the file; all of it is written."""
        with contextlib.suppress(OSError):  # what could not be written has been reported
            self._writer.close()

    def _write(self, step: int, **content: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event

        with self._writing():
            self._writer.write_event(Event(step=step, wall_time=time.time(), **content))
            self._writer.flush()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self.folder, error) from error
