import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import InputError
from raim.tables import clean_name, match_names, parse_number, parse_whole, rename_known
from raim.tables.cells import escape_cell, read_cell, say_none_known

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


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_cleaning_a_clean_name_changes_nothing(text):
    assert clean_name(clean_name(text)) == clean_name(text)
    assert clean_name(unicodedata.normalize("NFD", text)) == clean_name(text)


@pytest.mark.parametrize(
    "written",
    ["Zoe\u0308", "\ufeffZoë", "Zo\u200bë\u00a0", "\u202fZoë", "Zoë\u200e", "\u2066Zoë\u2069", "Zo\u00adë"],
)
def test_names_are_alike_without_what_nobody_sees(written):
    assert match_names([written], ["Zoë"]).names == {written: "Zoë"}


def test_joiners_within_words_stay():
    assert clean_name("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize("written", ["1", "1.0", "1."])
def test_a_name_that_lost_its_zeros_means_the_one_that_has_them(written):
    match = match_names([written], ["0001", "0002", "x"])
    assert match.names == {written: "0001"}
    assert match.note.startswith("a spreadsheet has shortened 1 names, which are read as they were: ")


@pytest.mark.parametrize(
    ("written", "known"),
    [
        (["1"], ["01", "001"]),  # either
        (["1", "0001"], ["0001"]),  # another row means it
        (["1", "1.0"], ["0001"]),
        (["1"], ["0010"]),
        (["01"], ["0001"]),  # a spreadsheet takes all zeros
        (["1e0"], ["0001"]),
        (["1.5"], ["0001"]),
    ],
)
def test_a_name_that_may_mean_another_image_is_not_guessed(written, known):
    assert not match_names(written, known).shortened


def test_zero_is_a_number_too():
    assert match_names(["0"], ["000"]).names == {"0": "000"}


def test_names_that_became_numbers_are_reported_with_their_cause():
    said = say_none_known(["2.02401E+16"], ["20240101000000001"])
    assert "a spreadsheet has made 2.02401E+16 of a name: format the column as text" in said


def test_known_names_take_the_place_of_those_that_mean_them():
    assert rename_known({"Zoe\u0308": 1, "other": 2}, ["Zoë"]) == ({"Zoë": 1, "other": 2}, "")
