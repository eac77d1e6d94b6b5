import choix
import numpy as np
import pytest

from raim.study import StudyDesign, simulate_ballots
from raim.study.strengths import fit_quickly, fit_strengths, list_choices

ENTRIES = tuple("abcdefghi")
TRUE = np.linspace(-1.6, 1.6, 9)


def ballots(**changes):
    images = {str(k): "" for k in range(50)}
    design = StudyDesign(**{"seed": 3, "entries": ENTRIES, "images": images, "n_traps": 0, **changes})
    strengths = dict(zip(ENTRIES, TRUE.tolist(), strict=True))
    return simulate_ballots(design, strengths, np.random.default_rng(5), image_spread=0.0, judge_spread=0.0)


@pytest.mark.parametrize("changes", [{}, {"tiles": 4}, {"mode": "best", "points": (1,)}], ids=str)
def test_the_strengths_of_simulated_judges_come_out(changes):
    found = fit_strengths(list_choices(ballots(**changes)))
    assert np.corrcoef(found, TRUE)[0, 1] > 0.98
    assert np.abs(found - found.mean() - TRUE).max() < 0.45


def test_the_order_of_nine_entries_comes_out_of_eighteen_judges_and_fifty_images():
    found = fit_strengths(list_choices(ballots()))
    assert np.argsort(found).tolist() == list(range(9))


def test_pairs_give_strengths_too():
    found = fit_strengths(list_choices(ballots(mode="pairwise", points=(1,))))
    assert np.corrcoef(found, TRUE)[0, 1] > 0.97


def test_pairs_are_fitted_as_choix_fits_pairs():
    one = ballots(mode="pairwise", points=(1,))
    pairs = [
        (
            ENTRIES.index(vote.choice[0]),
            ENTRIES.index(next(name for name in vote.shown if name != vote.choice[0])),
        )
        for vote in one.votes
        if vote.kind == "counted"
    ]
    expected = choix.ilsr_pairwise(len(ENTRIES), pairs, alpha=0.01)
    assert fit_strengths(list_choices(one)) == pytest.approx(expected, abs=1e-9)


def test_the_quick_fit_is_the_other_ones():
    choices = list_choices(ballots(n_judges=6))
    quick = fit_quickly(choices, np.ones(len(choices.winners), bool))
    assert np.abs(quick - fit_strengths(choices)).max() < 0.06


def test_every_pick_is_a_choice_out_of_what_was_left():
    found = list_choices(ballots(n_judges=1))
    assert found.available.sum(1)[:3].tolist() == [9, 8, 7]
    assert len(found.winners) == 150
    assert found.available[np.arange(150), found.winners].all()


def test_without_choices_there_are_no_strengths():
    assert fit_strengths(list_choices(ballots(mode="rating", points=(), n_judges=2))) is None
