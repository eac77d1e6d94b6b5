"""The folder of captures: one sub-folder for each scene, and which of its pictures plays which role.

Without a table the names of files say the role: in each scene exactly one picture whose stem begins with `input`,
the others are references (for a pair of two: one begins with `reference`). In a burst without such names the first
by name is the input.

With `captures.csv` beside the sub-folders, a row for each picture says it:

| column | meaning |
|---|---|
| `scene` | the sub-folder |
| `file` | the picture's name in it |
| `role` | `input` or `reference` |
| `mode` | optional: the scene's mode, where it is not that of the command |

A scene that cannot be used is refused alone. What is wrong with the table, the modes or the names of scenes is listed
at once, before anything is aligned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from raim.data.alignment.modes import Mode, find_mode
from raim.data.alignment.pairs import Refused
from raim.data.names import find_collisions, list_images
from raim.errors import ImageError, InputError, UnknownNameError
from raim.images import inspect_image
from raim.tables import Problems, Row, match_names, read_rows

TABLE = "captures.csv"
COLUMNS = ("scene", "file", "role")
INPUT, REFERENCE = "input", "reference"
SMALLEST_PX = 96  # of a side: less has no room for features and tiles


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """The pictures of one scene.

    Attributes:
        name: Its sub-folder's name.
        mode: What kind of captures they are.
        input: The picture whose pixels are kept.
        references: One; of a burst all other shots.
    """

    name: str
    mode: Mode
    input: Path
    references: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listed:
    """What is known of a scene before it is checked."""

    name: str
    mode: str | None
    inputs: tuple[Path, ...]
    references: tuple[Path, ...]


def list_scenes(captures: Path, mode: str | None) -> tuple[Scene | Refused, ...]:
    """Return the scenes of a folder, checked but not read.

    Args:
        captures: The folder.
        mode: Of scenes for which captures.csv says none; None: it must say all.

    Returns:
        By name, with the reasons of those that cannot be used.

    Raises:
        UnknownNameError: There is no such mode.
        InputError: There is no such folder, no scene can be used, or the table, modes or names of scenes are not as
            stated; every problem is listed.
    """
    if mode is not None:
        find_mode(mode)
    if not captures.is_dir():
        raise InputError(f"{captures} is no folder; expected one with a sub-folder for each scene")
    problems = Problems()
    if (captures / TABLE).is_file():
        listed = _read_table(captures, problems)
    else:
        listed = [_sort_by_name(folder, mode) for folder in sorted(captures.iterdir()) if _is_scene(folder)]
    if not listed and not problems.found:
        problems.found.append("there is no sub-folder; expected one for each scene, with its pictures")
    scenes = [_check(each, mode, problems) for each in listed]
    problems.found += [
        f"the scenes {other.name!r} and {scene.name!r} differ only in case or Unicode form; rename one"
        for scene, other in find_collisions(scenes, lambda scene: scene.name)
        if scene.name != other.name
    ]
    refused = [each for each in scenes if isinstance(each, Refused)]
    if problems.found or len(refused) == len(scenes):
        problems.found += [f"{each.name}: {each.reason}" for each in refused if each.reason]
    problems.stop(captures)
    return tuple(scenes)


def _is_scene(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _sort_by_name(folder: Path, mode: str | None) -> _Listed:
    images = list_images(folder)
    inputs = [path for path in images if path.stem.lower().startswith(INPUT)]
    if not inputs and mode == "burst":
        inputs = images[:1]
    references = [path for path in images if path not in inputs]
    return _Listed(name=folder.name, mode=None, inputs=tuple(inputs), references=tuple(references))


def _read_table(captures: Path, problems: Problems) -> list[_Listed]:
    rows = read_rows(captures, TABLE, COLUMNS, problems, known=["mode"])
    if not rows and not problems.found:
        problems.found.append(f"{TABLE} has no rows; expected one for each picture")
    return [] if problems.found else list(_group_rows(captures, rows, problems))


def _group_rows(captures: Path, rows: Sequence[Row], problems: Problems) -> Iterator[_Listed]:
    for row in rows:
        scene, role = row.cells["scene"], row.cells["role"]
        if role.lower() not in {INPUT, REFERENCE}:
            problems.add(row.where, f"the role is {role!r}; expected {INPUT} or {REFERENCE}")
        if not _is_sub_folder(scene) or any(mark in row.cells["file"] for mark in "/\\"):
            problems.add(row.where, "name the sub-folder and a file in it, without slashes")
    names = sorted({row.cells["scene"] for row in rows if _is_sub_folder(row.cells["scene"])})
    folders = match_names(names, _list_names(captures)).names
    for name in names:
        own = [row.cells for row in rows if row.cells["scene"] == name]
        modes = {cells.get("mode", "") for cells in own} - {""}
        if len(modes) > 1:
            problems.add(TABLE, f"the scene {name!r} has the modes {', '.join(sorted(modes))}; state one")
        folder = captures / folders.get(name, name)
        files = match_names([cells["file"] for cells in own], _list_names(folder)).names
        inputs, references = (
            tuple(
                folder / files.get(cells["file"], cells["file"])
                for cells in own
                if cells["role"].lower() == role
            )
            for role in (INPUT, REFERENCE)
        )
        yield _Listed(name=folder.name, mode=min(modes, default=None), inputs=inputs, references=references)


def _list_names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []
    except OSError:  # such as a name that is too long; its picture says so
        return []


def _is_sub_folder(name: str) -> bool:
    return name not in {"", ".", ".."} and not {"/", "\\"} & set(name)


def _check(listed: _Listed, default: str | None, problems: Problems) -> Scene | Refused:
    """Check the pictures of a scene; what is wrong with its mode or rows is added to the problems."""
    found: list[str] = []
    mode = _choose_mode(listed, default, problems)
    if len(listed.inputs) != 1:
        found.append(
            f"has {len(listed.inputs)} inputs; expected one, by a name that begins with 'input' or by {TABLE}"
        )
    if mode is not None:
        _check_references(listed, mode, found)
    pictures = listed.inputs + listed.references
    twice = sorted({path.name for path in pictures if pictures.count(path) > 1})
    for name in twice:
        problems.add(listed.name, f"{name} is named more than once; a picture has one role, in one row")
    for path in dict.fromkeys(pictures):
        found.extend(f"{path.name} {fault}" for fault in _list_faults(path))
    if found or mode is None:
        return Refused(scene=listed.name, name=listed.name, reason="; ".join(found))
    return Scene(name=listed.name, mode=mode, input=listed.inputs[0], references=listed.references)


def _choose_mode(listed: _Listed, default: str | None, problems: Problems) -> Mode | None:
    name = listed.mode or default
    if name is None:
        problems.add(listed.name, f"no mode is stated; give --mode, or a column 'mode' in {TABLE}")
        return None
    try:
        return find_mode(name)
    except UnknownNameError as error:
        problems.add(listed.name, str(error))
        return None


def _check_references(listed: _Listed, mode: Mode, found: list[str]) -> None:
    n_references = len(listed.references)
    if n_references < mode.n_references:
        found.append(
            f"has {n_references} pictures besides the input; mode {mode.name} needs {mode.n_references}"
        )
    elif mode.n_references == 1 and n_references > 1:
        found.append(
            f"has {n_references} references; mode {mode.name} takes one, a scene for each pair (burst averages many)"
        )


def _list_faults(path: Path) -> Iterator[str]:
    try:
        info = inspect_image(path)
    except (ImageError, OSError) as error:
        yield f"cannot be used: {error}"
        return
    if info.has_icc:
        yield "has a colour profile other than sRGB; convert its pixels to sRGB first"
    if min(info.width, info.height) < SMALLEST_PX:
        yield f"is {info.width}x{info.height}; both sides must have at least {SMALLEST_PX} px"
