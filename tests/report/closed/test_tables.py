from dataclasses import replace

import pytest

from closed_material import TABLE_1, make_material
from raim.challenge import Entrant, Weights, rank_teams
from raim.report.closed.grid import write_cell
from raim.report.closed.material import SIMULATED, Material
from raim.report.closed.tables import make_tables


def find(material, name):
    return next((each for each in make_tables(material) if each.name == name), None)


def column(grid, key):
    place = [each.key for each in grid.headings].index(key)
    return [row[place] for row in grid.rows]


def shown(grid, key):
    place = [each.key for each in grid.headings].index(key)
    return [write_cell(grid.headings[place], row[place]) for row in grid.rows]


def test_table_1_of_the_report_comes_out_to_two_decimals():
    ranking = rank_teams(
        [Entrant(team=team, score=s2, points=float(s3)) for team, (s2, s3, *_) in TABLE_1.items()]
    )
    grid = find(Material(title="RAIM", ranking=ranking), "ranking")
    found = zip(shown(grid, "team"), shown(grid, "final"), shown(grid, "rank"), strict=True)
    assert list(found) == [(team, f"{final:.2f}", str(rank)) for team, (_, _, final, rank) in TABLE_1.items()]


def test_table_1_has_the_intervals_of_the_analysis():
    material = make_material()
    grid = find(material, "ranking")
    finals = {each.entry: each.final for each in material.analysis.entries}
    for team, cell in zip(shown(grid, "team"), column(grid, "final"), strict=True):
        assert (cell.low, cell.high) == (finals[team].low, finals[team].high)
    assert shown(grid, "rank_interval")[:2] == ["1 to 2", "1 to 3"]
    assert shown(grid, "final")[0] == "91.65 [88.65, 94.15]"


def test_the_best_of_each_column_is_marked_by_its_direction_among_the_ranked():
    material = make_material(left_out=True)
    grid = find(material, "ranking")
    ranked = len(material.ranking.ranked)
    for key, choose in (("psnr", max), ("lpips", min), ("niqe", min), ("points", max), ("final", max)):
        cells = column(grid, key)
        best = [cell.value for cell in cells if cell.is_best]
        assert best == [choose(cell.value for cell in cells[:ranked])]


def test_who_was_left_out_stands_at_the_end_with_the_reason_and_both_rankings_are_there():
    material = make_material(left_out=True)
    grid = find(material, "ranking")
    assert shown(grid, "team")[-1] == "Gone"
    assert column(grid, "rank")[-1].value is None
    assert any("Gone: left out: no code was sent" in note for note in grid.notes)
    other = find(material, "ranking_with_left_out")
    assert shown(other, "team")[0] == "Gone"


def test_the_weights_as_they_act_and_the_formula_stand_under_the_ranking():
    notes = " ".join(find(make_material(), "ranking").notes)
    assert "0.4 S2 + 0.6 S3n" in notes
    assert "The weights 40/60 act like " in notes


def test_awards_follow_the_ranking_and_shared_ones_are_explained():
    grid = find(make_material(), "awards")
    assert shown(grid, "team") == list(TABLE_1)[:6]
    tied = rank_teams([Entrant(team=t, score=1.0, points=p) for t, p in (("a", 3.0), ("b", 3.0), ("c", 1.0))],
                      awards=make_material().awards)  # fmt: skip
    grid = find(Material(title="T", ranking=tied), "awards")
    assert shown(grid, "rank") == ["1", "1", "3"]
    assert any("share its award" in note for note in grid.notes)


@pytest.mark.parametrize("is_simulated", [True, False])
def test_every_table_of_votes_says_whether_they_are_simulated(is_simulated):
    of_scores = {"phases", "participation", "submissions", "fact_sheets"}
    for grid in make_tables(make_material(is_simulated=is_simulated, left_out=True)):
        is_of_votes = grid.name not in of_scores and not grid.name.startswith("scenarios_")
        assert (SIMULATED in grid.notes) == (is_simulated and is_of_votes), grid.name


def test_issues_and_criteria_have_a_column_each_and_judges_no_name():
    material = make_material()
    material = replace(material, analysis=replace(material.analysis, names={"J01": "Ann Example"}))
    assert len(find(material, "issues").headings) == 6
    assert len(find(material, "criteria").headings) == 5
    assert shown(find(material, "judges"), "judge")[0] == "J01"
    assert "Ann Example" not in str(make_tables(material))


def test_a_judges_flags_are_listed_with_their_reasons():
    grid = find(make_material(), "flags")
    assert shown(grid, "judge") == ["J17", "J18"]
    assert "0.3" in shown(grid, "words")[0]
    assert shown(find(make_material(), "judges"), "remarks")[-2:] == ["agreement", "trap"]


def test_the_shares_of_final_ranks_sum_to_one():
    for row in find(make_material(), "final_ranks").rows:
        assert sum(cell.value for cell in row[1:]) == pytest.approx(1)


def test_without_a_study_no_column_speaks_of_points():
    ranking = rank_teams(
        [Entrant(team="a", score=7.0), Entrant(team="b", score=6.0)], weights=Weights(score=1, study=0)
    )
    (grid,) = make_tables(Material(title="S", ranking=ranking))
    assert [each.key for each in grid.headings] == ["rank", "team", "score", "final"]
    assert grid.notes[0] == "Final = S2: SCORE alone decides."


def test_equal_points_are_explained_under_the_table_and_nothing_is_nan():
    ranking = rank_teams([Entrant(team="a", score=7.0, points=2.0), Entrant(team="b", score=6.0, points=2.0)])
    grid = find(Material(title="S", ranking=ranking), "ranking")
    assert any("SCORE alone decides" in note for note in grid.notes)
    assert shown(grid, "normalised") == ["–", "–"]
    assert "nan" not in str(grid).lower()
