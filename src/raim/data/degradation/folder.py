"""The folder that pairs are written to: what may lie in it, what an interrupted run has left, what is removed.

While a run goes on, `unfinished.jsonl` has one line for each pair that is done; the manifest takes its place at the
end. Nothing is deleted that `raim degrade` has not written itself.
"""

import dataclasses
import json
from collections.abc import Collection, Iterator
from pathlib import Path

from raim.data.degradation.making import INPUT, REFERENCE, MadeFiles
from raim.errors import InputError
from raim.tables import read_table

MANIFEST = "manifest.csv"
SHEET = "sheet.html"
JOURNAL = "unfinished.jsonl"
OWN_COLUMN = "raim_version"  # no other program's manifest has it


def prepare_folder(out: Path, names: Collection[str], *, overwrite: bool) -> dict[str, MadeFiles]:
    """Make the folder ready: new, empty, of an interrupted run that is taken up, or emptied of an earlier one.

    Args:
        out: The folder.
        names: Of the pairs that will be written.
        overwrite: Whether an earlier run's pairs are removed.

    Returns:
        What an interrupted run has made, by name.

    Raises:
        InputError: The folder holds something else, or cannot be made.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the pairs")
    try:
        return _prepare(out, names, overwrite=overwrite)
    except OSError as error:
        raise InputError(f"{out} cannot be used: {error.strerror}; name another folder") from error


def remove_parts(out: Path) -> None:
    """Remove what a writer that was stopped has left of single files."""
    for folder in (out / INPUT, out / REFERENCE):
        for part in folder.glob(".*.png.*-*.part"):
            part.unlink(missing_ok=True)


def note_done(out: Path, files: MadeFiles) -> None:
    """Write down that a pair is done.

    Raises:
        InputError: That cannot be written.
    """
    try:
        with (out / JOURNAL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(files)) + "\n")
    except OSError as error:
        raise InputError(f"cannot write {out / JOURNAL}: {error.strerror}; free some space") from error


def _prepare(out: Path, names: Collection[str], *, overwrite: bool) -> dict[str, MadeFiles]:
    if (out / JOURNAL).is_file():
        remove_parts(out)
    known = {files.name: files for files in _read_journal(out / JOURNAL)}
    others = sorted(set(known) - set(names))
    is_taken_up = (out / JOURNAL).is_file() and not others
    if _list_content(out) and not (is_taken_up or overwrite):
        state = f"holds pairs of another, interrupted run ({others[0]}, ...)" if others else "is not empty"
        raise InputError(
            f"{out} {state}; name a new folder, or replace what raim degrade has written there with --overwrite"
        )
    if overwrite and not is_taken_up:
        _remove_earlier(out)
        known = {}
    for folder in (INPUT, REFERENCE):
        (out / folder).mkdir(parents=True, exist_ok=True)
    (out / JOURNAL).touch()
    return known


def _list_content(out: Path) -> list[Path]:
    """List the files in the folder, and what is in its two folders; empty folders do not count."""
    return sorted(path for path in out.rglob("*") if not path.is_dir()) if out.is_dir() else []


def _remove_earlier(out: Path) -> None:
    content = _list_content(out)
    foreign = [path for path in content if not _is_own(path.relative_to(out))]
    if content and not foreign and not _has_own_manifest(out):
        foreign = content
    if foreign:
        raise InputError(
            f"{out} holds {len(foreign)} files that raim degrade has not written, such as "
            f"{foreign[0].relative_to(out)}; move them or name another folder"
        )
    for path in content:
        path.unlink()


def _is_own(path: Path) -> bool:
    if len(path.parts) == 1:
        return path.name in {MANIFEST, SHEET, JOURNAL}
    return len(path.parts) == 2 and path.parts[0] in {INPUT, REFERENCE} and path.suffix == ".png"


def _has_own_manifest(out: Path) -> bool:
    if (out / JOURNAL).is_file():
        return True
    if not (out / MANIFEST).is_file():
        return False
    try:
        return OWN_COLUMN in read_table(out / MANIFEST).columns
    except InputError:
        return False


def _read_journal(path: Path) -> Iterator[MadeFiles]:
    """Read the lines that are whole; the last one may have been cut off."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield MadeFiles(**json.loads(line))
        except (ValueError, TypeError):
            continue
