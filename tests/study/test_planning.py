from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2, chisquare

from raim.errors import InputError
from raim.study import BLURRED, StudyDesign, plan_judge, plan_training

ENTRIES = tuple("abcdefghi")
IMAGES = {f"{number:02d}": f"issue {number % 5}" for number in range(50)}


def design(**changes):
    return StudyDesign(**{"seed": 2024, "entries": ENTRIES, "images": IMAGES, **changes})


def test_every_judge_sees_every_entry_of_every_image_once_for_points():
    for index in range(3):
        counted = [trial for trial in plan_judge(design(), index) if trial.kind == "counted"]
        assert sorted(trial.image for trial in counted) == sorted(IMAGES)
        assert all(sorted(trial.tiles) == list(ENTRIES) for trial in counted)


def test_the_same_seed_and_number_give_the_same_trials_and_others_do_not():
    first = plan_judge(design(), 4)
    assert first == plan_judge(design(), 4)
    assert first == plan_judge(design(n_judges=40), 4)
    assert [trial.image for trial in first] != [trial.image for trial in plan_judge(design(), 5)]
    assert first != plan_judge(design(seed=2025), 4)


def test_positions_count_from_one_without_gaps():
    trials = plan_judge(design(), 0)
    assert [trial.position for trial in trials] == list(range(1, len(trials) + 1))
    assert len(trials) == 50 + 2 + 2


@pytest.mark.parametrize("index", range(20))
def test_a_repeat_comes_well_after_its_first_showing_with_the_same_entries_newly_shuffled(index):
    trials = plan_judge(design(repeats_share=0.2), index)
    by_position = {trial.position: trial for trial in trials}
    repeats = [trial for trial in trials if trial.kind == "repeat"]
    assert len(repeats) == 10
    for trial in repeats:
        first = by_position[trial.repeats]
        assert (first.kind, first.image) == ("counted", trial.image)
        assert trial.position - first.position > 10
        assert sorted(first.tiles) == sorted(trial.tiles)
    assert any(by_position[trial.repeats].tiles != trial.tiles for trial in repeats)


def test_a_trap_has_a_blurred_copy_in_the_place_of_a_candidate_so_that_it_looks_like_any_other():
    for index in range(10):
        traps = [trial for trial in plan_judge(design(n_traps=3), index) if trial.kind == "trap"]
        assert len(traps) == 3
        assert all(trial.tiles.count(BLURRED) == 1 and len(trial.tiles) == len(ENTRIES) for trial in traps)
        assert all(trial.position > 1 for trial in traps)


def test_training_comes_before_with_places_of_its_own():
    trials = plan_training(design(n_training=2), 0)
    assert [(trial.position, trial.kind) for trial in trials] == [(1, "training"), (2, "training")]
    assert plan_training(design(n_training=0), 0) == ()


def test_a_hidden_entry_is_never_shown():
    hidden = frozenset({"c", "h"})
    for changes in ({}, {"tiles": 4}, {"mode": "pairwise", "points": (1,)}):
        for index in range(6):
            for trial in (
                *plan_judge(design(**changes), index, hidden=hidden),
                *plan_training(design(), index, hidden=hidden),
            ):
                assert not hidden & set(trial.tiles)
                assert len(set(trial.tiles)) == len(trial.tiles) >= 2


def test_ties_to_all_teams_but_one_leave_nothing_to_compare():
    with pytest.raises(InputError, match="nothing to compare"):
        plan_judge(design(), 0, hidden=frozenset(ENTRIES[1:]))


def test_no_entry_stands_at_a_place_of_the_screen_more_often_than_chance_lets_it():
    """Over 10,000 drawn trials; the seeds are fixed, so the verdict is always the same.

    Each trial has each entry once, so the statistic is (n - 1) / n of Pearson's (Anderson, JASA 1959).
    """
    counts = np.zeros((len(ENTRIES), len(ENTRIES)), int)
    n_trials = 0
    for index in range(200):
        for trial in plan_judge(design(seed=7), index):
            if trial.kind == "counted":
                n_trials += 1
                for place, entry in enumerate(trial.tiles):
                    counts[ENTRIES.index(entry), place] += 1
    assert n_trials == 10_000
    expected = n_trials / len(ENTRIES)
    statistic = ((counts - expected) ** 2 / expected).sum() * (len(ENTRIES) - 1) / len(ENTRIES)
    assert chi2.sf(statistic, (len(ENTRIES) - 1) ** 2) > 0.01


def test_no_image_comes_earlier_than_chance_lets_it():
    early = Counter(
        trial.image
        for index in range(200)
        for trial in plan_judge(design(seed=7, n_traps=0, repeats_share=0), index)
        if trial.position <= 25
    )
    assert chisquare([early[image] for image in IMAGES]).pvalue > 0.01


def test_the_kind_of_a_trial_does_not_show_in_how_many_candidates_it_has():
    for changes in ({}, {"tiles": 4}):
        for index in range(5):
            sizes = {len(trial.tiles) for trial in plan_judge(design(**changes), index)}
            assert len(sizes) == 1
