import numpy as np
import pytest
from scipy.stats import norm

from raim.errors import InputError
from raim.study.findings import Components
from raim.study.intervals import crossed_interval
from raim.study.power import difference_components, judges_needed, power_table, standard_error


def test_the_standard_error_is_that_of_simulated_differences():
    rng = np.random.default_rng(1)
    parts = Components(judge=0.1, image=0.2, interaction=1.0)
    means = [
        (
            rng.normal(0, 0.1**0.5, (8, 1)) + rng.normal(0, 0.2**0.5, (1, 20)) + rng.normal(0, 1.0, (8, 20))
        ).mean()
        for _ in range(4000)
    ]
    assert np.std(means) == pytest.approx(standard_error(parts, 8, 20), rel=0.04)


def votes(rng, n_judges, n_images, gap):
    """Points of two out of six entries, by judges who pick the three that they like best."""
    liking = np.array([gap / 2, -gap / 2, 0.3, 0.1, -0.1, -0.3]) + rng.gumbel(size=(n_judges, n_images, 6))
    liking += rng.normal(0, 0.3, (n_judges, 1, 6)) + rng.normal(0, 0.5, (1, n_images, 6))
    points = np.zeros(liking.shape)
    np.put_along_axis(points, np.argsort(-liking)[..., :3], np.array([3.0, 2.0, 1.0]), axis=-1)
    return points[..., :2]


def test_simulated_judges_tell_two_teams_apart_as_often_as_the_formula_says():
    """The formula has a normal distribution, the interval Student's t: it may find a little less."""
    rng = np.random.default_rng(2)
    n_judges, n_images, gap = 8, 24, 0.6
    pilot = votes(rng, 300, 300, gap)
    parts, difference = difference_components(pilot), float((pilot[..., 0] - pilot[..., 1]).mean())
    z = difference / standard_error(parts, n_judges, n_images)
    expected = norm.sf(1.96 - z)
    found = []
    for _ in range(600):
        study = votes(rng, n_judges, n_images, gap)
        apart = study[..., 0] - study[..., 1]
        found.append(crossed_interval(apart, n_images * float(apart.mean())).low > 0)
    assert 0.3 < expected < 0.95
    assert np.mean(found) == pytest.approx(expected, abs=0.06)


def test_the_judges_needed_just_find_the_difference():
    parts = Components(judge=0.1, image=0.1, interaction=1.5)
    needed = judges_needed(0.4, 40, parts)
    enough, fewer = power_table(parts, judges=[needed, needed - 1], images=[40], power=0.8)
    assert enough.difference <= 0.4 < fewer.difference
    assert judges_needed(0.01, 40, parts) is None
    with pytest.raises(InputError, match="other than 0"):
        judges_needed(0.0, 40)


def test_more_judges_and_images_tell_smaller_differences_apart():
    cells = {(cell.n_judges, cell.n_images): cell.difference for cell in power_table()}
    assert cells[30, 100] < cells[18, 50] < cells[6, 20]


def test_components_of_differences_are_those_of_judges_with_complete_votes():
    points = np.random.default_rng(1).integers(0, 4, (5, 6, 3)).astype(float)
    expected = difference_components(points[1:])
    points[0, 0, 0] = np.nan
    assert difference_components(points) == expected
    points[1:4, 0, 0] = np.nan
    assert difference_components(points) is None
