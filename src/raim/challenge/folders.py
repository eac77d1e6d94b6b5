"""The files of a data set: inputs, references and manifest are looked at together.

Only headers of images are read, and their bytes where hashes are asked for; nothing is decoded. The manifest is read
by a function that the caller passes (`raim.data.read_manifest`): a neighbour of this package.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from raim.challenge.consistency import ProfileLike
from raim.challenge.data_set import DataImage, DataSet, DataSetPart
from raim.challenge.problem import Problem
from raim.errors import ImageError, ManifestError
from raim.files import hash_file
from raim.images import ImageInfo, inspect_image
from raim.images.writing import SUFFIXES
from raim.tables import match_names, say_none_known

# What `raim score` refuses in a reference and `raim check` in a submission, because it changes pixels silently.
UNUSABLE_MODES = ("palette", "cmyk")


@runtime_checkable
class ImageRow(Protocol):
    """What is asked of a row of a manifest; `raim.data.ManifestRow` is one."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as in raim.data
    @property
    def scenario(self) -> str | None: ...  # noqa: D102
    @property
    def width(self) -> int | None: ...  # noqa: D102
    @property
    def height(self) -> int | None: ...  # noqa: D102
    @property
    def input_sha256(self) -> str | None: ...  # noqa: D102
    @property
    def reference_sha256(self) -> str | None: ...  # noqa: D102


@runtime_checkable
class Rows(Protocol):
    """What is asked of a manifest; `raim.data.Manifest` is one."""

    @property
    def rows(self) -> Sequence[ImageRow]:
        """One for each image."""

    @property
    def notes(self) -> Sequence[str]:
        """What to know of how it was read."""

    @property
    def lines(self) -> Mapping[tuple[str, str], int]:
        """Line of each (name, role); a name's first line is under the role "" too."""


ReadManifest = Callable[[Path], Rows]


@dataclass(frozen=True, kw_only=True, slots=True)
class LookedAt:
    """A data set with its images, and what was found.

    Attributes:
        data_set: Its images are those whose files could be used.
        found: Problems and notes.
    """

    data_set: DataSet
    found: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listed:
    """The manifest, as far as it could be read."""

    rows: Mapping[str, ImageRow]
    lines: Mapping[tuple[str, str], int]
    file: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Files:
    """The files of one image."""

    stem: str
    parts: Mapping[DataSetPart, Path]


def look_at(
    data_set: DataSet,
    read_manifest: ReadManifest,
    *,
    profile: ProfileLike | None = None,
    check_hashes: bool = True,
    on_image: Callable[[int], None] = lambda _n_files: None,
) -> LookedAt:
    """Read manifest and headers of a data set, and list everything that is wrong.

    Args:
        data_set: Without images.
        read_manifest: Raises ManifestError for a malformed one.
        profile: By which images with a reference are scored.
        check_hashes: Whether the files are read and hashed; else the manifest's hashes are taken as they are.
        on_image: Called after each image with the number of its files.
    """
    found: list[Problem] = []
    listed = _read_rows(data_set, read_manifest, found)
    inputs = _list_folder(data_set.input_folder, "input", data_set, found)
    listed = _name_alike(listed, inputs, found)
    references = None
    if data_set.reference_folder is not None:
        references = _list_folder(data_set.reference_folder, "reference", data_set, found)
        found += _unmatched(inputs, references)
    found += _unlisted(inputs, listed, data_set)
    images: list[DataImage] = []
    for files in _match(inputs, references):
        own = _look_at_image(files, listed, found, check_hashes=check_hashes)
        found += [note for image in own if (note := _find_too_small(image, profile, listed))]
        images += own
        on_image(len(files.parts))
    return LookedAt(data_set=replace(data_set, images=tuple(images)), found=tuple(found))


def _match(inputs: Mapping[str, Path], references: Mapping[str, Path] | None) -> Iterator[_Files]:
    for stem, path in inputs.items():
        if references is None:
            yield _Files(stem=stem, parts={"input": path})
        elif stem in references:
            yield _Files(stem=stem, parts={"input": path, "reference": references[stem]})


def _read_rows(data_set: DataSet, read_manifest: ReadManifest, found: list[Problem]) -> _Listed:
    path = data_set.manifest_file
    nothing = _Listed(rows={}, lines={}, file=str(path))
    if path is None:
        return nothing
    if not _is_file(path):
        way_out = 'write one, or set manifest = "" for none'
        found.append(
            Problem(file=str(path), message=f"the manifest of {data_set.id!r} is not there; {way_out}")
        )
        return nothing
    try:
        manifest = read_manifest(path)
    except ManifestError as error:
        whole = [(None, str(error))]
        found += [Problem(file=str(path), line=line, message=text) for line, text in error.problems or whole]
        return nothing
    found += [Problem(file=str(path), message=text, severity="note") for text in manifest.notes]
    return _Listed(rows={row.name: row for row in manifest.rows}, lines=manifest.lines, file=str(path))


def _name_alike(listed: _Listed, stems: Collection[str], found: list[Problem]) -> _Listed:
    """Return the manifest with the names that images have."""
    match = match_names(listed.rows, stems)
    if match.note:
        found.append(Problem(file=listed.file, message=match.note, severity="note"))
    if listed.rows and stems and not match.names:
        found.append(Problem(file=listed.file, message=say_none_known(match.unknown, stems)))
        return replace(listed, rows={})
    return replace(
        listed,
        rows={match.names.get(name, name): row for name, row in listed.rows.items()},
        lines={(match.names.get(name, name), role): line for (name, role), line in listed.lines.items()},
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def _list_folder(
    folder: Path, part: DataSetPart, data_set: DataSet, found: list[Problem]
) -> Mapping[str, Path]:
    """Return the images of a folder by their stem in NFC, in the order of names."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        why = (
            "is not there; make it" if is_missing else f"cannot be read ({error.strerror}); make it readable"
        )
        message = f"the folder of {part}s of {data_set.id!r} {why}, or correct the path in its table"
        found.append(Problem(file=str(folder), message=message))
        return {}
    images = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not images:
        found.append(Problem(file=str(folder), message=f"there is no {part} yet", severity="note"))
    by_stem: dict[str, Path] = {}
    taken: dict[str, Path] = {}
    for path in images:
        stem = unicodedata.normalize("NFC", path.stem)
        other = taken.setdefault(stem.casefold(), path)
        if other is not path:
            message = (
                f"its name is that of {other.name} but for suffix or case; an image has one file: remove one"
            )
            found.append(Problem(file=str(path), message=message))
        else:
            by_stem[stem] = path
    return by_stem


def _unmatched(inputs: Mapping[str, Path], references: Mapping[str, Path]) -> Iterator[Problem]:
    for stem, path in inputs.items():
        if stem not in references:
            yield Problem(file=str(path), message=f"the input {stem!r} has no reference")
    for stem, path in references.items():
        if stem not in inputs:
            yield Problem(file=str(path), message=f"the reference {stem!r} has no input")


def _unlisted(inputs: Mapping[str, Path], listed: _Listed, data_set: DataSet) -> Iterator[Problem]:
    for name in listed.rows:
        if name not in inputs:
            message = (
                f"there is no input {name!r} in {data_set.input_folder}; remove the row, or add the file"
            )
            yield Problem(file=listed.file, line=listed.lines.get((name, "")), message=message)
    if listed.rows:
        for name, path in inputs.items():
            if name not in listed.rows:
                message = f"the manifest does not name {name!r}, so it has no scenario"
                yield Problem(file=str(path), message=message, severity="note")


def _look_at_image(
    image: _Files, listed: _Listed, found: list[Problem], *, check_hashes: bool
) -> list[DataImage]:
    """Return the image; none if its headers cannot be read."""
    row = listed.rows.get(image.stem)
    infos = {part: _inspect(path, found) for part, path in image.parts.items()}
    source, target = infos["input"], infos.get("reference")
    if source is None or ("reference" in infos and target is None):
        return []
    stated = (row.width, row.height) if row else (None, None)
    width, height = stated[0] or source.width, stated[1] or source.height
    if target is not None and (target.width, target.height) != (width, height):
        found.append(_wrong_size(image, target, (width, height), is_stated=stated[0] is not None))
    hashes = {"input": row.input_sha256, "reference": row.reference_sha256} if row else {}
    if check_hashes:
        hashes = {part: _hash(image, part, hashes.get(part), listed, found) for part in image.parts}
    return [
        DataImage(
            name=image.stem,
            scenario=row.scenario if row else None,
            width=width,
            height=height,
            input_file=image.parts["input"],
            reference_file=image.parts.get("reference"),
            input_sha256=hashes.get("input"),
            reference_sha256=hashes.get("reference"),
        )
    ]


def _find_too_small(image: DataImage, profile: ProfileLike | None, listed: _Listed) -> Problem | None:
    """Find whether an image can never have a SCORE."""
    if profile is None or image.reference_file is None:
        return None
    why = profile.why_too_small(image.width, image.height)
    if why is None:
        return None
    message = f"{image.name!r} can never have a SCORE: {why}; use a larger one, or another profile"
    line = listed.lines.get((image.name, ""))
    file = str(image.reference_file) if line is None else listed.file
    return Problem(file=file, line=line, message=message, severity="note")


def _inspect(path: Path, found: list[Problem]) -> ImageInfo | None:
    try:
        info = inspect_image(path)
    except ImageError as error:
        found.append(Problem(file=str(path), message=str(error).removeprefix(f"{path}: ")))
        return None
    if info.mode in UNUSABLE_MODES:
        found.append(Problem(file=str(path), message=f"its mode is {info.mode}; save it as RGB or grey"))
    if info.has_icc:
        message = "it has a colour profile other than sRGB; convert it to sRGB, so that everybody sees the same pixels"
        found.append(Problem(file=str(path), message=message))
    if info.orientation != 1:
        message = f"it has the EXIF orientation {info.orientation}; rotate its pixels and remove the entry"
        found.append(Problem(file=str(path), message=message))
    return info


def _wrong_size(image: _Files, target: ImageInfo, size: tuple[int, int], *, is_stated: bool) -> Problem:
    here, expected = f"{target.width}x{target.height}", f"{size[0]}x{size[1]}"
    message = (
        f"the reference is {here}, the manifest states {expected}; they must be the same"
        if is_stated
        else f"the reference is {here}, its input {expected}; if that is meant, state the size in the manifest"
    )
    return Problem(file=str(image.parts["reference"]), message=message)


def _hash(
    image: _Files, part: DataSetPart, stated: str | None, listed: _Listed, found: list[Problem]
) -> str | None:
    path = image.parts[part]
    try:
        actual = hash_file(path)
    except OSError as error:
        found.append(Problem(file=str(path), message=f"it cannot be read: {error.strerror}"))
        return None
    if stated is not None and stated != actual:
        message = f"the {part} {path.name} has the SHA-256 {actual}, not {stated}; it was changed or replaced"
        line = listed.lines.get((image.stem, part)) or listed.lines.get((image.stem, ""))
        found.append(Problem(file=listed.file, line=line, message=message))
    return actual
