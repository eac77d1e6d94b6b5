import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import InputError
from raim.report.cases import choose_cases
from raim.scoring import EntryScore
from score_tables import entry, scored, table_of, unscored


def chosen(table, per_entry):
    return [
        (case.entry, case.kind, case.place, case.image.name)
        for case in choose_cases(table, per_entry=per_entry)
    ]


def test_the_worst_come_first_then_the_best_from_the_very_best_on():
    assert chosen(table_of(entry("a", p=10, q=20, r=30, s=40, t=50)), 2) == [
        ("a", "worst", 1, "p"),
        ("a", "worst", 2, "q"),
        ("a", "best", 1, "t"),
        ("a", "best", 2, "s"),
    ]


@given(
    scores=st.lists(st.floats(-50, 100), max_size=12),
    per_entry=st.integers(0, 5),
)
def test_no_image_is_shown_twice_and_none_is_forgotten(scores, per_entry):
    images = tuple(scored(str(number), score) for number, score in enumerate(scores))
    names = [
        case.image.name
        for case in choose_cases(table_of(EntryScore(name="a", images=images)), per_entry=per_entry)
    ]
    assert len(names) == len(set(names)) == min(len(images), 2 * per_entry)


def test_an_unscored_image_is_neither_worst_nor_best():
    table = table_of(EntryScore(name="a", images=(unscored("x", "missing"), scored("y", 1))))
    assert chosen(table, 2) == [("a", "worst", 1, "y")]


def test_a_negative_number_of_images_is_refused():
    with pytest.raises(InputError, match="-1 worst"):
        choose_cases(table_of(), per_entry=-1)
