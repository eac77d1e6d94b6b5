import numpy as np
import pytest

from raim.study import StudyDesign, analyse, simulate_ballots
from raim.study.screening import bt500_rejects, likelihood_of
from raim.study.strengths import ChoiceSets, fit_quickly

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


def rejected_by_hand(ratings):
    """Read off the Recommendation, one grade after the other."""
    n_judges, n_images, n_entries = ratings.shape
    above, below = [0] * n_judges, [0] * n_judges
    for image in range(n_images):
        for entry in range(n_entries):
            grades = [float(each) for each in ratings[:, image, entry]]
            mean = sum(grades) / n_judges
            m2, m4 = (sum((each - mean) ** power for each in grades) / n_judges for power in (2, 4))
            deviation = (sum((each - mean) ** 2 for each in grades) / (n_judges - 1)) ** 0.5
            if deviation == 0:
                continue
            limit = deviation * (2 if 2 <= m4 / m2**2 <= 4 else 20**0.5)
            for judge, grade in enumerate(grades):
                above[judge] += grade >= mean + limit
                below[judge] += grade <= mean - limit
    n = n_images * n_entries
    return [(p + q) / n > 0.05 and abs(p - q) / (p + q) < 0.3 for p, q in zip(above, below, strict=True)]


@pytest.mark.parametrize("seed", range(4))
def test_bt500_is_the_recommendations_rule(seed):
    rng = np.random.default_rng(seed)
    ratings = np.clip(np.round(rng.normal(3, 0.6, (24, 15, 4))), 1, 5)
    ratings[0] = rng.choice([1, 5], (15, 4))
    expected = rejected_by_hand(ratings)
    assert [bool(each) for each in bt500_rejects(ratings)] == expected
    assert any(expected)


def test_a_likelihood_is_that_of_the_formula():
    """By hand: the others choose x out of x and y in 3 of 4, or in 3.5 of 5 with the prior."""
    winners = np.array([0, 0, 0, 1, 0, 0, 0])
    choices = ChoiceSets(
        winners=winners, available=np.ones((7, 2), bool), judges=np.array([0, 0, 0, 0, 1, 1, 1])
    )
    strength = fit_quickly(choices, choices.judges == 0)
    p = np.exp(strength) / np.exp(strength).sum()
    gains = np.log(2 * p)
    expected = 3 * (gains[0] - gains.mean()) / np.sqrt(3 * gains.var())
    assert p[0] == pytest.approx(0.7, abs=0.06)
    assert likelihood_of(choices, 1).z == pytest.approx(expected)
