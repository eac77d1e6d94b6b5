import numpy as np
import pytest

from raim.study.findings import Components
from raim.study.power import difference_components, power_table, standard_error


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


def test_the_stated_difference_is_found_as_often_as_the_power_says():
    rng = np.random.default_rng(2)
    cell = power_table(Components(judge=0.0, image=0.0, interaction=1.0), judges=[6], images=[20])[0]
    error = standard_error(Components(judge=0.0, image=0.0, interaction=1.0), 6, 20)
    means = cell.difference + rng.normal(0, error, 20000)
    assert np.mean(np.abs(means) > 1.96 * error) == pytest.approx(0.8, abs=0.01)


def test_more_judges_and_images_tell_smaller_differences_apart():
    cells = {(cell.n_judges, cell.n_images): cell.difference for cell in power_table()}
    assert cells[30, 100] < cells[18, 50] < cells[6, 20]


def test_components_of_differences_need_complete_votes():
    points = np.random.default_rng(1).integers(0, 4, (5, 6, 3)).astype(float)
    assert difference_components(points).interaction > 0
    points[0, 0, 0] = np.nan
    assert difference_components(points) is None
