import io
import json
import math
import zipfile
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from raim.server.export_table import (
    PIECE_BYTES,
    ExportTable,
    csv_pieces,
    json_pieces,
    zip_pieces,
)
from raim.tables import clean_name, json_value, parse_table

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)


def table(*rows, columns=("a", "b")):
    return ExportTable(name="t", title="", columns=columns, read=lambda: iter(rows))


@given(st.lists(st.tuples(TEXTS, st.integers() | st.booleans()), max_size=20))
def test_csv_is_read_back_as_it_was_written(rows):
    found = parse_table("".join(csv_pieces(table(*rows))), "t.csv", known=["a", "b"])
    assert [tuple(row.cells.values()) for row in found.rows] == [
        (clean_name(text), str(other).lower()) for text, other in rows
    ]


@given(st.lists(st.tuples(TEXTS, st.none() | st.booleans() | st.floats(allow_nan=False)), max_size=20))
def test_json_is_read_back_as_it_was_written(rows):
    read = json.loads("".join(json_pieces(table(*rows))))
    assert [tuple(each.values()) for each in read] == [(one, json_value(other)) for one, other in rows]


def test_times_and_records_have_their_json_form():
    row = (NOON, {"when": NOON, "list": [math.inf, (1, None)]})
    assert json.loads("".join(json_pieces(table(row)))) == [
        {
            "a": "2026-03-01T12:00:00+00:00",
            "b": {"when": "2026-03-01T12:00:00+00:00", "list": ["inf", [1, None]]},
        }
    ]


def test_a_zip_holds_every_file_whole_and_comes_in_pieces():
    rows = [(number, f"{number * 7919 % 104_729:x} text") for number in range(20_000)]
    packed = list(
        zip_pieces([("a.csv", csv_pieces(table(*rows))), ("a.json", json_pieces(table(*rows)))], NOON)
    )
    assert len(packed) > 2
    assert max(map(len, packed)) < 4 * PIECE_BYTES
    archive = zipfile.ZipFile(io.BytesIO(b"".join(packed)))
    assert archive.testzip() is None
    assert archive.read("a.csv").decode() == "".join(csv_pieces(table(*rows)))
    assert len(json.loads(archive.read("a.json"))) == 20_000
    assert {each.date_time for each in archive.infolist()} == {(2026, 3, 1, 12, 0, 0)}


def test_a_zip_reads_rows_only_as_they_are_asked_for():
    read = []

    def rows():
        for number in range(200_000):
            read.append(number)
            yield number, f"{number * 7919 % 104_729:x}"

    pieces = zip_pieces(
        [("a.csv", csv_pieces(ExportTable(name="t", title="", columns=("a", "b"), read=rows)))], NOON
    )
    next(pieces)
    assert len(read) < 100_000
    pieces.close()


def test_a_zip_that_nobody_reads_to_its_end_can_be_dropped():
    closed = []

    def pieces():
        try:
            while True:
                yield "endless " * 10_000 + str(len(closed))
        finally:
            closed.append(True)

    begun = zip_pieces([("a.txt", pieces())], NOON)
    next(begun)
    begun.close()
    assert closed == [True]
