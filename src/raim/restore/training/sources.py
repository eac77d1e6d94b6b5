"""The files that training reads: found and looked at before it begins, read and kept while it runs."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanFile:
    """A clean photograph: its file and its size after it was made smaller."""

    path: Path
    height: int
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PairFiles:
    """An input and its size, its reference of `scale` times that, and a mask of it as `raim align` makes them."""

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

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels."""
        return self.degraded.nbytes + self.reference.nbytes


@dataclass(slots=True)
class ImageCache:
    """An LRU cache of photographs and pairs, up to a number of bytes; the one used last is at the end."""

    most_bytes: int = KEPT_BYTES
    kept: "OrderedDict[tuple[Path, int], Any]" = field(default_factory=OrderedDict)
    n_bytes: int = 0

    def read_clean(self, file: CleanFile, shrink: int) -> Shaped[np.ndarray, "_h _w *_c"]:
        """Return a clean photograph, made smaller."""
        return self._get((file.path, shrink), lambda: _shrink(_read(file.path), shrink))

    def read_pair(self, file: PairFiles) -> ReadPair:
        """Return a pair."""
        return self._get((file.degraded, 0), lambda: _read_pair(file))

    def _get(self, key: tuple[Path, int], read: Callable[[], Any]) -> Any:
        if key in self.kept:
            self.kept.move_to_end(key)
            return self.kept[key]
        found = self.kept[key] = read()
        self.n_bytes += found.nbytes
        while self.n_bytes > self.most_bytes and len(self.kept) > 1:
            self.n_bytes -= self.kept.popitem(last=False)[1].nbytes
        return found


def find_clean(source: Source, least_px: int) -> tuple[CleanFile, ...]:
    """List the clean photographs of a source.

    Raises:
        InputError: There are none, or some cannot be used or have a side of less than `least_px`; all are listed.
        MissingExtraError: scikit-image's were asked for and it is not installed.
    """
    if source.photographs is None:
        raise InputError("this source has no photographs")
    if isinstance(source.photographs, Path):
        folder, paths = source.photographs, _list(source.photographs)
    else:
        folder = _find_scikit_image()
        paths = [folder / name for name in SCIKIT_FILES]
    problems: list[str] = []
    by_stem = _by_stem(paths, problems)
    _refuse(problems, folder)
    found = []
    for path in _choose(by_stem, source, folder).values():
        info = _inspect(path, problems)
        if info is not None:
            height, width = (side // source.shrink for side in info.upright_size)
            found.append(CleanFile(path=path, height=height, width=width))
            _check_side(path, height, width, least_px, problems)
    _refuse(problems, folder)
    return tuple(found)


def find_pairs(source: Source, least_px: int, *, scale: int = 1) -> tuple[PairFiles, ...]:
    """List the pairs of a source, whose references are `scale` times as large; else as `find_clean`."""
    folder = source.pairs
    if folder is None:
        raise InputError("this source has no pairs")
    problems: list[str] = []
    inputs, references, masks = (
        _by_stem(_list(folder / name) if (folder / name).is_dir() else [], problems) for name in PARTS
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
    for stem, path in _choose(inputs, source, folder).items():
        info, other = _inspect(path, problems), _inspect(references[stem], problems)
        if info is None or other is None:
            continue
        height, width = info.upright_size
        if other.upright_size != (height * scale, width * scale):
            problems.append(
                f"{path.name} is {_say(info)}, its reference {_say(other)}; this model needs references "
                f"of {width * scale}x{height * scale}"
            )
        _check_side(path, height, width, least_px, problems)
        mask = masks.get(stem)
        if mask is not None:
            _check_mask(mask, info, problems)
        found.append(
            PairFiles(
                name=stem,
                degraded=path,
                reference=references[stem],
                mask=mask,
                height=height,
                width=width,
                scale=scale,
            )
        )
    _refuse(problems, folder)
    return tuple(found)


def _say(info: ImageInfo) -> str:
    height, width = info.upright_size
    return f"{width}x{height}"


def _find_scikit_image() -> Path:
    folder = find_photograph_folder()
    if folder is None:
        raise MissingExtraError(
            "this recipe trains on scikit-image's photographs; install it with: pip install 'raim[train]', or name a "
            "folder of your own in its [[data]]"
        )
    return folder


def _list(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name a folder of PNG, JPEG, TIFF or WebP files")
    return list_images(folder)


def _by_stem(paths: Iterable[Path], problems: list[str]) -> dict[str, Path]:
    """Return files by their stems; two of one stem are a problem."""
    found: dict[str, Path] = {}
    for path in paths:
        other = found.setdefault(image_stem(path.name), path)
        if other != path:
            where = f"{path.parent.name}/" if path.parent.name in PARTS else ""
            problems.append(f"{where}{other.name} and {path.name} have one name; remove one of them")
    return found


def _choose(by_stem: Mapping[str, Path], source: Source, folder: Path) -> dict[str, Path]:
    """Leave what `only` and `leave_out` say; a name that fits nothing is a mistake."""
    unknown = [name for name in (*source.only, *source.leave_out) if name not in by_stem]
    if unknown:
        raise InputError(
            f"there is no {', '.join(unknown)} in {folder}; `only` and `leave_out` take names without suffix"
        )
    chosen = {
        stem: path
        for stem, path in by_stem.items()
        if (not source.only or stem in source.only) and stem not in source.leave_out
    }
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


def _check_side(path: Path, height: int, width: int, least_px: int, problems: list[str]) -> None:
    if min(height, width) < least_px:
        problems.append(f"{path.name} is {width}x{height}, smaller than a patch of {least_px} px")


def _check_mask(mask: Path, pair: ImageInfo, problems: list[str]) -> None:
    info = _inspect(mask, problems)
    if info is not None and (info.mode != "grey" or info.upright_size != pair.upright_size):
        problems.append(
            f"mask/{mask.name} is {info.mode} of {_say(info)}; expected grey of {_say(pair)}, as its input"
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
        raise InputError(f"the pair {file.name} has another size than when training began; begin again")
    usable = None if file.mask is None else _read(file.mask) == USABLE
    if usable is not None and usable.shape != expected:
        raise InputError(f"the mask of {file.name} has another size than when training began; begin again")
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
        raise InputError("\n  ".join([f"{len(problems)} files in {folder} cannot be used:", *problems]))
