import itertools

import numpy as np
import pytest

from raim.study import StudyDesign, plan_judge
from raim.study.balance import choose_shown_entries

CASES = [(18, 50, 9, 4), (18, 50, 9, 2), (7, 20, 12, 5), (5, 10, 4, 3)]


def pairs_of(chosen, n_entries):
    counts = np.zeros((n_entries, n_entries), int)
    for tiles in chosen.reshape(-1, chosen.shape[-1]):
        for a, b in itertools.permutations(tiles, 2):
            counts[a, b] += 1
    return counts[np.triu_indices(n_entries, 1)]


@pytest.mark.parametrize(("judges", "images", "entries", "tiles"), CASES)
def test_of_each_image_all_entries_are_shown_equally_often(judges, images, entries, tiles):
    chosen = choose_shown_entries(seed=3, n_judges=judges, n_images=images, n_entries=entries, n_tiles=tiles)
    for of_image in np.moveaxis(chosen, 1, 0):
        assert np.ptp(np.bincount(of_image.ravel(), minlength=entries)) <= 1


@pytest.mark.parametrize(("judges", "images", "entries", "tiles"), CASES)
def test_all_pairs_of_entries_meet_nearly_equally_often(judges, images, entries, tiles):
    chosen = choose_shown_entries(seed=3, n_judges=judges, n_images=images, n_entries=entries, n_tiles=tiles)
    counts = pairs_of(chosen, entries)
    expected = judges * images * tiles * (tiles - 1) / (entries * (entries - 1))
    assert np.abs(counts - expected).max() <= max(3.0, 0.06 * expected)


def test_judges_who_stay_away_leave_the_rest_balanced():
    chosen = choose_shown_entries(seed=3, n_judges=18, n_images=50, n_entries=9, n_tiles=4)
    for came in (6, 11):
        counts = pairs_of(chosen[:came], 9)
        assert np.ptp(counts) <= 0.1 * counts.mean()
        for of_image in np.moveaxis(chosen[:came], 1, 0):
            assert np.ptp(np.bincount(of_image.ravel(), minlength=9)) <= 1


def test_more_judges_do_not_change_what_the_first_ones_see():
    few = choose_shown_entries(seed=3, n_judges=4, n_images=20, n_entries=9, n_tiles=4)
    many = choose_shown_entries(seed=3, n_judges=9, n_images=20, n_entries=9, n_tiles=4)
    assert (many[:4] == few).all()


def test_a_trial_shows_different_entries():
    chosen = choose_shown_entries(seed=1, n_judges=3, n_images=9, n_entries=6, n_tiles=5)
    assert all(len(set(tiles)) == 5 for tiles in chosen.reshape(-1, 5).tolist())


def test_a_pairwise_design_shows_two():
    design = StudyDesign(
        seed=1, mode="pairwise", points=(1,), entries=("a", "b", "c"), images={"1": "", "2": "", "3": ""}
    )
    assert {len(trial.tiles) for trial in plan_judge(design, 2)} == {2}
    assert design.n_picks == 1
