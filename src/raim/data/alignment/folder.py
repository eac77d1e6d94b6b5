"""The folder that pairs are written to: what may lie in it, what an interrupted run has left, what is removed.

While a run goes on, `unfinished.jsonl` has one line for each scene that is done; the manifest takes its place at
the end. Nothing is deleted that `raim align` has not written itself.
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from raim.data.alignment.pairs import FOLDERS, MadePair, MadeScene, Refused
from raim.data.alignment.table import OWN_COLUMN
from raim.errors import InputError
from raim.files import cannot_write
from raim.tables import read_table

MANIFEST = "manifest.csv"
SHEET = "sheet.html"
JOURNAL = "unfinished.jsonl"


def prepare_folder(out: Path, *, overwrite: bool) -> dict[str, MadeScene]:
    """Make the folder ready: new, empty, of an interrupted run that is taken up, or emptied of an earlier one.

    Returns:
        What an interrupted run has made, by scene.

    Raises:
        InputError: The folder holds something else, or cannot be made.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the pairs")
    try:
        return _prepare(out, overwrite=overwrite)
    except OSError as error:
        raise InputError(f"{out} cannot be used: {error.strerror}; name another folder") from error


def note_done(out: Path, scene: MadeScene) -> None:
    """Write down that a scene is done.

    Raises:
        InputError: That cannot be written.
    """
    try:
        with (out / JOURNAL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(scene)) + "\n")
    except OSError as error:
        raise cannot_write(out / JOURNAL, error) from error


def remove_others(out: Path, names: frozenset[str]) -> None:
    """Remove pairs that an interrupted run with other options has left, and parts of files."""
    for folder in FOLDERS:
        for path in (out / folder).iterdir():
            if path.suffix == ".part" or (path.suffix == ".png" and path.stem not in names):
                path.unlink(missing_ok=True)


def _prepare(out: Path, *, overwrite: bool) -> dict[str, MadeScene]:
    is_taken_up = (out / JOURNAL).is_file()
    content = [path for path in out.rglob("*") if not path.is_dir()] if out.is_dir() else []
    if content and not is_taken_up:
        if not overwrite:
            raise InputError(
                f"{out} is not empty; name a new folder, or replace what raim align has written there with --overwrite"
            )
        _remove_earlier(out, content)
    known = {scene.name: scene for scene in _read_journal(out / JOURNAL)}
    for folder in FOLDERS:
        (out / folder).mkdir(parents=True, exist_ok=True)
    (out / JOURNAL).touch()
    return known


def _remove_earlier(out: Path, content: list[Path]) -> None:
    foreign = sorted(path for path in content if not _is_own(path.relative_to(out)))
    if not foreign and not _has_own_manifest(out):
        foreign = sorted(content)
    if foreign:
        raise InputError(
            f"{out} holds {len(foreign)} files that raim align has not written, such as "
            f"{foreign[0].relative_to(out)}; move them or name another folder"
        )
    for path in content:
        path.unlink()


def _is_own(path: Path) -> bool:
    if len(path.parts) == 1:
        return path.name in {MANIFEST, SHEET}
    return len(path.parts) == 2 and path.parts[0] in FOLDERS and path.suffix == ".png"


def _has_own_manifest(out: Path) -> bool:
    if not (out / MANIFEST).is_file():
        return False
    try:
        return OWN_COLUMN in read_table(out / MANIFEST).columns
    except InputError:
        return False


def _read_journal(path: Path) -> Iterator[MadeScene]:
    """Read the lines that are whole; the last one may have been cut off."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values = json.loads(line)
            yield MadeScene(
                name=values["name"],
                fingerprint=values["fingerprint"],
                pairs=tuple(MadePair(**each) for each in values["pairs"]),
                refused=tuple(Refused(**each) for each in values["refused"]),
            )
        except (ValueError, TypeError, KeyError):
            continue
