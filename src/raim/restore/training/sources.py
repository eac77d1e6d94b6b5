"""The files that training reads: found and looked at before it begins, read and kept while it runs."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Shaped

from raim.data.names import image_stem, list_images
from raim.data.scikit_image import find_photograph_folder
from raim.errors import ImageError, InputError, MissingExtraError
from raim.images import ImageInfo, inspect_image, read_image
from raim.restore.training.recipe import Source

USABLE = 255  # in the masks of `raim align`
# The clean photographs in scikit-image's wheel: five in colour, four grey ones of textures and a person.
SCIKIT_FILES = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "grass.png",
    "gravel.png",
    "motorcycle_left.png",
    "rocket.jpg",
)
PARTS = ("input", "reference", "mask")  # of a folder of pairs
KEPT_BYTES = 2**30  # of decoded photographs in one process
Kept = TypeVar("Kept")
Key = tuple[Path, int]  # a file, how much smaller


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanFile:
    """A clean photograph: its file and its size after it was made smaller."""

    path: Path
    height: int
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PairFiles:
    """An input with its reference, and a mask of the input's size where there is one.

    Attributes:
        name: Stem of all of them.
        degraded: The input.
        reference: `scale` times as large.
        mask: As `raim align` makes it; None: all pixels may be used.
        height: Of the input.
        width: Of the input.
        scale: Of the model.
    """

    name: str
    degraded: Path
    reference: Path
    mask: Path | None
    height: int
    width: int
    scale: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPair:
    """The pixels of a pair, and which of them may be used; None: all."""

    degraded: Shaped[np.ndarray, "_h _w 3"]
    reference: Shaped[np.ndarray, "_H _W 3"]
    is_usable: Bool[np.ndarray, "_h _w"] | None


@dataclass(slots=True)
class Shelf:
    """Keeps what was read last, up to a number of bytes.

    Attributes:
        most_bytes: Of pixels.
        kept: By key, the one used last at the end.
        n_bytes: Of what is kept.
    """

    most_bytes: int = KEPT_BYTES
    kept: "OrderedDict[Key, tuple[object, int]]" = field(default_factory=OrderedDict)
    n_bytes: int = 0

    def read_clean(self, file: CleanFile, shrink: int) -> Shaped[np.ndarray, "_h _w *_c"]:
        """Give a clean photograph, made smaller."""
        return self._get(
            (file.path, shrink), lambda: _shrink(_read(file.path), shrink), lambda image: image.nbytes
        )

    def read_pair(self, file: PairFiles) -> ReadPair:
        """Give a pair."""
        return self._get(
            (file.degraded, 0),
            lambda: _read_pair(file),
            lambda pair: pair.degraded.nbytes + pair.reference.nbytes,
        )

    def _get(self, key: "Key", read: Callable[[], Kept], measure: Callable[[Kept], int]) -> Kept:
        if key in self.kept:
            self.kept.move_to_end(key)
            found: Kept = self.kept[key][0]  # type: ignore[assignment] # a key has one kind of content
            return found
        found = read()
        self.kept[key] = (found, measure(found))
        self.n_bytes += measure(found)
        while self.n_bytes > self.most_bytes and len(self.kept) > 1:
            self.n_bytes -= self.kept.popitem(last=False)[1][1]
        return found


def find_clean(source: Source, least_px: int) -> tuple[CleanFile, ...]:
    """List the clean photographs of a source.

    Args:
        source: With photographs.
        least_px: Sides that are shorter are refused.

    Raises:
        InputError: There are none, or some cannot be used.
        MissingExtraError: scikit-image's were asked for and it is not installed.
    """
    if source.photographs is None:
        raise InputError("this source has no photographs")
    is_scikit = not isinstance(source.photographs, Path)
    folder = source.photographs if isinstance(source.photographs, Path) else find_scikit_image()
    paths = _choose(_list(folder, SCIKIT_FILES if is_scikit else None), source, folder)
    problems: list[str] = []
    found = []
    for path in paths:
        info = _inspect(path, problems)
        if info is None:
            continue
        height, width = (side // source.shrink for side in info.upright_size)
        if min(height, width) < least_px:
            problems.append(f"{path.name} is {width}x{height}, smaller than a patch of {least_px} px")
        found.append(CleanFile(path=path, height=height, width=width))
    _refuse(problems, folder)
    return tuple(found)


def find_pairs(source: Source, least_px: int, *, scale: int = 1) -> tuple[PairFiles, ...]:
    """List the pairs of a source, whose references are `scale` times as large; else as `find_clean`."""
    folder = source.pairs
    if folder is None:
        raise InputError("this source has no pairs")
    problems: list[str] = []
    inputs, references, masks = (
        _by_stem(_list(folder / name, None) if (folder / name).is_dir() else [], problems) for name in PARTS
    )
    if not inputs:
        raise InputError(
            f"there is no image in {folder / 'input'}; pairs lie in input/ and reference/ by name"
        )
    problems += [f"{path.name} has no reference" for stem, path in inputs.items() if stem not in references]
    problems += [
        f"the reference {path.name} has no input" for stem, path in references.items() if stem not in inputs
    ]
    _refuse(problems, folder)
    found = []
    for path in _choose(list(inputs.values()), source, folder):
        stem = image_stem(path.name)
        pair = _inspect_pair(
            stem, path, references[stem], masks.get(stem), problems, least_px=least_px, scale=scale
        )
        found += [pair] if pair else []
    _refuse(problems, folder)
    return tuple(found)


def find_scikit_image() -> Path:
    """Give the folder of scikit-image's photographs.

    Raises:
        MissingExtraError: It is not installed.
    """
    folder = find_photograph_folder()
    if folder is None:
        raise MissingExtraError(
            "this recipe trains on scikit-image's photographs; install it with: pip install 'raim[train]', or name a "
            "folder of your own in its [[data]]"
        )
    return folder


def _list(folder: Path, names: Sequence[str] | None) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name a folder of PNG, JPEG, TIFF or WebP files")
    if names is not None:
        return [folder / name for name in names]
    return list_images(folder)


def _by_stem(paths: Iterable[Path], problems: list[str]) -> dict[str, Path]:
    """Give files by their stems; two of one stem are a problem."""
    found: dict[str, Path] = {}
    for path in paths:
        other = found.setdefault(image_stem(path.name), path)
        if other != path:
            where = f"{path.parent.name}/" if path.parent.name in PARTS else ""
            problems.append(f"{where}{other.name} and {path.name} have one name; remove one of them")
    return found


def _choose(paths: Iterable[Path], source: Source, folder: Path) -> list[Path]:
    """Leave what `only` and `leave_out` say; a name that fits nothing is a mistake."""
    problems: list[str] = []
    by_stem = _by_stem(paths, problems)
    _refuse(problems, folder)
    unknown = [name for name in (*source.only, *source.leave_out) if name not in by_stem]
    if unknown:
        raise InputError(
            f"there is no {', '.join(unknown)} in {folder}; `only` and `leave_out` take names without suffix"
        )
    chosen = [
        path
        for stem, path in by_stem.items()
        if (not source.only or stem in source.only) and stem not in source.leave_out
    ]
    if not chosen:
        raise InputError(
            f"there is no photograph in {folder}; name a folder of PNG, JPEG, TIFF or WebP files"
        )
    return chosen


def _inspect(path: Path, problems: list[str]) -> ImageInfo | None:
    try:
        info = inspect_image(path)
    except ImageError as error:
        problems.append(str(error))
        return None
    if info.mode in {"palette", "cmyk"}:
        problems.append(f"{path.name}: its mode is {info.mode}; convert it to RGB")
    return info


def _inspect_pair(
    stem: str,
    degraded: Path,
    reference: Path,
    mask: Path | None,
    problems: list[str],
    *,
    least_px: int,
    scale: int,
) -> PairFiles | None:
    infos = [_inspect(path, problems) for path in (degraded, reference)]
    if infos[0] is None or infos[1] is None:
        return None
    height, width = infos[0].upright_size
    other = infos[1].upright_size
    if other != (height * scale, width * scale):
        problems.append(
            f"{degraded.name} is {width}x{height}, its reference {other[1]}x{other[0]}; this model needs references "
            f"of {width * scale}x{height * scale}"
        )
    if min(height, width) < least_px:
        problems.append(f"{degraded.name} is {width}x{height}, smaller than a patch of {least_px} px")
    if mask is not None:
        _inspect_mask(mask, (height, width), problems)
    return PairFiles(
        name=stem, degraded=degraded, reference=reference, mask=mask, height=height, width=width, scale=scale
    )


def _inspect_mask(mask: Path, size: tuple[int, int], problems: list[str]) -> None:
    info = _inspect(mask, problems)
    if info is not None and (info.mode != "grey" or info.upright_size != size):
        height, width = info.upright_size
        problems.append(
            f"mask/{mask.name} is {info.mode} of {width}x{height}; expected grey of {size[1]}x{size[0]}, as its input"
        )


def _read(path: Path) -> np.ndarray:
    return read_image(path, purpose="restore").pixels


def _read_colour(path: Path) -> np.ndarray:
    pixels = _read(path)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _read_pair(file: PairFiles) -> ReadPair:
    degraded, reference = _read_colour(file.degraded), _read_colour(file.reference)
    expected = (file.height, file.width)
    if degraded.shape[:2] != expected or reference.shape[:2] != tuple(side * file.scale for side in expected):
        raise InputError(f"the pair {file.name} has another size than when training began; begin anew")
    usable = None if file.mask is None else _read(file.mask) == USABLE
    if usable is not None and usable.shape != expected:
        raise InputError(f"the mask of {file.name} has another size than when training began; begin anew")
    if usable is not None and not usable.any():
        raise InputError(
            f"the mask of {file.name} leaves no pixel to learn from (none is {USABLE}); leave the pair out"
        )
    return ReadPair(degraded=degraded, reference=reference, is_usable=usable)


def _shrink(image: np.ndarray, factor: int) -> np.ndarray:
    """Average squares of pixels."""
    if factor == 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    squares = image[: height * factor, : width * factor].reshape(
        height, factor, width, factor, *image.shape[2:]
    )
    return np.rint(squares.mean(axis=(1, 3))).astype(image.dtype)


def _refuse(problems: Sequence[str], folder: Path) -> None:
    if len(problems) == 1:
        raise InputError(f"in {folder}: {problems[0]}")
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise InputError(f"{len(problems)} files in {folder} cannot be used:\n{listed}")
