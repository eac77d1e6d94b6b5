"""Finding pairs of input and reference in the reader's own folders.

A folder that holds `input/` and `reference/` is a set of pairs; they belong together by the stem of their names.
Where such folders lie below the one that is named, each is a scenario and gives it its name.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from raim.data import collision_key, image_stem
from raim.data.names import list_images
from raim.errors import InputError

INPUT = "input"
REFERENCE = "reference"
DEEPEST = 3  # levels below the named folder that are looked through


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoPair:
    """One pair.

    Attributes:
        name: What its files are called in the challenge; unique within it.
        scenario: The name of the folder it lies in; None where the named folder itself holds the pairs.
        input: The degraded file.
        reference: The file it should look like.
    """

    name: str
    scenario: str | None
    input: Path
    reference: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPairs:
    """The pairs of a folder, and what was left out of it and why."""

    pairs: tuple[DemoPair, ...]
    left_out: tuple[str, ...] = ()


def find_demo_pairs(folder: Path) -> FoundPairs:
    """Find the pairs in a folder, or in the scenarios below it.

    Names that two scenarios share get their scenario in front.

    Raises:
        InputError: If there is no such folder or no pair in it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for path in ("denoise/input/0001.jpg", "denoise/reference/0001.png"):
        ...         Path(folder, path).parent.mkdir(parents=True)
        ...         Path(folder, path).touch()
        ...     [(pair.name, pair.scenario) for pair in find_demo_pairs(Path(folder)).pairs]
        [('0001', 'denoise')]
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name one that holds input/ and reference/")
    sets = list(_find_sets(folder, DEEPEST))
    left_out: list[str] = []
    pairs = [
        pair
        for each in sets
        for pair in _join(each, None if each == folder else each.name, left_out, root=folder)
    ]
    if not pairs:
        raise InputError(
            f"there is no pair in {folder}: it must hold input/ and reference/ with files of the same names, "
            "or one folder for each scenario that does"
        )
    return FoundPairs(pairs=tuple(_make_unique(pairs)), left_out=tuple(left_out))


def _find_sets(folder: Path, levels: int) -> Iterator[Path]:
    if (folder / INPUT).is_dir() and (folder / REFERENCE).is_dir():
        yield folder
    elif levels > 0:
        for child in sorted(path for path in folder.iterdir() if path.is_dir()):
            yield from _find_sets(child, levels - 1)


def _join(folder: Path, scenario: str | None, left_out: list[str], *, root: Path) -> Iterator[DemoPair]:
    inputs = _list_images(folder / INPUT, left_out)
    references = _list_images(folder / REFERENCE, left_out)
    where = folder.relative_to(root)
    for stem, path in sorted(references.items()):
        if stem in inputs:
            yield DemoPair(name=stem, scenario=scenario, input=inputs[stem], reference=path)
        else:
            left_out.append(f"{where / REFERENCE / path.name}: there is no input of this name")
    left_out += [
        f"{where / INPUT / path.name}: there is no reference of this name"
        for stem, path in sorted(inputs.items())
        if stem not in references
    ]


def _list_images(folder: Path, left_out: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in list_images(folder):
        stem = image_stem(path.name)
        if stem in found:
            left_out.append(f"{folder.name}/{path.name}: {found[stem].name} has the same name")
        else:
            found[stem] = path
    return found


def _make_unique(pairs: list[DemoPair]) -> Iterator[DemoPair]:
    shared = Counter(collision_key(pair.name) for pair in pairs)
    taken: set[str] = set()
    for pair in pairs:
        name = pair.name
        if shared[collision_key(name)] > 1:
            name = f"{pair.scenario}_{pair.name}" if pair.scenario else pair.name
        numbered, number = name, 2
        while collision_key(numbered) in taken:
            numbered, number = f"{name}_{number}", number + 1
        taken.add(collision_key(numbered))
        yield DemoPair(name=numbered, scenario=pair.scenario, input=pair.input, reference=pair.reference)
