"""The folder that the demo fills, and what of it may be replaced.

    input/         what teams receive           submissions/   the three entries' zips
    reference/     what they are measured by    scores.json, scores.csv, index.html
    manifest.csv   scenario and size            about.txt      says that the demo made this folder
    challenge.toml, raim.db, jobs.db, files/, uploads/, work/, secret.key   of the server
    report/        the report of the round that is over

`about.txt` is written first: only a folder that carries it is ever replaced.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from raim.errors import InputError

ABOUT = "about.txt"
ABOUT_TEXT = """This folder was made by `raim demo`; `raim demo --overwrite` replaces everything in it.

input/         what the teams of a challenge receive
reference/     what their restorations are measured by
manifest.csv   scenario and size of each image
submissions/   three entries, as teams would send them
scores.json    every result, for programs
scores.csv     every result, for spreadsheets
index.html     the same to look at; opens from disk
challenge.toml the challenge; `raim serve .` in this folder serves it again
raim.db, jobs.db, files/, uploads/, work/, secret.key   the server's
report/        the report of the round that is over, once its entries are scored
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Workplace:
    """The places within the demo's folder."""

    folder: Path

    @property
    def inputs(self) -> Path:
        """Folder of the inputs."""
        return self.folder / "input"

    @property
    def references(self) -> Path:
        """Folder of the references."""
        return self.folder / "reference"

    @property
    def submissions(self) -> Path:
        """Folder of the entries' zips."""
        return self.folder / "submissions"

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.folder / "manifest.csv"

    @property
    def scores_json(self) -> Path:
        """The results for programs."""
        return self.folder / "scores.json"

    @property
    def scores_csv(self) -> Path:
        """The results for spreadsheets."""
        return self.folder / "scores.csv"

    @property
    def page(self) -> Path:
        """The results to look at."""
        return self.folder / "index.html"


def open_workplace(folder: Path, *, data: Path | None = None, overwrite: bool = False) -> Workplace:
    """Make the demo's folder, empty.

    Args:
        folder: New, empty, or with `overwrite` one that an earlier demo made.
        data: The reader's own pairs; they must not lie where they would be replaced.
        overwrite: Whether the content of an earlier demo is removed.

    Raises:
        InputError: If the folder holds anything that must not be lost, or cannot be made.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as parent:
        ...     sorted(path.name for path in open_workplace(Path(parent, "demo")).folder.iterdir())
        ['about.txt', 'input', 'reference', 'submissions']
    """
    if data is not None and data.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"your pairs in {data} lie within {folder}, which the demo fills; name another with --out"
        )
    workplace = Workplace(folder=folder)
    try:
        if folder.exists():
            _empty(folder, overwrite=overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).write_text(ABOUT_TEXT, encoding="utf-8")
        for path in (workplace.inputs, workplace.references, workplace.submissions):
            path.mkdir()
    except OSError as error:
        raise InputError(
            f"cannot make the folder {folder}: {error.strerror}; name another with --out"
        ) from error
    return workplace


def _empty(folder: Path, *, overwrite: bool) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; name a new folder with --out")
    there = sorted(folder.iterdir())
    if not there:
        return
    if not (folder / ABOUT).is_file():
        raise InputError(
            f"{folder} is not empty and was not made by `raim demo` (it holds {there[0].name}); "
            "name a new folder with --out"
        )
    if not overwrite:
        raise InputError(
            f"{folder} holds an earlier demo; add --overwrite to replace it, or name another with --out"
        )
    for path in there:
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
