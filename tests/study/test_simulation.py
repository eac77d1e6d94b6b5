import numpy as np
import pytest

from raim.errors import InputError
from raim.study import BLURRED, StudyDesign, mean_points, points_array, simulate_ballots

ENTRIES = tuple("abcdef")
STRENGTHS = {name: 0.6 * (5 - place) for place, name in enumerate(ENTRIES)}


def design(**changes):
    images = {f"{number:02d}": "" for number in range(20)}
    return StudyDesign(
        **{"seed": 5, "entries": ENTRIES, "images": images, "n_judges": 6, "n_traps": 4, **changes}
    )


def test_stronger_entries_get_more_points():
    points = mean_points(points_array(simulate_ballots(design(), STRENGTHS, np.random.default_rng(1))))
    assert (np.diff(points) < 0).all()


def test_the_same_seed_gives_the_same_votes():
    first, second = (simulate_ballots(design(), STRENGTHS, np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_honest_judges_rarely_pick_the_blurred_copy_and_random_ones_do():
    habits = ["honest", "honest", "honest", "random", "random", "random"]
    ballots = simulate_ballots(design(n_traps=10), STRENGTHS, np.random.default_rng(1), habits=habits)
    traps = [vote for vote in ballots.votes if vote.kind == "trap"]
    picked = {
        judge: sum(BLURRED in vote.choice for vote in traps if vote.judge == judge)
        for judge in ballots.judges
    }
    assert (
        max(picked[name] for name in ballots.judges[:3])
        <= 2
        < min(picked[name] for name in ballots.judges[3:])
    )


def test_a_biased_judge_puts_the_favourite_first_and_a_lazy_one_takes_what_stands_first():
    ballots = simulate_ballots(
        design(), STRENGTHS, np.random.default_rng(1), habits=["biased", "lazy"], favourite="f"
    )
    for vote in ballots.votes:
        if vote.judge == "J01" and "f" in vote.shown:
            assert vote.choice[0] == "f"
        if vote.judge == "J02":
            assert vote.choice == vote.shown[:3]


@pytest.mark.parametrize(("mode", "points"), [("best", (1,)), ("pairwise", (1,)), ("rating", ())])
def test_every_mode_has_votes_of_its_kind(mode, points):
    ballots = simulate_ballots(design(mode=mode, points=points), STRENGTHS, np.random.default_rng(1))
    for vote in ballots.votes:
        assert (len(vote.choice), len(vote.ratings)) == ((0, len(vote.shown)) if mode == "rating" else (1, 0))


def test_an_entry_without_a_strength_is_refused():
    with pytest.raises(InputError, match="'f' has no strength"):
        simulate_ballots(design(), dict.fromkeys("abcde", 0), np.random.default_rng(1))
