import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.challenge import Award, Entrant, Weights, final_scores, rank_teams, shared_ranks
from raim.errors import InputError

# Table 1 of arXiv 2405.09923: S2, S3 -> final, rank.
TABLE_1 = {
    "MiAlgo": (79.13, 57, 91.65, 1),
    "Xhs-IAG": (81.96, 47, 82.07, 2),
    "So Elegant": (79.69, 46, 80.09, 3),
    "IIP_IR": (80.03, 14, 45.94, 4),
    "DACLIP-IR": (78.65, 9, 40.03, 5),
    "TongJi-IPOE": (72.99, 11, 39.91, 6),
    "ImagePhoneix": (78.93, 4, 34.79, 7),
    "HIT-IIL": (69.80, 1, 27.92, 8),
}
AWARDS = (
    Award(id="first", name="First"),
    Award(id="second", name="Second", places=2),
    Award(id="third", name="Third", places=3),
)
numbers = st.floats(0, 100, allow_nan=False)
teams = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8)


def entrants(pairs):
    return [Entrant(team=f"team {place}", score=s2, points=s3) for place, (s2, s3) in enumerate(pairs)]


def test_table_1_of_the_report_comes_out():
    ranking = rank_teams(
        [Entrant(team=team, score=s2, points=float(s3)) for team, (s2, s3, _, _) in TABLE_1.items()],
        awards=AWARDS,
    )
    found = {row.team: (row.rank, round(row.final, 2)) for row in ranking.rows}
    assert found == {team: (rank, final) for team, (_, _, final, rank) in TABLE_1.items()}
    awards = [row.award for row in ranking.rows]
    assert awards == ["First", "Second", "Second", "Third", "Third", "Third", "", ""]


def test_the_effective_weights_of_table_1_are_about_8_to_92():
    ranking = rank_teams(
        [Entrant(team=team, score=s2, points=float(s3)) for team, (s2, s3, _, _) in TABLE_1.items()]
    )
    assert round(100 * ranking.effective.score) == 7
    assert ranking.effective.score == pytest.approx(0.4 * 12.16 / (0.4 * 12.16 + 60))
    assert ranking.effective.score + ranking.effective.study == pytest.approx(1)


def test_who_is_left_out_after_the_vote_counts_for_no_minimum_and_gives_its_points_to_nobody():
    table = {team: (s2, float(s3), final, rank) for team, (s2, s3, final, rank) in TABLE_1.items()}
    everybody = [Entrant(team=team, score=s2, points=s3) for team, (s2, s3, _, _) in table.items()]
    out = Entrant(team="Gone", score=75.0, points=111.0, left_out="no code was sent")
    ranking = rank_teams([*everybody, out])
    assert {row.team: round(row.final, 2) for row in ranking.rows} == {
        team: row[2] for team, row in table.items()
    }
    assert [(row.team, row.rank, row.why_unranked) for row in ranking.left_out] == [
        ("Gone", None, "left out: no code was sent")
    ]
    assert ranking.with_left_out.rows[0].team == "Gone"
    assert ranking.with_left_out.rows[0].normalised == 100


def test_equal_points_leave_the_score_alone_and_say_so():
    ranking = rank_teams(entrants([(80.0, 5.0), (90.0, 5.0)]))
    assert [(row.team, row.final, row.normalised) for row in ranking.rows] == [
        ("team 1", 90.0, None),
        ("team 0", 80.0, None),
    ]
    assert "SCORE alone decides" in ranking.note
    assert ranking.effective is None


def test_one_ranked_team_alone_is_not_said_to_have_equal_points():
    ranking = rank_teams(
        [Entrant(team="A", score=80.0, points=5.0), Entrant(team="B", score=None, points=9.0)]
    )
    assert [(row.team, row.final, row.rank) for row in ranking.rows] == [("A", 80.0, 1), ("B", None, None)]
    assert ranking.note.startswith("only one team is ranked, ")


def test_a_tie_shares_the_better_rank_and_its_award():
    ranking = rank_teams(entrants([(80.0, 5.0), (80.0, 5.0), (70.0, 5.0), (60.0, 1.0)]), awards=AWARDS)
    assert [row.rank for row in ranking.rows] == [1, 1, 3, 4]
    assert [row.award for row in ranking.rows] == ["First", "First", "Second", "Third"]


def test_finals_are_compared_as_they_are_rounded():
    close = entrants([(80.001, 5.0), (80.002, 5.0), (10.0, 0.0)])
    assert [row.rank for row in rank_teams(close).rows] == [1, 1, 3]
    assert [row.rank for row in rank_teams(close, decimals=4).rows] == [1, 2, 3]


def test_a_team_without_score_or_points_has_no_rank_but_the_reason():
    ranking = rank_teams([*entrants([(80.0, 5.0), (70.0, 9.0)]), Entrant(team="x", score=None, points=7.0),
                          Entrant(team="y", score=60.0)])  # fmt: skip
    assert [(row.team, row.rank, row.why_unranked) for row in ranking.rows[2:]] == [
        ("x", None, "it has no SCORE"),
        ("y", None, "it has no points: the study has not judged it"),
    ]
    assert max(row.normalised for row in ranking.ranked) == 100


def test_without_a_study_the_score_ranks():
    ranking = rank_teams(
        [Entrant(team="a", score=1.0), Entrant(team="b", score=2.0)], weights=Weights(score=1, study=0)
    )
    assert [(row.team, row.final) for row in ranking.rows] == [("b", 2.0), ("a", 1.0)]
    assert ranking.note == ""


def test_nobody_is_an_empty_ranking():
    assert rank_teams([]).rows == ()


def test_the_same_team_twice_and_nan_are_refused():
    with pytest.raises(InputError, match="'a' is named twice"):
        rank_teams([Entrant(team="a", score=1.0, points=1.0), Entrant(team="a", score=2.0, points=1.0)])
    with pytest.raises(InputError, match="the points of 'a' is nan"):
        rank_teams([Entrant(team="a", score=1.0, points=float("nan"))])


@given(pairs=teams, data=st.data())
def test_the_order_of_teams_does_not_matter(pairs, data):
    order = data.draw(st.permutations(range(len(pairs))))
    everybody = entrants(pairs)
    assert rank_teams(everybody).rows == rank_teams([everybody[place] for place in order]).rows


@given(pairs=teams, factor=st.floats(0.1, 10), shift=st.floats(-50, 50))
def test_only_the_proportions_of_points_matter(pairs, factor, shift):
    plain = rank_teams(entrants(pairs), decimals=6)
    scaled = rank_teams(entrants([(s2, factor * s3 + shift) for s2, s3 in pairs]), decimals=6)
    if plain.note or scaled.note:
        return
    spread = max(s3 for _, s3 in pairs) - min(s3 for _, s3 in pairs)
    if spread < 1e-3:  # what is left of the digits after a shift is noise
        return
    found = {row.team: row.final for row in scaled.rows}
    assert {row.team: row.final for row in plain.rows} == pytest.approx(found, abs=1e-6)


@given(pairs=teams)
def test_many_draws_at_once_are_each_ranked_as_one(pairs):
    scores, points = (np.array(column, float) for column in zip(*pairs, strict=True))
    draws = np.stack([points, points[::-1], np.zeros(len(pairs))])
    finals = final_scores(scores, draws, Weights())
    for draw, row in zip(draws, finals, strict=True):
        one = rank_teams(entrants(list(zip(scores.tolist(), draw.tolist(), strict=True))), decimals=12)
        by_team = {each.team: each for each in one.rows}
        assert [by_team[f"team {place}"].final for place in range(len(pairs))] == pytest.approx(row.tolist())
    assert shared_ranks(finals).min(-1).tolist() == [1, 1, 1]


@given(st.lists(st.integers(-200_000, 200_000).map(lambda number: number / 1000), min_size=2, max_size=8))
def test_teams_share_a_rank_just_where_the_printed_scores_are_the_same(scores):
    everybody = [Entrant(team=f"t{place}", score=score) for place, score in enumerate(scores)]
    rows = rank_teams(everybody, weights=Weights(score=1.0, study=0.0)).rows
    printed = [float(f"{row.final:.2f}") for row in rows]
    assert [row.rank for row in rows] == [1 + sum(other > own for other in printed) for own in printed]


def test_what_prints_as_267_is_not_ranked_as_268():
    entrants = [Entrant(team="a", score=2.68), Entrant(team="b", score=2.675)]
    rows = rank_teams(entrants, weights=Weights(score=1.0, study=0.0)).rows
    assert [(row.rank, f"{row.final:.2f}") for row in rows] == [(1, "2.68"), (2, "2.67")]
