"""Checkpoints: all that is needed to go on exactly, in files that appear whole or not at all; the last two are kept."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from raim.errors import InputError
from raim.files import cannot_write, place_file

FOLDER = "checkpoints"
KEPT = 2
SCHEMA = 1


def checkpoint_path(run: Path, step: int) -> Path:
    """Name the checkpoint after so many steps.

    Example:
        >>> checkpoint_path(Path("run"), 250).name
        'step-00000250.pt'
    """
    return run / FOLDER / f"step-{step:08d}.pt"


def list_checkpoints(run: Path) -> list[Path]:
    """List the checkpoints, the newest first."""
    return sorted((run / FOLDER).glob("step-*.pt"), reverse=True)


def write_checkpoint(run: Path, step: int, state: dict[str, Any]) -> Path:
    """Keep a state; older ones than the last two are removed when it is safe on the disk.

    Raises:
        InputError: It cannot be written; the older ones are still there.
    """
    path = checkpoint_path(run, step)
    content = io.BytesIO()
    torch.save({"schema": SCHEMA, "step": step, **state}, content)
    place_file(path, content.getvalue())
    _wait_for_disk(path)
    for old in list_checkpoints(run)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def _wait_for_disk(path: Path) -> None:
    """Come back when a file would outlast a power cut."""
    try:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error


def read_newest(run: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Read the newest checkpoint that can be read.

    Returns:
        The state, or None if there is none; and a sentence for each damaged file that was passed over.

    Raises:
        InputError: There are checkpoints, and none can be read.
    """
    notes: list[str] = []
    for path, state in _read_all(run):
        if isinstance(state, dict):
            return state, notes
        notes.append(f"{path.name} cannot be read ({state}); the one before it is taken")
    if notes:
        raise InputError(f"no checkpoint in {run / FOLDER} can be read; begin anew with --overwrite")
    return None, notes


def _read_all(run: Path) -> Iterator[tuple[Path, dict[str, Any] | str]]:
    for path in list_checkpoints(run):
        try:
            yield path, _read(path)
        except Exception as error:  # noqa: BLE001 - a damaged file makes unpicklers raise anything
            yield path, f"{type(error).__name__}"


def _read(path: Path) -> dict[str, Any] | str:
    """Give the state, or why it cannot be used."""
    with zipfile.ZipFile(path) as file:
        if file.testzip() is not None:  # torch itself writes these sums and does not look at them
            return "damaged"
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state if isinstance(state, dict) and state.get("schema") == SCHEMA else "another form"
