import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.report.columns import find_columns
from raim.report.distribution import (
    MARGIN,
    WIDTH,
    draw_distributions,
    draw_strips,
    place_ticks,
    spread_lanes,
)
from raim.scoring import EntryScore
from score_tables import PROFILE, entry, scored, table_of, unscored

SCORE, PSNR = find_columns(PROFILE)[:2]


@given(low=st.floats(-1e4, 1e4), spread=st.floats(1e-3, 1e4))
def test_ticks_enclose_the_values_in_few_even_steps(low, spread):
    ticks = place_ticks(low, low + spread)
    steps = [after - before for before, after in itertools.pairwise(ticks)]
    slack = 1e-6 * max(1.0, spread)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + spread - slack
    assert 2 <= len(ticks) <= 8
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)


def test_every_scored_image_is_a_dot_at_its_value():
    chart = draw_strips([entry("a", x=0, y=50, z=100)], SCORE)
    assert [dot.x for dot in chart.strips[0].dots] == [MARGIN, WIDTH / 2, WIDTH - MARGIN]
    assert chart.strips[0].mean_x == WIDTH / 2
    assert [dot.text for dot in chart.strips[0].dots] == ["x: 0.00", "y: 50.00", "z: 100.00"]


def test_an_infinite_value_is_said_and_not_drawn():
    images = (scored("x", 50), scored("y", 50, values={"psnr": math.inf}))
    strip = draw_strips([EntryScore(name="a", images=images)], PSNR).strips[0]
    assert len(strip.dots) == 1
    assert strip.mean_x is None
    assert "1 infinite, not drawn" in strip.summary


def test_a_column_without_any_value_has_no_chart():
    assert draw_distributions(table_of(EntryScore(name="a", images=(unscored("x", "gone"),)))) == ()


def test_equal_values_lie_beside_each_other():
    assert len(set(spread_lanes([10.0] * 5))) == 5


@given(st.lists(st.floats(0, 480), max_size=40).map(sorted))
def test_lanes_stay_within_their_strip(places):
    offsets = spread_lanes(places)
    assert len(offsets) == len(places)
    assert all(abs(offset) <= 9 for offset in offsets)


def test_a_long_name_is_cut_in_the_drawing_and_whole_in_the_sentence():
    strip = draw_strips([entry("n" * 90, x=1)], SCORE).strips[0]
    assert len(strip.label) == 52
    assert strip.summary.startswith("n" * 90 + ": 1 image,")
