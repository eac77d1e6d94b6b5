"""The reference of a burst: the mean of the other shots of a still scene, each aligned to the input.

The input is never part of the mean, so their noise is independent. Shots are brought to one brightness by a gain
for each channel (lamps flicker); where a shot shows something that moved it does not count, and where fewer than
half of the shots count, the pixel is masked. With n shots of variance s^2 the mean has s^2 / n; it is stated, from
the scatter of the shots.

Source: Xu et al., "Real-world Noisy Image Denoising: A New Benchmark", arXiv 1804.02603, section 3 (mean of aligned
shots); Plotz and Roth, "Benchmarking Denoising Algorithms with Real Photographs", CVPR 2017, section 4 (brightness,
what moved).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from raim.data.alignment.mapping import start_mapping, warp
from raim.data.alignment.masks import WHITE
from raim.data.alignment.matches import MatchSearch
from raim.data.alignment.modes import Mode
from raim.data.alignment.planes import Colour
from raim.data.alignment.registration import Alignment, align, finish_alignment

LEAST_SHARE = 0.5  # of the shots, that a pixel of the mean needs


@dataclass(frozen=True, kw_only=True, slots=True)
class Average:
    """The mean of shots on the input's grid.

    Attributes:
        colour: Encoded values.
        is_known: Pixels that enough shots show unmoved.
        noise: Standard deviation of the mean's own noise, in levels of 255.
        alignments: Of the shots, in their order; what was searched in vain where a shot does not fit.
    """

    colour: Colour
    is_known: Bool[np.ndarray, "_ _"]
    noise: float
    alignments: tuple[Alignment | MatchSearch, ...]

    def align(self, colour: Colour, mode: Mode) -> Alignment:
        """Return how the mean lies to the input that its shots were aligned to, with the poorest of their matches."""
        matches = [each.match for each in self.alignments if isinstance(each, Alignment)]
        identity = start_mapping(np.eye(3), *colour.shape[:2])
        alignment = finish_alignment(
            colour, self.colour, mode, min(matches, key=lambda match: match.n_inliers), identity
        )
        return replace(alignment, moved=alignment.moved | ~self.is_known)


def average_shots(colour: Colour, shots: Iterable[Colour], mode: Mode, *, seed: int) -> Average:
    """Return the mean of shots, read one at a time, that are aligned to the input, which is no part of it."""
    total, squares = np.zeros((2, *colour.shape), np.float64)
    count = np.zeros(colour.shape[:2], np.float64)
    alignments: list[Alignment | MatchSearch] = []
    for shot in shots:
        alignment = align(colour, shot, mode, seed=seed)
        alignments.append(alignment)
        if isinstance(alignment, MatchSearch):
            continue
        counted = alignment.inside & ~alignment.moved
        warped = _match_gain(colour, warp(shot, alignment.mapping), counted).astype(np.float64)
        total += warped * counted[..., None]
        squares += warped**2 * counted[..., None]
        count += counted
    n_shots = sum(isinstance(each, Alignment) for each in alignments)
    shown = np.maximum(count, 1)[..., None]
    mean = total / shown
    several = count > 1
    variance = np.maximum(squares - shown * mean**2, 0)[several] / (shown[several] - 1) / shown[several]
    return Average(
        # Where no shot shows anything, the input stands in, and the mask says so.
        colour=np.where(count[..., None] > 0, mean, colour).astype(np.float32),
        is_known=count >= max(1.0, LEAST_SHARE * n_shots),
        noise=255 * math.sqrt(float(variance.mean())) if variance.size else math.nan,
        alignments=tuple(alignments),
    )


def _match_gain(colour: Colour, warped: Colour, counted: np.ndarray) -> Colour:
    """Return a shot brought to the input's mean of each channel."""
    plain = counted & (np.maximum(colour.max(axis=2), warped.max(axis=2)) < WHITE)
    if not plain.any():
        return warped
    own, other = colour[plain].mean(axis=0, dtype=np.float64), warped[plain].mean(axis=0, dtype=np.float64)
    return warped * (own / np.maximum(other, 1e-3)).astype(np.float32)
