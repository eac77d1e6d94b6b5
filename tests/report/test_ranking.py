from raim.report.ranking import count_reasons, make_ranking, make_scenario_rankings
from raim.scoring import EntryScore
from score_tables import entry, scored, table_of, unscored

SCORE, NIQE = 0, 5  # columns of a page


def test_a_tie_shares_the_better_rank():
    rows = make_ranking(table_of(entry("a", x=60), entry("b", x=60), entry("c", x=50)))
    assert [row.rank for row in rows] == [1, 1, 3]


def test_the_best_value_of_each_column_is_marked_in_its_direction():
    low, high = scored("x", 60, values={"niqe": 3.0}), scored("x", 50, values={"niqe": 4.0})
    rows = make_ranking(table_of(EntryScore(name="a", images=(low,)), EntryScore(name="b", images=(high,))))
    assert [row.cells[SCORE].is_best for row in rows] == [True, False]
    assert [row.cells[NIQE].is_best for row in rows] == [True, False]  # lower is better


def test_a_lone_entry_is_not_the_best_of_anything():
    (row,) = make_ranking(table_of(entry("a", x=60)))
    assert not any(cell.is_best for cell in row.cells)


def test_an_entry_with_unscored_images_has_no_rank_and_no_best_value():
    partial = EntryScore(name="p", images=(scored("x", 99), unscored("y", "missing")))
    rows = make_ranking(table_of(entry("a", x=60, y=60), entry("b", x=50, y=50), partial))
    assert [row.rank for row in rows] == [1, 2, None]
    assert not any(cell.is_best for cell in rows[2].cells)
    assert rows[0].cells[SCORE].is_best
    assert (rows[2].n_scored, rows[2].n_expected, rows[2].n_unscored) == (1, 2, 1)
    assert rows[2].why_unranked == "1 of 2 images have a score; none: y"


def test_an_incomplete_entry_has_a_rank_where_that_is_asked_for():
    partial = EntryScore(name="p", images=(scored("x", 99), unscored("y", "missing")))
    rows = make_ranking(table_of(partial, entry("a", x=60, y=60), allow_incomplete=True))
    assert [(row.name, row.rank, row.why_unranked) for row in rows] == [("p", 1, None), ("a", 2, None)]


def test_an_entry_without_any_score_has_dashes():
    (row,) = make_ranking(table_of(EntryScore(name="p", images=(unscored("y", "broken"),))))
    assert row.rank is None
    assert {cell.text for cell in row.cells} == {"\N{EN DASH}"}


def test_each_scenario_has_its_own_order():
    def two(name, moire, noise):
        images = (scored("x", moire, scenario="moire"), scored("y", noise, scenario="noise"))
        return EntryScore(name=name, images=images)

    moire, noise = make_scenario_rankings(table_of(two("a", 60, 10), two("b", 20, 30)))
    assert (moire.scenario, [row.name for row in moire.rows]) == ("moire", ["a", "b"])
    assert (noise.scenario, [row.name for row in noise.rows]) == ("noise", ["b", "a"])
    assert noise.rows[0].rank == 1


def test_a_negative_score_stands_below_a_better_one():
    images = (scored("x", -5.0, scenario="s"),)
    rows = make_scenario_rankings(
        table_of(
            EntryScore(name="bad", images=images),
            EntryScore(name="zero", images=(scored("x", 0.0, scenario="s"),)),
        )
    )[0].rows
    assert [row.name for row in rows] == ["zero", "bad"]


def test_without_scenarios_there_are_none():
    assert make_scenario_rankings(table_of(entry("a", x=1))) == ()


def test_reasons_are_counted_with_their_images():
    found = EntryScore(
        name="a",
        images=(unscored("1", "missing"), unscored("2", "broken"), unscored("3", "missing"), scored("4", 1)),
    )
    assert count_reasons(found) == (("missing", ("1", "3")), ("broken", ("2",)))
