"""The standard deviation of positions: closed forms, and what is refused for it."""

from dataclasses import replace

import numpy as np
import pytest

from raim.data.alignment.mapping import start_mapping
from raim.data.alignment.matches import Match
from raim.data.alignment.options import PairLimits
from raim.data.alignment.refusal import judge_alignment
from raim.data.alignment.registration import Alignment
from raim.data.alignment.residual import Residual, TileResidual
from raim.data.alignment.spline import Evidence, measure_deviation
from raim.data.alignment.tone import keep_tone

SHAPE = 96, 128


def make_evidence(strength):
    none = np.zeros(SHAPE, np.float32)
    strength = np.broadcast_to(np.float32(strength), SHAPE).copy()
    return Evidence(xx=strength, xy=none, yy=strength, x=none, y=none)


def make_alignment(deviation):
    tiles = tuple(TileResidual(x=x, y=0, length_px=0.0) for x in range(0, 64, 8))
    return Alignment(
        match=Match(homography=np.eye(3), origin="sift", n_matches=90, n_inliers=80),
        mapping=start_mapping(np.eye(3), *SHAPE),
        tone=keep_tone(3),
        blur_px=0.0,
        inside=np.ones(SHAPE, bool),
        moved=np.zeros(SHAPE, bool),
        deviation=deviation,
        residual=Residual(tiles=tiles, places=tuple((tile.x, tile.y) for tile in tiles), tile_px=64),
        correlation=0.9,
        scale=1.0,
    )


def test_the_variance_of_a_stiff_plate_is_that_of_all_evidence():
    # The six parameters of an affine displacement, from n pixels of precision p: their mean variance is 6 / (n p).
    deviation = measure_deviation(make_evidence(0.01), stiffness=1e7)
    assert np.mean(deviation**2) == pytest.approx(6 / (0.01 * deviation.size), rel=0.05)


def test_evidence_four_times_as_strong_leaves_half_the_deviation():
    weak, strong = (measure_deviation(make_evidence(each), stiffness=4 * each) for each in (0.01, 0.04))
    np.testing.assert_allclose(weak, 2 * strong, rtol=1e-3)


def test_a_plain_place_is_the_less_certain_the_further_texture_lies():
    strength = np.full(SHAPE, 0.1, np.float32)
    strength[:, 64:] = 0
    across = measure_deviation(make_evidence(strength), stiffness=1.0)[48]
    assert across[:50].max() < across[80] < across[100] < across[120]


def test_a_picture_of_which_too_much_is_undetermined_is_refused_with_the_place():
    deviation = np.full(SHAPE, 0.1, np.float32)
    assert judge_alignment(make_alignment(deviation), PairLimits()) is None
    deviation[:, 64:], deviation[20, 100] = 0.8, 2.5
    said = judge_alignment(make_alignment(deviation), PairLimits())
    assert "50%" in said
    assert "2.5 px at (100, 20)" in said
    assert judge_alignment(make_alignment(deviation), PairLimits(undetermined_share=0.6)) is None


def test_what_the_reference_does_not_show_is_outside_and_not_undetermined():
    alignment = make_alignment(np.full(SHAPE, 3.0, np.float32))
    assert not replace(alignment, inside=np.zeros(SHAPE, bool)).undetermined().any()
