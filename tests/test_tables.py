import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from raim.tables import FORMULA, escape_cell, unescape_cell


@given(st.text(alphabet="'=+-@a \t"))
def test_every_text_comes_back_and_none_begins_like_a_formula(text):
    escaped = escape_cell(text)
    assert unescape_cell(escaped) == text
    assert not escaped.startswith(FORMULA)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")), min_size=1))
def test_a_row_of_texts_comes_back_from_csv(texts):
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerow([escape_cell(text) for text in texts])
    row = next(csv.reader(io.StringIO(held.getvalue(), newline="")), [])
    assert [unescape_cell(cell) for cell in row] in (texts, [] if texts == [""] else texts)
