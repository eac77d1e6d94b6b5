import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raim.study import (
    Ballots,
    StudyDesign,
    Vote,
    criterion_points,
    mean_points,
    points_array,
    simulate_ballots,
    turnout,
)

ENTRIES = ("x", "y", "z", "w")


def ballots(*votes, judges=("J1", "J2"), images=("1", "2"), **changes):
    return Ballots(
        **{"entries": ENTRIES, "images": images, "judges": judges, "votes": tuple(votes), **changes}
    )


def vote(judge, image, *choice, shown=ENTRIES, **changes):
    return Vote(judge=judge, image=image, position=1, shown=shown, choice=choice, **changes)


def test_points_are_summed_over_images_and_averaged_over_judges():
    found = ballots(
        vote("J1", "1", "x", "y", "z"), vote("J2", "1", "y", "x", "w"),
        vote("J1", "2", "x", "z", "y"), vote("J2", "2", "x", "y", "w"),
    )  # fmt: skip
    assert mean_points(points_array(found)).tolist() == [
        (3 + 2 + 3 + 3) / 2,
        (2 + 3 + 1 + 2) / 2,
        (1 + 2) / 2,
        1.0,
    ]


def test_an_absent_judge_is_no_judge_of_zeros():
    complete = ballots(vote("J1", "1", "x", "y", "z"), vote("J1", "2", "x", "y", "z"), judges=("J1",))
    absent = ballots(vote("J1", "1", "x", "y", "z"), vote("J1", "2", "x", "y", "z"))
    assert mean_points(points_array(complete)).tolist() == mean_points(points_array(absent)).tolist()
    assert turnout(absent).absent == ("J2",)
    assert not turnout(absent).is_complete


def test_repeats_and_traps_give_no_points():
    found = ballots(
        vote("J1", "1", "x", "y", "z"),
        vote("J1", "1", "w", kind="repeat"),
        vote("J1", "2", "w", kind="trap"),
        vote("J1", "2", "w", kind="training"),
    )
    assert np.nansum(points_array(found)) == 6
    assert turnout(found).n_votes == 1


def test_a_partial_ballot_gives_the_points_of_what_was_picked_and_is_counted():
    found = ballots(vote("J1", "1", "y"))
    assert points_array(found)[0, 0].tolist() == [0, 3, 0, 0]
    assert turnout(found).n_partial == 1


def test_an_entry_that_was_not_shown_loses_nothing():
    found = ballots(
        vote("J1", "1", "x", "y", shown=("x", "y")), vote("J2", "1", "z", "x", "y"), images=("1",)
    )
    assert mean_points(points_array(found)).tolist() == [2.5, 1.5, 3.0, 0.0]


def test_an_entry_nobody_saw_has_no_points():
    found = ballots(vote("J1", "1", "x", shown=("x", "y")))
    assert np.isnan(mean_points(points_array(found))[2:]).all()


def test_points_of_a_criterion_are_those_picks_that_name_it():
    found = ballots(
        vote("J1", "1", "x", "y", reasons={"x": ("noise",), "y": ("fidelity", "noise")}), images=("1",)
    )
    assert mean_points(criterion_points(found, "noise")).tolist() == [3, 2, 0, 0]
    assert mean_points(criterion_points(found, "fidelity")).tolist() == [0, 2, 0, 0]


def test_with_ratings_the_array_holds_grades():
    found = ballots(
        Vote(judge="J1", image="1", position=1, shown=ENTRIES, ratings={"x": 5, "y": 2}),
        mode="rating",
        points=(),
    )
    assert points_array(found)[0, 0, :2].tolist() == [5, 2]
    assert np.isnan(points_array(found)[0, 0, 2:]).all()


@settings(deadline=None)  # designs of another seed take their time
@given(seed=st.integers(0, 2**32), order=st.permutations(range(5)))
def test_the_order_of_judges_does_not_matter(seed, order):
    design = StudyDesign(
        seed=seed, entries=ENTRIES, images={"1": "", "2": "", "3": ""}, n_judges=5, n_traps=1, tiles=3
    )
    found = simulate_ballots(design, dict.fromkeys(ENTRIES, 0.0), np.random.default_rng(seed))
    points = points_array(found)
    assert mean_points(points[order]) == pytest.approx(mean_points(points), nan_ok=True)


def test_complete_ballots_give_six_points_a_judge_and_image():
    design = StudyDesign(seed=1, entries=ENTRIES, images={"1": "", "2": ""}, n_judges=3)
    found = simulate_ballots(design, dict.fromkeys(ENTRIES, 0.0), np.random.default_rng(1))
    assert mean_points(points_array(found)).sum() == pytest.approx(12)
    assert turnout(found).is_complete
