"""Score tables and pictures for the tests of pages."""

import numpy as np

from raim.scoring import PROFILES, EntryScore, ImageScore, ScoreTable

PROFILE = PROFILES["raim-2024"]


def scored(name: str, score: float, **more) -> ImageScore:
    values = {"psnr": 20 + score / 10, "ssim": 0.8, "lpips": 0.2, "dists": 0.15, "niqe": 5.0, "score": score}
    return ImageScore(name=name, values={**values, **more.pop("values", {})}, **more)


def unscored(name: str, reason: str, **more) -> ImageScore:
    return ImageScore(name=name, values=dict.fromkeys(PROFILE.columns), unscored=reason, **more)


def entry(entry_name: str, /, **scores: float) -> EntryScore:
    return EntryScore(name=entry_name, images=tuple(scored(name, value) for name, value in scores.items()))


def table_of(*entries: EntryScore, **more) -> ScoreTable:
    return ScoreTable(profile=PROFILE, entries=entries, raim_version="1.2.3", **more)


def noise(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
