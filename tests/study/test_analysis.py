import json
from dataclasses import replace

import numpy as np
import pytest

from raim.study import Ballots, StudyDesign, Vote, analyse, analysis_as_plain, simulate_ballots

ENTRIES = tuple("abcdef")
STRENGTHS = dict(zip(ENTRIES, np.linspace(1.5, -1.5, 6).tolist(), strict=True))
SCORES = dict(zip(ENTRIES, [70.0, 80.0, 75.0, 60.0, 65.0, 72.0], strict=True))


def ballots(seed=1, **changes):
    images = {str(k): ("moire", "noise")[k % 2] for k in range(20)}
    design = StudyDesign(**{"seed": seed, "entries": ENTRIES, "images": images, "n_judges": 8, **changes})
    return simulate_ballots(design, STRENGTHS, np.random.default_rng(seed))


def test_points_finals_and_ranks_have_intervals_that_hold_them():
    found = analyse(ballots(), scores=SCORES, n_draws=300)
    for row in found.entries:
        for each in (row.points, row.crossed, row.normalised, row.final):
            assert each.low <= each.value <= each.high
        assert row.final_rank.low <= row.final_rank.value <= row.final_rank.high
        assert sum(row.final_rank.shares) == pytest.approx(1)
    assert [row.points_rank.value for row in found.entries] == [1, 2, 3, 4, 5, 6]
    assert found.concordance.w > 0.5
    assert found.alpha.value > 0.1


def test_the_same_seed_gives_the_same_numbers_and_the_order_of_votes_does_not_matter():
    one = ballots()
    other = replace(one, votes=tuple(reversed(one.votes)))
    assert analysis_as_plain(analyse(one, n_draws=50)) == analysis_as_plain(analyse(other, n_draws=50))


def test_points_are_given_per_issue():
    found = analyse(ballots(), n_draws=50)
    assert [(part.name, part.n_images) for part in found.issues] == [("moire", 10), ("noise", 10)]
    for place in range(len(ENTRIES)):
        total = sum(part.entries[place].points.value for part in found.issues)
        assert total == pytest.approx(found.entries[place].points.value)


def test_points_are_given_per_criterion_where_reasons_were_given():
    one = ballots()
    votes = tuple(
        replace(vote, reasons={vote.choice[0]: ("noise",)}) if vote.choice else vote for vote in one.votes
    )
    found = analyse(replace(one, votes=votes), n_draws=50)
    assert [part.name for part in found.criteria] == ["noise"]
    assert found.criteria[0].n_reasons == 8 * 20
    assert sum(row.points.value for row in found.criteria[0].entries) == pytest.approx(3 * 20)
    assert analyse(one, n_draws=50).criteria == ()


def test_an_entry_that_is_left_out_keeps_its_points_and_has_no_rank():
    found = analyse(ballots(), scores=SCORES, left_out=frozenset({"a"}), n_draws=50)
    first = found.entries[0]
    assert first.is_left_out
    assert first.points.value > 0
    assert (first.final_rank.value, first.final.value, first.normalised.value) == (None, None, None)
    assert first.final_rank.why == "it is left out of the ranking"
    assert found.entries[1].normalised.value == 100


def test_an_entry_that_is_ranked_alone_is_said_to_be():
    everybody = ballots().entries
    found = analyse(ballots(), scores=SCORES, left_out=frozenset(everybody[1:]), n_draws=5)
    assert found.entries[0].normalised.why.startswith("only one team is ranked")
    assert found.entries[0].normalised.why in found.notes


def test_an_excluded_judge_counts_for_nothing_and_the_result_with_everyone_stands_beside():
    one = ballots()
    found = analyse(one, excluded_judges=frozenset({"J03"}), n_draws=50)
    without = replace(
        one,
        judges=tuple(name for name in one.judges if name != "J03"),
        votes=tuple(vote for vote in one.votes if vote.judge != "J03"),
    )
    expected = analyse(without, n_draws=50)
    assert [row.points.value for row in found.entries] == [row.points.value for row in expected.entries]
    assert [row.points.value for row in found.with_everyone] == [
        row.points.value for row in analyse(one, n_draws=50).entries
    ]
    assert found.excluded == ("J03",)
    assert [judge.is_excluded for judge in found.judges].count(True) == 1


def test_absent_judges_and_partial_ballots_are_stated():
    one = ballots()
    votes = [replace(vote, choice=vote.choice[:1]) if vote.judge == "J01" else vote for vote in one.votes]
    found = analyse(replace(one, votes=tuple(vote for vote in votes if vote.judge != "J08")), n_draws=50)
    assert found.absent == ("J08",)
    assert found.turnout.n_partial == 20
    assert any("have not voted (J08)" in note for note in found.notes)
    assert any("20 ballots are partial" in note for note in found.notes)


def test_equal_points_give_no_nan():
    shown = ("x", "y")
    votes = tuple(
        Vote(judge=judge, image="1", position=1, shown=shown, choice=shown if judge == "A" else shown[::-1])
        for judge in ("A", "B")
    )
    one = Ballots(entries=shown, images=("1",), judges=("A", "B"), votes=votes, points=(3, 2))
    found = analyse(one, scores={"x": 80.0, "y": 70.0}, n_draws=50)
    assert [row.normalised.value for row in found.entries] == [None, None]
    assert [row.final.value for row in found.entries] == [80.0, 70.0]
    json.dumps(analysis_as_plain(found), allow_nan=False)


@pytest.mark.parametrize("changes", [
    {"mode": "rating", "points": ()}, {"mode": "best", "points": (1,)}, {"mode": "pairwise", "points": (1,)},
    {"tiles": 3}, {"n_judges": 1},
], ids=str)  # fmt: skip
def test_every_kind_of_study_is_analysed_without_nan(changes):
    found = analyse(ballots(**changes), scores=SCORES, n_draws=50)
    json.dumps(analysis_as_plain(found), allow_nan=False)
    if changes.get("mode") == "rating":
        assert found.unit == "mean opinion score"
        assert all(1 <= row.points.value <= 5 for row in found.entries)


def test_a_study_without_a_vote_has_reasons_in_place_of_numbers():
    one = replace(ballots(), votes=())
    found = analyse(one, scores=SCORES, n_draws=50)
    assert all(row.points.value is None and row.points.why for row in found.entries)
    assert all(judge.why == "no vote that counts" for judge in found.judges)
    json.dumps(analysis_as_plain(found), allow_nan=False)


def test_names_of_judges_are_not_written():
    one = replace(ballots(n_judges=1), judges=("Ada Lovelace",))
    one = replace(one, votes=tuple(replace(vote, judge="Ada Lovelace") for vote in one.votes))
    assert "Lovelace" not in json.dumps(analysis_as_plain(analyse(one, n_draws=50)))
