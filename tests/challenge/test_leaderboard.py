import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from challenge_case import utc
from raim.challenge import BoardEntry, LeaderboardRule, rank_entries
from raim.errors import InputError
from raim.scoring import PROFILES

# SCORE of the eight finalists, Table 1 of the report (arXiv 2405.09923); S2 column.
TABLE_1 = {
    "MiAlgo": 79.13,
    "Xhs-IAG": 81.96,
    "So Elegant": 79.69,
    "IIP_IR": 80.03,
    "DACLIP-IR": 78.65,
    "TongJi-IPOE": 72.99,
    "ImagePhoneix": 78.93,
    "HIT-IIL": 69.80,
}


def entry(team, score, *, number=1, **more):
    more.setdefault("submitted_at", utc(3, 10) + timedelta(hours=number))
    return BoardEntry(id=f"{team}-{number}", team=team, score=score, **more)


def ranks(*entries, **rule):
    rows = rank_entries(
        entries, rule=LeaderboardRule(**rule), is_higher_better=PROFILES["raim-2024"].is_higher_better
    )
    return [(row.rank, row.entry.id) for row in rows]


def test_the_scores_of_table_1_come_out_in_their_order():
    rows = rank_entries(entry(team, score) for team, score in TABLE_1.items())
    assert [row.entry.team for row in rows[:4]] == ["Xhs-IAG", "IIP_IR", "So Elegant", "MiAlgo"]
    assert [row.rank for row in rows] == list(range(1, 9))


def test_a_tie_shares_the_better_rank_and_the_next_one_is_left_out():
    assert ranks(
        entry("a", 80.0), entry("b", 70.0, number=1), entry("c", 70.0, number=2), entry("d", 60.0)
    ) == [
        (1, "a-1"),
        (2, "b-1"),
        (2, "c-2"),
        (4, "d-1"),
    ]


def test_scores_tie_when_they_are_shown_as_the_same():
    pair = entry("late", 79.694, number=2), entry("early", 79.691, number=1)
    assert ranks(*pair) == [(1, "early-1"), (1, "late-2")]
    assert ranks(*pair, decimals=3) == [(1, "late-2"), (2, "early-1")]


def test_stated_measures_break_ties_in_their_direction_and_order():
    a = entry("a", 70.0, measures={"dists": 0.2, "psnr": 30.0})
    b = entry("b", 70.0, measures={"dists": 0.1, "psnr": 20.0})
    c = entry("c", 70.0, measures={"dists": 0.1, "psnr": 25.0})
    assert ranks(a, b, c, ties=("dists", "psnr")) == [(1, "c-1"), (2, "b-1"), (3, "a-1")]
    assert ranks(a, b, c, ties=("psnr",)) == [(1, "a-1"), (2, "c-1"), (3, "b-1")]


def test_a_tie_is_broken_only_by_what_the_rounding_leaves():
    pair = entry("a", 70.0, measures={"dists": 0.10001}), entry("b", 70.0, measures={"dists": 0.10002})
    assert [rank for rank, _ in ranks(*pair, ties=("dists",))] == [1, 1]


def test_a_missing_measure_loses_a_tie():
    pair = entry("a", 70.0, measures={"dists": None}), entry("b", 70.0, number=2, measures={"dists": 0.9})
    assert ranks(*pair, ties=("dists",)) == [(1, "b-2"), (2, "a-1")]


def test_a_missing_score_is_never_ranked_and_says_why():
    rows = rank_entries([entry("a", None, unscored="2 images are missing"), entry("b", -50.0)])
    assert [(row.entry.team, row.rank, row.why_unranked) for row in rows] == [
        ("b", 1, ""),
        ("a", None, "2 images are missing"),
    ]


def test_only_the_best_entry_of_a_team_counts():
    rows = rank_entries([entry("a", 60.0, number=1), entry("a", 70.0, number=2), entry("a", None, number=3)])
    assert [(row.entry.id, row.n_entries) for row in rows] == [("a-2", 3)]


def test_of_equal_entries_of_a_team_the_earlier_one_counts():
    assert ranks(entry("a", 70.001, number=1), entry("a", 70.002, number=2)) == [(1, "a-1")]


def test_a_chosen_entry_counts_where_the_challenge_says_so():
    entries = entry("a", 60.0, number=1, is_chosen=True), entry("a", 70.0, number=2), entry("b", 65.0)
    assert ranks(*entries, counts="chosen") == [(1, "b-1"), (2, "a-1")]
    assert ranks(*entries, counts="best") == [(1, "a-2"), (2, "b-1")]


def test_a_choice_without_a_score_does_not_take_a_team_off_the_board():
    entries = entry("a", None, number=2, is_chosen=True), entry("a", 70.0, number=1)
    assert ranks(*entries, counts="chosen") == [(1, "a-1")]


def test_the_last_entry_that_has_a_score_counts_where_the_challenge_says_so():
    entries = (
        entry("a", 70.0, number=1),
        entry("a", 60.0, number=2),
        entry("a", None, number=3),
        entry("b", 65.0),
    )
    assert ranks(*entries, counts="last") == [(1, "b-1"), (2, "a-2")]
    assert ranks(entry("a", None, number=1), entry("b", 65.0), counts="last") == [(1, "b-1"), (None, "a-1")]


def test_baselines_and_entries_out_of_competition_are_listed_without_a_rank():
    rows = rank_entries([
        entry("hosts", 75.0, is_baseline=True),
        entry("hosts", 65.0, number=2, is_baseline=True),
        entry("guest", 90.0, is_out_of_competition=True),
        entry("a", 80.0),
        entry("b", 70.0),
    ])  # fmt: skip
    assert [(row.entry.id, row.rank, row.why_unranked) for row in rows] == [
        ("guest-1", None, "out of competition"),
        ("a-1", 1, ""),
        ("hosts-1", None, "baseline"),
        ("b-1", 2, ""),
        ("hosts-2", None, "baseline"),
    ]


def test_a_team_keeps_its_rank_beside_its_entry_out_of_competition():
    rows = rank_entries([entry("a", 90.0, is_out_of_competition=True), entry("a", 70.0, number=2)])
    assert [(row.rank, row.n_entries) for row in rows] == [(None, 1), (1, 1)]


@pytest.mark.parametrize("score", [math.inf, -math.inf])
def test_an_infinite_score_is_none(score):
    rows = rank_entries([entry("a", 99.0), entry("b", score)])
    assert [(row.rank, row.entry.id) for row in rows] == [(1, "a-1"), (None, "b-1")]
    assert rows[1].why_unranked == "its SCORE is infinite, which is no score"


def test_not_a_number_is_refused():
    with pytest.raises(InputError, match="the score of entry 'a-1' is NaN"):
        rank_entries([entry("a", math.nan)])
    with pytest.raises(InputError, match="the dists of entry 'a-1' is NaN"):
        rank_entries([entry("a", 1.0, measures={"dists": math.nan})])


def test_the_same_id_twice_is_refused():
    with pytest.raises(InputError, match="two entries have the id 'a-1'"):
        rank_entries([entry("a", 1.0), entry("a", 2.0)])


# Records are made in the tests: the checker of types draws at random, which strategies must not.
ENTRIES = st.lists(
    st.fixed_dictionaries({
        "id": st.integers(0, 10**6).map(str),
        "team": st.sampled_from("abcde"),
        "submitted_at": st.integers(0, 3).map(lambda hour: utc(3, 10, hour)),
        "score": st.none() | st.integers(0, 30).map(lambda value: value / 1000),
        "measures": st.fixed_dictionaries({"dists": st.none() | st.sampled_from([0.1, 0.2])}),
        "is_chosen": st.booleans(),
        "is_baseline": st.sampled_from([False, False, False, True]),
        "is_out_of_competition": st.sampled_from([False, False, False, True]),
    }),
    max_size=14,
    unique_by=lambda each: each["id"],
)  # fmt: skip
RULES = st.fixed_dictionaries({
    "decimals": st.integers(0, 3),
    "ties": st.sampled_from([(), ("dists",)]),
    "counts": st.sampled_from(["best", "last", "chosen"]),
})  # fmt: skip


def board(entries, rule):
    made = [BoardEntry(**each) for each in entries]
    return rank_entries(made, rule=LeaderboardRule(**rule), is_higher_better=lambda _: False)


@given(ENTRIES.flatmap(lambda entries: st.tuples(st.just(entries), st.permutations(entries))), RULES)
def test_the_order_of_entries_does_not_matter(both, rule):
    assert board(both[0], rule) == board(both[1], rule)


@given(ENTRIES, RULES)
def test_ranks_are_those_of_the_rounded_scores(entries, rule):
    rows = [row for row in board(entries, rule) if row.rank is not None]
    assert all(row.entry.score is not None and row.entry.is_competing for row in rows)
    assert len({row.entry.team for row in rows}) == len(rows)
    if not rule["ties"]:
        shown = [round(row.entry.score, rule["decimals"]) for row in rows]
        assert [row.rank for row in rows] == [1 + sum(other > one for other in shown) for one in shown]


@given(ENTRIES, RULES)
def test_every_competing_team_has_one_row_and_every_other_entry_its_own(entries, rule):
    rows = board(entries, rule)
    competing = [each for each in entries if not each["is_baseline"] and not each["is_out_of_competition"]]
    teams = [row.entry.team for row in rows if row.entry.is_competing]
    assert sorted(teams) == sorted({each["team"] for each in competing})
    assert len(rows) == len(teams) + len(entries) - len(competing)


@given(ENTRIES, RULES)
def test_entries_that_do_not_compete_change_no_rank(entries, rule):
    competing = [each for each in entries if not each["is_baseline"] and not each["is_out_of_competition"]]
    with_others = {row.entry.id: row.rank for row in board(entries, rule) if row.entry.is_competing}
    assert with_others == {row.entry.id: row.rank for row in board(competing, rule)}
