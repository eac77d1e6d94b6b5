"""What is measured: pairs of images in folders, made from a seed or taken from the user's own files."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
WARM_UP_SIDE = 256  # enough for NIQE, which needs two blocks of 96x96


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Photographs of one size, with one folder of references and one for each candidate restoration.

    Attributes:
        name: How tables call it.
        width: In pixels, of every photograph.
        height: In pixels.
        reference: Folder of the references.
        restored: Folders of the candidates, with the references' file names.
    """

    name: str
    width: int
    height: int
    reference: Path
    restored: tuple[Path, ...]

    @property
    def pixels(self) -> int:
        """Of one photograph."""
        return self.width * self.height

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        plain = dataclasses.asdict(self)
        return {**plain, "reference": str(self.reference), "restored": [str(path) for path in self.restored]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave."""
        folders = {
            "reference": Path(plain["reference"]),
            "restored": tuple(Path(path) for path in plain["restored"]),
        }
        return cls(**{**plain, **folders})

    def only_file(self, folder: Path) -> Path:
        """Give the folder's first file in the order of names; most cases have one."""
        return min(folder.iterdir())


def make_case(root: Path, name: str, *, candidates: int = 1, photographs: int = 1) -> Case:
    """Write synthetic photographs and their degraded forms as PNG, the same ones each time.

    Args:
        root: Folder to write into.
        name: Width and height, "1024x1024".
        candidates: Degraded forms of each photograph.
        photographs: How many.
    """
    width, height = (int(side) for side in name.split("x"))
    folders = [root / folder for folder in ("reference", *(f"restored-{k + 1}" for k in range(candidates)))]
    for folder in folders:
        folder.mkdir(parents=True)
    scene = make_scene(width, height)
    for number in range(photographs):
        reference = np.roll(scene, 61 * number, axis=(0, 1))
        _write(folders[0] / f"{number}.png", reference)
        for index, folder in enumerate(folders[1:]):
            rng = np.random.default_rng((number, index))
            _write(folder / f"{number}.png", degrade(reference, strength=1 + index / 4, rng=rng))
    return Case(name=name, width=width, height=height, reference=folders[0], restored=tuple(folders[1:]))


def make_scene(width: int, height: int) -> np.ndarray:
    """Make a photograph-like picture (h, w, 3) uint8; one of more than 16 megapixels is laid out of mirrored parts."""
    parts = 1
    while width * height > 16_000_000 * parts**2:
        parts += 1
    part = _make_part(-(-width // parts), -(-height // parts))
    for axis in (0, 1):
        flipped = np.flip(part, axis)
        part = np.concatenate([flipped if index % 2 else part for index in range(parts)], axis)
    return np.ascontiguousarray(part[:height, :width])


def _make_part(width: int, height: int) -> np.ndarray:
    """Double a small random picture again and again, adding half as much detail each time: a spectrum of about 1/f."""
    rng = np.random.default_rng(0)
    doublings = max(0, (max(width, height) - 1).bit_length() - 3)
    rows, columns = (-(-side // 2**doublings) for side in (height, width))
    picture = rng.standard_normal((rows, columns, 3), np.float32)
    for step in range(1, doublings + 1):
        for axis in (0, 1):
            picture = np.repeat(picture, 2, axis)
            picture = (picture + np.roll(picture, 1, axis)) / 2
        picture += rng.standard_normal(picture.shape, np.float32) / 2**step
    picture = picture[:height, :width]
    # Six deviations span the range; the sensor's noise is about 1.5 of 255.
    scaled = 127.5 + 255 / 6 * (picture - picture.mean()) / picture.std()
    return (scaled + rng.normal(0, 1.5, scaled.shape)).clip(0, 255).round().astype(np.uint8)


def degrade(reference: np.ndarray, *, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Blur a picture a little and add noise, 256 rows at a time."""
    degraded = np.empty_like(reference)
    for top in range(0, len(reference), 256):
        rows = reference[top : top + 256].astype(np.float32)
        blurred = (rows + np.roll(rows, 1, 1) + np.roll(rows, -1, 1)) / 3
        noisy = blurred + rng.normal(0, 3 * strength, rows.shape).astype(np.float32)
        degraded[top : top + 256] = noisy.clip(0, 255).round()
    return degraded


def _write(path: Path, pixels: np.ndarray) -> None:
    import imagecodecs

    path.write_bytes(imagecodecs.png_encode(pixels, level=6))


def find_cases(folder: Path, root: Path, *, candidates: int = 1) -> Iterator[Case]:
    """Give a case for each pair of the user's own files; the same restoration stands for all candidates.

    Args:
        folder: Has the folders `reference` and `restored` (or `input`), with the same stems.
        root: Folder for links to them.
        candidates: How many times the restoration is linked.
    """
    from raim.images import inspect_image

    restored = next((folder / name for name in ("restored", "input") if (folder / name).is_dir()), None)
    if restored is None or not (folder / "reference").is_dir():
        raise SystemExit(f"{folder} must hold the folders 'reference' and 'restored' (or 'input')")
    for reference in _images(folder / "reference"):
        matching = [path for path in _images(restored) if path.stem == reference.stem]
        if not matching:
            raise SystemExit(f"{restored} holds no image named {reference.stem}")
        own = root / reference.stem
        folders = [own / "reference", *(own / f"restored-{k + 1}" for k in range(candidates))]
        for target, path in zip(folders, [reference, *matching[:1] * candidates], strict=True):
            target.mkdir(parents=True)
            (target / path.name).symlink_to(path.resolve())
        info = inspect_image(reference)
        yield Case(
            name=f"{reference.stem} {info.width}x{info.height}",
            width=info.width,
            height=info.height,
            reference=folders[0],
            restored=tuple(folders[1:]),
        )


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
