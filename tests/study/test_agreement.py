import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.study.agreement import kendall_w, krippendorff_alpha

NAN = np.nan
# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C: ordinal alpha is 0.815.
PUBLISHED = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
])  # fmt: skip


def test_the_published_example_of_alpha_comes_out():
    assert krippendorff_alpha(PUBLISHED).value == pytest.approx(0.815, abs=5e-4)


def test_alpha_is_the_same_as_the_krippendorff_packages():
    krippendorff = pytest.importorskip("krippendorff", reason="the package krippendorff is not installed")
    rng = np.random.default_rng(1)
    values = rng.integers(0, 4, (6, 40)).astype(float)
    values[rng.random(values.shape) < 0.2] = np.nan
    expected = krippendorff.alpha(values, level_of_measurement="ordinal")
    assert krippendorff_alpha(values).value == pytest.approx(expected, abs=1e-12)


def test_chance_gives_an_alpha_near_zero_and_agreement_one():
    rng = np.random.default_rng(2)
    assert abs(krippendorff_alpha(rng.integers(0, 4, (8, 500)).astype(float)).value) < 0.03
    same = np.tile(rng.integers(0, 4, 30).astype(float), (5, 1))
    assert krippendorff_alpha(same).value == pytest.approx(1)


def test_alpha_without_anything_to_agree_on_is_no_number():
    for values in (np.full((3, 4), 2.0), np.full((3, 4), np.nan), np.array([[1.0, NAN], [NAN, 2.0]])):
        found = krippendorff_alpha(values)
        assert found.value is None
        assert found.why


def test_w_is_one_for_the_same_order_and_zero_for_opposite_ones():
    assert kendall_w(np.array([[1.0, 2, 3, 4], [10, 20, 30, 40]])).w == pytest.approx(1)
    assert kendall_w(np.array([[1.0, 2, 3, 4], [4, 3, 2, 1]])).w == pytest.approx(0)


def test_w_of_a_worked_example_with_ties():
    """Three judges, four entries, one tie; by hand: S = 34.5, W = 12 S / (9 (64 - 4) - 3 x 6)."""
    totals = np.array([[1.0, 2, 3, 4], [1, 2.5, 2.5, 4], [2, 1, 3, 4]])
    ranks = np.array([4.0, 5.5, 8.5, 12.0])
    spread = ((ranks - ranks.mean()) ** 2).sum()
    found = kendall_w(totals)
    assert found.w == pytest.approx(12 * spread / (9 * 60 - 3 * 6))
    assert found.chi_squared == pytest.approx(3 * 3 * found.w)
    assert (found.degrees, found.n_judges) == (3, 3)


def test_w_leaves_out_judges_without_a_total_and_says_why_there_is_none():
    found = kendall_w(np.array([[1.0, 2, 3], [1, 2, NAN], [1, 2, 3]]))
    assert (found.w, found.n_judges) == (1.0, 2)
    assert "fewer than two judges" in kendall_w(np.array([[1.0, 2, 3]])).why
    assert "the same total" in kendall_w(np.ones((3, 4))).why


@given(seed=st.integers(0, 2**32), shift=st.floats(-5, 5), factor=st.floats(0.1, 10))
def test_w_depends_on_orders_alone(seed, shift, factor):
    totals = np.random.default_rng(seed).integers(0, 9, (5, 6)).astype(float)
    scaled = totals.copy()
    scaled[0] = factor * totals[0] + shift
    first, second = kendall_w(totals).w, kendall_w(scaled).w
    assert (first is None and second is None) or first == pytest.approx(second)
