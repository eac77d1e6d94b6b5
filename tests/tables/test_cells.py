import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import InputError
from raim.tables import clean_name, escape_cell, parse_number, parse_whole, read_cell

TEXTS = st.text("'=+-@a \t\r\n\u00a0\u200b\ufeff0") | st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(-1e9, 1e9).map(lambda number: round(number, 6))


@given(TEXTS)
def test_every_text_comes_back_and_none_begins_like_a_formula(text):
    escaped = escape_cell(text)
    assert read_cell(escaped) == clean_name(text)
    assert not escaped.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_blanks_before_an_apostrophe_are_somebody_elses():
    assert read_cell("  '=Alpha") == "=Alpha"


@given(NUMBERS)
def test_a_number_is_read_with_a_point_and_with_a_comma(number):
    assert parse_number(repr(number)) == number
    assert parse_number(repr(number).replace(".", ","), has_decimal_comma=True) == number


COUNTRIES = {
    "79,13": 79.13, "0,912": 0.912, "-0,5": -0.5, ",5": 0.5, "12345,678": 12345.678, "1,2345": 1.2345, "1,5e-3": 0.0015,
    "+7": 7.0, "7.": 7.0, ".5": 0.5, "1e5": 1e5, "1.234": 1.234,
}  # fmt: skip


@pytest.mark.parametrize("text", COUNTRIES)
def test_numbers_of_all_countries_are_read_where_they_are_unambiguous(text):
    assert parse_number(text) == COUNTRIES[text]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,234", "'1,234', which may be 1.234 or 1234"),
        ("1.234,5", "a sign for thousands"),
        ("1,234.5", "a sign for thousands"),
        ("1 234,5", "a sign for thousands"),
        ("1'234.5", "a sign for thousands"),
        ("1,234,567", "a sign for thousands"),
        ("1_000", "expected a number"),
        ("0x10", "expected a number"),
        ("\u0661\u0662", "expected a number"),
        ("1e", "expected a number"),
        ("7 9", "expected a number"),
        ("--7", "expected a number"),
        ("50%", "expected a number"),
        ("1e13", "up to 1e"),
        ("9" * 400, "up to 1e"),
    ],
)
def test_what_is_no_number_or_may_be_two_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_number(text)


def test_a_column_with_decimal_commas_has_no_decimal_points():
    assert parse_number("1,234", has_decimal_comma=True) == 1.234
    assert parse_number("80", has_decimal_comma=True) == 80
    with pytest.raises(InputError, match="write all alike"):
        parse_number("1.234", has_decimal_comma=True)


@pytest.mark.parametrize("text", ["224", "224.0", "224,0", "+224", "224.", "2.24e2"])
def test_a_whole_number_may_have_a_fraction_of_zero(text):
    assert parse_whole(text) == 224


@pytest.mark.parametrize("text", ["1.5", "x", "nan", "-", "1_0", "\u0661", "1,234"])
def test_another_number_is_no_whole_one(text):
    with pytest.raises(InputError, match="expected a whole number"):
        parse_whole(text)
