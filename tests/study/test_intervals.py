import numpy as np
import pytest

from raim.study import StudyDesign, mean_points, points_array, simulate_ballots
from raim.study.intervals import (
    bootstrap_points,
    crossed_interval,
    interval,
    rank_interval,
    variance_components,
)

ENTRIES = tuple("abcde")


def some_points(seed=1, judges=6, images=10):
    design = StudyDesign(
        seed=seed, entries=ENTRIES, images={str(k): "" for k in range(images)}, n_judges=judges, n_traps=0
    )
    strengths = {name: 0.4 * place for place, name in enumerate(ENTRIES)}
    return points_array(simulate_ballots(design, strengths, np.random.default_rng(seed)))


def by_hand(points, rng, n_draws):
    """The same draws, entry by entry, from copies of judges and images."""
    n_judges, n_images, _ = points.shape
    judges = rng.multinomial(n_judges, np.full(n_judges, 1 / n_judges), n_draws)
    images = rng.multinomial(n_images, np.full(n_images, 1 / n_images), n_draws)
    for j, i in zip(judges, images, strict=True):
        rows, columns = np.repeat(np.arange(n_judges), j), np.repeat(np.arange(n_images), i)
        yield mean_points(points[np.ix_(rows, columns)])


def test_a_draw_is_the_points_of_drawn_judges_and_images():
    points = some_points()
    expected = list(by_hand(points, np.random.default_rng(4), 20))
    assert bootstrap_points(points, np.random.default_rng(4), 20) == pytest.approx(np.array(expected))


def test_draws_of_incomplete_votes_are_points_per_exposure():
    points = some_points()
    points[np.random.default_rng(1).random(points.shape) < 0.2] = np.nan
    with np.errstate(invalid="ignore"):
        expected = list(by_hand(points, np.random.default_rng(4), 20))
    assert bootstrap_points(points, np.random.default_rng(4), 20) == pytest.approx(
        np.array(expected), nan_ok=True
    )


def test_an_interval_holds_its_value_and_shrinks_with_more_judges_and_images():
    widths = []
    for judges, images in ((4, 8), (16, 40)):
        points = some_points(judges=judges, images=images)
        draws = bootstrap_points(points, np.random.default_rng(1), 400) / images
        found = interval(float(mean_points(points)[0]) / images, draws[:, 0])
        assert found.low <= found.value <= found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 1.5


def test_without_a_value_there_is_no_interval_but_a_reason():
    assert interval(None, np.array([1.0])).why == "nobody has judged it"
    assert interval(1.0, np.full(10, np.nan)).low is None


def test_ranks_are_rounded_outwards_and_shares_sum_to_one():
    found = rank_interval(2, np.array([1] * 3 + [2] * 90 + [4] * 7), 5)
    assert (found.value, found.low, found.high) == (2, 1, 4)
    assert sum(found.shares) == pytest.approx(1)
    assert found.first == pytest.approx(0.03)


def test_mean_squares_give_back_known_components():
    rng = np.random.default_rng(3)
    judges, images = rng.normal(0, 0.5, (200, 1, 1)), rng.normal(0, 1.0, (1, 200, 1))
    found = variance_components(judges + images + rng.normal(0, 2.0, (200, 200, 1)))
    assert (found.judge, found.image, found.interaction) == pytest.approx((0.25, 1.0, 4.0), rel=0.25)


def test_the_crossed_estimate_needs_complete_votes():
    points = some_points()[:, :, 0]
    assert crossed_interval(points, 5.0).low < 5.0 < crossed_interval(points, 5.0).high
    points[0, 0] = np.nan
    assert "every judge on every image" in crossed_interval(points, 5.0).why


def voted(rng, n_judges, n_images):
    """Points of five entries by judges with tastes, on images that suit some of them."""
    liking = np.linspace(1.2, -1.2, 5) + rng.gumbel(size=(n_judges, n_images, 5))
    liking += rng.normal(0, 0.3, (n_judges, 1, 5)) + rng.normal(0, 0.5, (1, n_images, 5))
    points = np.zeros(liking.shape)
    np.put_along_axis(points, np.argsort(-liking)[..., :3], np.array([3.0, 2.0, 1.0]), axis=-1)
    return points


def test_intervals_hold_the_truth_at_least_as_often_as_they_say():
    """A small version of benchmarks/study_coverage.py, which has 18 judges and 1,000 studies."""
    truth = voted(np.random.default_rng(0), 1500, 1500).mean((0, 1))
    rng = np.random.default_rng(7)
    held, held_crossed = [], []
    for _ in range(150):
        points = voted(rng, 10, 16)
        values, draws = mean_points(points), bootstrap_points(points, rng, 300)
        for entry in range(5):
            target = 16 * truth[entry]
            one = interval(float(values[entry]), draws[:, entry])
            other = crossed_interval(points[:, :, entry], float(values[entry]))
            held.append(one.low <= target <= one.high)
            held_crossed.append(other.low <= target <= other.high)
    assert np.mean(held) > 0.95
    assert 0.92 < np.mean(held_crossed) < 0.98
