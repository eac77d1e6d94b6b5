"""What is going to be made: which photographs there are, and one drawn camera for each pair.

Each pair's generator depends on the seed, the photograph's name, the preset and the variant only, so that neither other
photographs nor presets, their order or the number of workers change it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raim.data.camera import Camera, Preset
from raim.data.camera.model import SMALLEST_PX
from raim.data.camera.stage import Value
from raim.data.names import collision_key, image_stem, list_images
from raim.errors import ImageError, InputError
from raim.images import ImageInfo, inspect_image


@dataclass(frozen=True, kw_only=True, slots=True)
class Photograph:
    """A clean photograph.

    Attributes:
        path: Its file.
        stem: Its file's stem.
        height: As it is looked at, in pixels; 0 where that is not known.
        width: As height.
        problem: Why no pair can be made of it; "" where nothing is known against it.
    """

    path: Path
    stem: str
    height: int = 0
    width: int = 0
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedPair:
    """One pair that is to be made.

    Attributes:
        name: Stem of both its files.
        photograph: What it is made of.
        preset: What is drawn.
        variant: From 1.
        seed: Of the whole run.
        camera: What was drawn.
    """

    name: str
    photograph: Photograph
    preset: str
    variant: int
    seed: int
    camera: Camera


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A pair that could not be made, and why."""

    name: str
    reason: str


def list_photographs(clean: Path) -> list[Photograph]:
    """List the photographs of a folder by name, or the one that is named itself; only headers are read.

    Raises:
        InputError: There is none that can be used, or two would give files of one name; every problem is listed.
    """
    collisions = []
    found: dict[str, Photograph] = {}
    for path in _list_files(clean):
        photograph = _inspect(path)
        other = found.setdefault(collision_key(photograph.stem), photograph)
        if other is not photograph:
            collisions.append(f"{path.name} and {other.path.name} would give files of one name; rename one")
    bad = [photograph.problem for photograph in found.values() if photograph.problem]
    if collisions or len(bad) == len(found):
        _refuse([*collisions, *bad], clean)
    if not found:
        raise InputError(f"there is no photograph in {clean}; name a folder of PNG, JPEG, TIFF or WebP files")
    return list(found.values())


def plan_pairs(
    photographs: Sequence[Photograph],
    presets: Sequence[Preset],
    *,
    seed: int,
    variants: int,
    overrides: Mapping[str, Value],
) -> list[PlannedPair | LeftOut]:
    """Draw a camera for every photograph, preset and variant; pairs of what cannot be used are left out.

    Raises:
        InputError: No photograph can be used, names collide, or an argument is out of range.
        UnknownNameError: An override names no parameter.
    """
    if seed < 0 or variants < 1:
        raise InputError(
            f"seed {seed}, variants {variants}: the seed must be at least 0, variants at least 1"
        )
    if not presets or len({preset.name for preset in presets}) < len(presets):
        named = ", ".join(preset.name for preset in presets) or "none"
        raise InputError(f"the presets are {named}; name at least one, each once")
    pairs = [
        _plan_pair(photograph, preset, variant, seed, overrides)
        for photograph in photographs
        for preset in presets
        for variant in range(1, variants + 1)
    ]
    left_out = [pair.reason for pair in pairs if isinstance(pair, LeftOut)]
    if len(left_out) == len(pairs):
        _refuse(list(dict.fromkeys(left_out)), None)
    _refuse(list(_name_problems(pairs)), None)
    return pairs


def pair_generator(seed: int, stem: str, preset: str, variant: int) -> np.random.Generator:
    """Give the generator of one pair.

    Example:
        >>> int(pair_generator(7, "0001", "denoise", 1).integers(1000))
        583
    """
    digest = hashlib.sha256(f"{stem}\0{preset}\0{variant}".encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest)]))


def pair_name(stem: str, preset: str, variant: int) -> str:
    """Name a pair; neither further presets nor further variants rename it.

    Example:
        >>> pair_name("0001", "denoise", 1), pair_name("0001", "denoise", 2)
        ('0001_denoise', '0001_denoise_2')
    """
    return f"{stem}_{preset}" if variant == 1 else f"{stem}_{preset}_{variant}"


def _plan_pair(
    photograph: Photograph, preset: Preset, variant: int, seed: int, overrides: Mapping[str, Value]
) -> PlannedPair | LeftOut:
    name = pair_name(photograph.stem, preset.name, variant)
    if photograph.problem:
        return LeftOut(name=name, reason=photograph.problem)
    rng = pair_generator(seed, photograph.stem, preset.name, variant)
    camera = preset.draw_camera(rng, height=photograph.height, width=photograph.width, overrides=overrides)
    problem = _find_size_problem(photograph, camera, preset.name)
    if problem:
        return LeftOut(name=name, reason=problem)
    return PlannedPair(
        name=name, photograph=photograph, preset=preset.name, variant=variant, seed=seed, camera=camera
    )


def _list_files(clean: Path) -> list[Path]:
    if clean.is_file():
        return [clean]
    if not clean.is_dir():
        raise InputError(f"there is no folder {clean}; name a folder of clean photographs, or one file")
    return list_images(clean)


def _inspect(path: Path) -> Photograph:
    stem = image_stem(path.name)
    try:
        info = inspect_image(path)
    except ImageError as error:
        return Photograph(path=path, stem=stem, problem=str(error))
    problem = _header_problem(info)
    height, width = info.upright_size
    return Photograph(
        path=path, stem=stem, height=height, width=width, problem=f"{path.name}: {problem}" if problem else ""
    )


def _header_problem(info: ImageInfo) -> str | None:
    if info.has_icc:
        return "it embeds a colour profile other than sRGB; convert its pixels to sRGB"
    if info.mode in {"palette", "cmyk"}:
        return f"its mode is {info.mode}; convert it to RGB"
    if min(info.height, info.width) < SMALLEST_PX:
        return f"it is {info.width}x{info.height}; it must be at least {SMALLEST_PX} pixels along each side"
    return None


def _find_size_problem(photograph: Photograph, camera: Camera, preset: str) -> str | None:
    smallest = SMALLEST_PX * camera.sampling.reduction
    if min(photograph.height, photograph.width) >= smallest:
        return None
    return (
        f"{photograph.path.name} is {photograph.width}x{photograph.height}; with reduction "
        f"{camera.sampling.reduction} ({preset}) it must be at least {smallest} pixels along each side"
    )


def _name_problems(pairs: Sequence[PlannedPair | LeftOut]) -> Iterator[str]:
    found: dict[str, PlannedPair] = {}
    for pair in pairs:
        if isinstance(pair, LeftOut):
            continue
        other = found.setdefault(collision_key(pair.name), pair)
        if other is not pair:
            yield (
                f"{pair.photograph.path.name} and {other.photograph.path.name} would both give {pair.name}; "
                "rename one"
            )


def _refuse(problems: Sequence[str], clean: Path | None) -> None:
    if len(problems) == 1:
        raise InputError(problems[0])
    if problems:
        where = f" in {clean}" if clean else ""
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise InputError(f"{len(problems)} photographs{where} cannot be used:\n{listed}")
