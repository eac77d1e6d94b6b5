"""What is going to be made: which photographs there are, and one drawn camera for each pair.

Each pair's generator depends on the seed, the photograph's name, the preset and the variant only, so that neither other
photographs nor presets, their order or the number of workers change it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raim.data.camera import Camera, Preset
from raim.data.camera.model import SMALLEST_PX
from raim.data.camera.stage import Value
from raim.data.names import find_collisions, image_stem, list_images
from raim.errors import ImageError, InputError
from raim.images import inspect_image


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
    """Return the photographs of a folder by name, or the one that is named itself; only headers are read.

    Raises:
        InputError: There is none that can be used, or two would give files of one name; every problem is listed.
    """
    found = [_inspect(path) for path in _list_files(clean)]
    collisions = [
        f"{each.path.name} and {other.path.name} would give files of one name; rename one"
        for each, other in find_collisions(found, lambda photograph: photograph.stem)
    ]
    bad = [photograph.problem for photograph in found if photograph.problem]
    if collisions or len(bad) == len(found):
        _refuse([*collisions, *bad], clean)
    if not found:
        raise InputError(f"there is no photograph in {clean}; name a folder of PNG, JPEG, TIFF or WebP files")
    return found


def plan_pairs(
    photographs: Sequence[Photograph],
    presets: Sequence[Preset],
    *,
    seed: int,
    variants: int,
    overrides: Mapping[str, Value],
) -> list[PlannedPair | LeftOut]:
    """Return a pair with a drawn camera for every photograph, preset and variant, or why it is left out.

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
    planned = [pair for pair in pairs if isinstance(pair, PlannedPair)]
    collisions = [
        f"{pair.photograph.path.name} and {other.photograph.path.name} would both give {pair.name}; rename one"
        for pair, other in find_collisions(planned, lambda pair: pair.name)
    ]
    _refuse(collisions, None)
    return pairs


def pair_generator(seed: int, stem: str, preset: str, variant: int) -> np.random.Generator:
    """Return the generator of one pair."""
    digest = hashlib.sha256(f"{stem}\0{preset}\0{variant}".encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest)]))


def pair_name(stem: str, preset: str, variant: int) -> str:
    """Return the name of a pair; neither further presets nor further variants rename it."""
    return f"{stem}_{preset}" if variant == 1 else f"{stem}_{preset}_{variant}"


def _plan_pair(
    photograph: Photograph, preset: Preset, variant: int, seed: int, overrides: Mapping[str, Value]
) -> PlannedPair | LeftOut:
    name = pair_name(photograph.stem, preset.name, variant)
    if photograph.problem:
        return LeftOut(name=name, reason=photograph.problem)
    rng = pair_generator(seed, photograph.stem, preset.name, variant)
    camera = preset.draw_camera(rng, height=photograph.height, width=photograph.width, overrides=overrides)
    smallest = SMALLEST_PX * camera.sampling.reduction
    if min(photograph.height, photograph.width) < smallest:
        reason = (
            f"{photograph.path.name} is {photograph.width}x{photograph.height}; with reduction "
            f"{camera.sampling.reduction} ({preset.name}) it must be at least {smallest} pixels along each side"
        )
        return LeftOut(name=name, reason=reason)
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
    stem, problem = image_stem(path.name), ""
    try:
        info = inspect_image(path)
    except ImageError as error:
        return Photograph(path=path, stem=stem, problem=str(error))
    height, width = info.upright_size
    if info.has_icc:
        problem = f"{path.name}: it embeds a colour profile other than sRGB; convert its pixels to sRGB"
    elif info.mode in {"palette", "cmyk"}:
        problem = f"{path.name}: its mode is {info.mode}; convert it to RGB"
    elif min(height, width) < SMALLEST_PX:
        problem = (
            f"{path.name}: it is {width}x{height}; it must be at least {SMALLEST_PX} pixels along each side"
        )
    return Photograph(path=path, stem=stem, height=height, width=width, problem=problem)


def _refuse(problems: Sequence[str], clean: Path | None) -> None:
    if len(problems) == 1:
        raise InputError(problems[0])
    if problems:
        where = f" in {clean}" if clean else ""
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise InputError(f"{len(problems)} photographs{where} cannot be used:\n{listed}")
