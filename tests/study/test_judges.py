from dataclasses import replace

import numpy as np
import pytest

from raim.study import StudyDesign, simulate_ballots
from raim.study.judges import judge_codes, judge_results, judge_totals

ENTRIES = tuple("abcdef")
STRENGTHS = dict(zip(ENTRIES, np.linspace(2.0, -2.0, 6).tolist(), strict=True))


def ballots(seed=1, strengths=STRENGTHS, habits=(), **changes):
    settings = {"n_judges": 9, "repeats_share": 0.2, "n_traps": 2, **changes}
    images = {str(k): "" for k in range(30)}
    design = StudyDesign(seed=seed, entries=ENTRIES, images=images, **settings)
    return simulate_ballots(design, strengths, np.random.default_rng(seed), habits=habits)


def results(*habits, **changes):
    return judge_results(ballots(habits=habits, **changes), frozenset())


def test_codes_are_in_the_order_of_the_ballots_and_have_no_names():
    names = tuple(f"judge {k}" for k in range(120))
    one = replace(ballots(), judges=names, votes=())
    assert list(judge_codes(one).values())[:2] == ["J001", "J002"]
    assert all(
        each.code.startswith("J") and each.why == "no vote that counts"
        for each in judge_results(one, frozenset())
    )


def test_totals_are_per_image_that_the_judge_saw():
    one = ballots()
    half = {f"{k}" for k in range(15)}
    votes = tuple(vote for vote in one.votes if vote.judge != "J01" or vote.image in half)
    totals = judge_totals(replace(one, votes=votes))
    assert totals.sum(1) == pytest.approx(np.full(9, 6.0 * 30))


def test_repeats_and_traps_are_counted_for_each_judge():
    found = results()
    assert {each.n_repeats for each in found} == {6}
    assert {each.n_traps for each in found} == {2}
    assert all(each.overlap > 0.5 for each in found)


def test_who_alone_favours_an_entry_is_flagged_with_the_numbers():
    flags = results("biased", n_judges=18)[0].flags
    favour = next(each for each in flags if each.kind == "favour")
    assert favour.words.startswith("90 points for f, where the others give ")


def test_entries_that_are_alike_flag_nobody_for_unlikely_choices():
    alike = dict.fromkeys(ENTRIES, 0.0)
    for seed in range(5):
        found = results(seed=seed, strengths=alike)
        assert not [flag for each in found for flag in each.flags if flag.kind in ("likelihood", "repeats")]


def test_few_votes_are_not_compared_with_the_others():
    one = ballots()
    votes = tuple(vote for vote in one.votes if vote.judge != "J01" or vote.image in {"1", "2"})
    first = judge_results(replace(one, votes=votes), frozenset())[0]
    assert (first.agreement, first.likelihood) == (None, None)
    assert first.why.startswith("fewer than 5 votes")


def test_a_pace_at_which_nobody_can_look_is_flagged():
    one = ballots()
    votes = tuple(replace(vote, seconds=1.2) if vote.judge == "J02" else vote for vote in one.votes)
    found = judge_results(replace(one, votes=votes), frozenset())
    assert [flag.words for flag in found[1].flags] == [
        "half of the votes came after less than 1.2 s (flagged below 3 s)"
    ]


def test_who_is_excluded_does_not_decide_who_is_flagged():
    one = ballots(habits=("random",))
    with_all, without = judge_results(one, frozenset()), judge_results(one, frozenset({"J01"}))
    assert [each.flags for each in with_all] == [each.flags for each in without]
    assert [each.is_excluded for each in without] == [True] + [False] * 8
