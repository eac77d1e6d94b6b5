"""Captures of known truth, as benchmarks/align.py makes them, at a small size and of one photograph."""

import numpy as np
import pytest

from benchmark_scripts import load_scripts
from raim.demo.photographs import find_photographs
from raim.errors import MissingExtraError

SIDE = 360
FURTHEST_PX = 0.3  # mean distance from the truth
TONE = 1.0  # levels of 255


@pytest.fixture(scope="module")
def scripts():
    return load_scripts(["align_scenes", "align"])


@pytest.fixture(scope="module")
def photograph(scripts):
    try:
        paths = {path.stem: path for path in find_photographs()}
    except MissingExtraError as error:
        pytest.skip(str(error))
    scenes = scripts["align_scenes"]
    return scenes.cut_photograph(scenes.read_photograph(paths["chelsea"]), SIDE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["burst", "zoom", "defocus", "moire"])
def test_position_tone_and_what_moved_are_found(scripts, photograph, kind):
    captures = scripts["align_scenes"].make_captures(photograph, kind, np.random.default_rng(5))
    figures = scripts["align"].measure(captures, kind, "chelsea")
    assert figures.refusal is None
    assert figures.position_px < FURTHEST_PX
    assert figures.tone < TONE
    assert figures.recall > 0.8
    assert figures.false_share < 0.05
