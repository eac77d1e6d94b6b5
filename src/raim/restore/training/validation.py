"""Validation: whole pictures through the averaged weights, scored by `raim.scoring` as an entry would be."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import nn

from raim.errors import InputError, UnscorableError
from raim.restore.pixels import from_photograph, to_photograph
from raim.restore.training.patches import draw_camera, take_equal_pair, vary
from raim.restore.training.recipe import Validation
from raim.restore.training.sources import CleanFile, ImageCache, PairFiles, find_clean, find_pairs
from raim.scoring import Profile, score_pair

Image = UInt8[np.ndarray, "_h _w 3"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationPair:
    """A pair that no patch is cut from, unless the recipe says so."""

    name: str
    degraded: Image
    reference: Image


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated:
    """What came of one validation, in the order of its pairs; means are None where a pair has no finite value."""

    means: Mapping[str, float | None]
    restored: tuple[Image, ...]
    scores: tuple[float | None, ...]


def make_pairs(
    choice: Validation, *, seed: int, scale: int, multiple: int, cache: ImageCache
) -> tuple[ValidationPair, ...]:
    """Make the pairs of a recipe's validation; the same for the same recipe.

    Raises:
        InputError: There are none, or one is smaller than the smallest that can be scored.
    """
    side = choice.crop_px // multiple * multiple
    if choice.source.pairs:
        files = find_pairs(choice.source, side, scale=scale)[: choice.count]
        return tuple(_cut_pair(file, cache, side, scale) for file in files)
    if scale != 1:
        raise InputError(
            f"this model enlarges {scale} times; validate it on pairs, which can be of two sizes"
        )
    clean = find_clean(choice.source, side)
    return tuple(
        _take_pair(choice, clean[place % len(clean)], place // len(clean), cache, seed=seed, side=side)
        for place in range(choice.count)
    )


def _cut_pair(file: PairFiles, cache: ImageCache, side: int, scale: int) -> ValidationPair:
    pair = cache.read_pair(file)
    top, left = ((length - side) // 2 for length in pair.degraded.shape[:2])
    return ValidationPair(
        name=file.name,
        degraded=_cut(pair.degraded, top, left, side),
        reference=_cut(pair.reference, top * scale, left * scale, side * scale),
    )


def _take_pair(
    choice: Validation, file: CleanFile, turn: int, cache: ImageCache, *, seed: int, side: int
) -> ValidationPair:
    digest = hashlib.sha256(f"{file.path.stem}\0{turn}".encode()).digest()
    rng = np.random.default_rng([seed, int.from_bytes(digest)])
    clean = vary(cache.read_clean(file, choice.source.shrink), choice.source, rng)
    camera = draw_camera(choice.source, rng, height=clean.shape[0], width=clean.shape[1])
    pair = take_equal_pair(clean, camera, choice.source)
    if min(pair.degraded.shape[:2]) < side:
        raise InputError(
            f"{file.path.name} is smaller than {side} px after the camera; leave it out of validation"
        )
    top, left = ((length - side) // 2 for length in pair.degraded.shape[:2])
    return ValidationPair(
        name=f"{file.path.stem}-{turn + 1}",
        degraded=_cut(pair.degraded, top, left, side),
        reference=_cut(pair.reference, top, left, side),
    )


def validate(
    network: nn.Module, pairs: Sequence[ValidationPair], profile: Profile, *, device: torch.device
) -> Validated:
    """Restore all pairs by a net in its evaluating mode, and score them."""
    return score_restored([_restore(network, pair.degraded, device) for pair in pairs], pairs, profile)


def score_restored(restored: Sequence[Image], pairs: Sequence[ValidationPair], profile: Profile) -> Validated:
    """Score pictures against the references of the pairs."""
    records = []
    for image, pair in zip(restored, pairs, strict=True):
        try:
            records.append(score_pair(image, pair.reference, profile, name=pair.name))
        except UnscorableError as error:
            raise InputError(f"the validation pair {pair.name} cannot be scored: {error}") from error
    rows = [{**record.values, "score": record.score} for record in records]
    return Validated(
        means={column: _mean([row.get(column) for row in rows]) for column in profile.columns},
        restored=tuple(restored),
        scores=tuple(record.score for record in records),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(there)) if len(there) == len(values) and there else None


def _restore(network: nn.Module, degraded: Image, device: torch.device) -> Image:
    x = torch.from_numpy(to_photograph(degraded)).movedim(2, 0)[None].to(device)
    with torch.inference_mode():
        restored = network(x)[0].movedim(0, 2).float().cpu().numpy()
    return from_photograph(restored, degraded)


def _cut(image: np.ndarray, top: int, left: int, side: int) -> Image:
    """Cut a square, in 8 bits."""
    part = image[top : top + side, left : left + side]
    plain = part if part.dtype == np.uint8 else np.rint(part / 257.0).astype(np.uint8)
    return np.ascontiguousarray(plain)
