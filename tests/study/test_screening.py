import numpy as np
import pytest

from raim.study import StudyDesign, analyse, simulate_ballots
from raim.study.screening import bt500_rejects

ENTRIES = tuple("abcdefghi")
STRENGTHS = dict(zip(ENTRIES, np.linspace(1.6, -1.6, 9).tolist(), strict=True))


def found(habits, seed=1, **changes):
    images = {str(k): "" for k in range(50)}
    design = StudyDesign(
        **{"seed": seed, "entries": ENTRIES, "images": images, "repeats_share": 0.1, "n_traps": 4, **changes}
    )
    ballots = simulate_ballots(design, STRENGTHS, np.random.default_rng(seed), habits=habits)
    return analyse(ballots, n_draws=50)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_biased_and_lazy_judges_are_flagged_and_honest_ones_are_not(seed):
    result = found(["random", "biased", "lazy"], seed)
    assert {flag.code for flag in result.flags} == {"J01", "J02", "J03"}
    assert [bool(judge.flags) for judge in result.judges] == [True] * 3 + [False] * 15
    assert len(result.without_flagged) == len(ENTRIES)


def test_a_random_judges_likelihood_is_near_zero_and_an_honest_ones_is_large():
    result = found(["random"])
    assert abs(result.judges[0].likelihood) < 3
    assert min(judge.likelihood for judge in result.judges[1:]) > 8


def test_a_flag_says_its_numbers_and_threshold():
    words = " ".join(flag.words for flag in found(["random"]).flags)
    assert "flagged below 3" in words


def test_bt500_is_used_for_ratings_alone():
    result = found(["random", "random"], mode="rating", points=())
    kinds = {flag.kind for flag in result.flags}
    assert kinds <= {"ratings", "trap", "repeats", "agreement"}
    assert {"J01", "J02"} & {flag.code for flag in result.flags if flag.kind == "ratings"}
    assert "ratings" not in {flag.kind for flag in found(["random"]).flags}


def test_bt500_rejects_who_is_beyond_the_limits_on_both_sides():
    rng = np.random.default_rng(1)
    ratings = rng.normal(3, 0.3, (20, 40, 5))
    ratings[0] += rng.choice([-0.9, 0.9], (40, 5))
    reasons = bt500_rejects(ratings)
    assert "BT.500" in reasons[0]
    assert not any(reasons[1:])
