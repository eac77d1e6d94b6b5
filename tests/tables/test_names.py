import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.tables import clean_name, match_names, rename_known
from raim.tables.names import say_none_known


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


def test_names_that_became_numbers_are_told_by_their_cause():
    said = say_none_known(["2.02401E+16"], ["20240101000000001"])
    assert "a spreadsheet has made 2.02401E+16 of a name: format the column as text" in said


def test_known_names_take_the_place_of_those_that_mean_them():
    assert rename_known({"Zoe\u0308": 1, "other": 2}, ["Zoë"]) == ({"Zoë": 1, "other": 2}, "")
