import numpy as np
import pytest

from raim.study.drawing import NOBODY, TOO_FEW, draw_points, estimate_ranks

NAN = np.nan


def some_points(seed=1, judges=6, images=8, entries=4):
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile([3.0, 2.0, 1.0, 0.0][:entries], (judges, images, 1)), axis=2)


def test_judges_and_images_without_a_vote_change_no_draw_but_the_scale():
    points = some_points()
    wider = np.full((9, 10, 4), NAN)
    wider[1:7, 2:] = points
    one = draw_points(points, np.random.default_rng(3), 60)
    other = draw_points(wider, np.random.default_rng(3), 60)
    assert other.draws == pytest.approx(one.draws * 10 / 8)
    assert other.values == pytest.approx(one.values * 10 / 8)


def test_all_points_of_a_draw_are_given_to_somebody():
    points = some_points()
    drawn = draw_points(points, np.random.default_rng(3), 60)
    assert drawn.draws.sum(1) == pytest.approx(np.full(60, 6.0 * 8))


def test_the_draws_of_complete_votes_are_those_of_the_way_that_allows_gaps():
    points = some_points()
    gap = np.concatenate(
        [points, np.full((6, 8, 1), NAN)], axis=2
    )  # an entry that nobody saw takes the other way
    one = draw_points(points, np.random.default_rng(3), 60)
    other = draw_points(gap, np.random.default_rng(3), 60)
    assert other.draws[:, :4] == pytest.approx(one.draws)
    assert np.isnan(other.draws[:, 4]).all()


def test_an_entry_that_nobody_saw_has_a_reason_in_place_of_points():
    points = some_points()
    points[:, :, 2] = NAN
    found = draw_points(points, np.random.default_rng(3), 60).estimates()
    assert (found[2].value, found[2].low, found[2].why) == (None, None, NOBODY)
    assert found[0].low <= found[0].value <= found[0].high


@pytest.mark.parametrize(("judges", "images"), [(1, 8), (6, 1)])
def test_one_judge_or_one_image_gives_points_without_an_interval(judges, images):
    found = draw_points(some_points(judges=judges, images=images), np.random.default_rng(3), 60).estimates()
    assert all(each.value is not None and each.low is None and each.why == TOO_FEW for each in found)


def test_no_vote_gives_no_points_and_no_warning():
    drawn = draw_points(np.full((3, 4, 2), NAN), np.random.default_rng(3), 60)
    assert np.isnan(drawn.values).all()
    assert draw_points(np.zeros((0, 4, 2)), np.random.default_rng(3), 60).draws.shape == (0, 2)


def test_grades_are_means_and_not_sums():
    points = some_points()
    total = draw_points(points, np.random.default_rng(3), 60)
    mean = draw_points(points, np.random.default_rng(3), 60, is_mean=True)
    assert mean.draws == pytest.approx(total.draws / 8)
    assert mean.values == pytest.approx(points.mean((0, 1)))


def test_ranks_are_among_those_that_can_be_ranked():
    values = np.array([5.0, 9.0, NAN, 7.0])
    draws = np.tile(values, (10, 1))
    found = estimate_ranks(values, draws, ["", "left out", "not seen", ""])
    assert [each.value for each in found] == [2, None, None, 1]
    assert [each.why for each in found] == ["", "left out", "not seen", ""]
    assert found[3].shares == (1.0, 0.0)


def test_equal_after_rounding_share_the_better_rank():
    values = np.array([80.001, 80.004, 79.0])
    found = estimate_ranks(values, np.tile(values, (4, 1)), [""] * 3, decimals=2)
    assert [each.value for each in found] == [1, 1, 3]
    assert [each.first for each in found] == [1.0, 1.0, 0.0]


def test_ranks_are_of_the_numbers_that_are_printed():
    found = estimate_ranks(np.array([2.68, 2.675]), np.zeros((0, 2)), ["", ""], decimals=2)
    assert [each.value for each in found] == [1, 2]
