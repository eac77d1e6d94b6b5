import csv
import io
import json
import zipfile

from closed_material import HOSTILE, make_material
from raim.report.closed.data_files import format_grid, format_json, pack_votes
from raim.report.closed.tables import make_tables
from raim.study import Ballots, Vote


def test_every_table_comes_back_from_its_csv_with_all_digits():
    for grid in make_tables(make_material(left_out=True)):
        rows = list(csv.reader(io.StringIO(format_grid(grid))))
        assert len(rows) == len(grid.rows) + 1
        for cells, row in zip(rows[1:], grid.rows, strict=True):
            found = dict(zip(rows[0], cells, strict=True))
            for heading, cell in zip(grid.headings, row, strict=True):
                if isinstance(cell.value, float):
                    assert float(found[heading.key]) == cell.value
                if heading.has_interval and cell.low is not None:
                    assert float(found[f"{heading.key}_low"]) == cell.low


def test_simulated_votes_are_marked_in_every_row_of_their_tables():
    for is_simulated in (True, False):
        grids = {grid.name: grid for grid in make_tables(make_material(is_simulated=is_simulated))}
        rows = list(csv.DictReader(io.StringIO(format_grid(grids["ranking"]))))
        assert all(row.get("votes") == ("simulated" if is_simulated else None) for row in rows)
        assert "votes" not in format_grid(grids["scenarios_score"]).splitlines()[0].split(",")


def test_no_cell_is_a_formula_to_a_spreadsheet():
    material = make_material(names={"MiAlgo": "=cmd()", "HIT-IIL": "@x"})
    grid = next(each for each in make_tables(material) if each.name == "ranking")
    text = format_grid(grid)
    assert ",'=cmd()," in text
    assert ",'@x," in text


def test_the_json_holds_everything_and_no_infinity():
    material = make_material(left_out=True, names={"MiAlgo": HOSTILE})
    plain = json.loads(format_json(material, make_tables(material)))
    assert plain["schema"] == "raim-report/1"
    assert plain["votes_are_simulated"] is True
    assert plain["teams"][0]["team"] == HOSTILE
    assert plain["ranking"]["rows"][0]["rank"] == 1
    assert [each["name"] for each in plain["tables"]] == [each.name for each in make_tables(material)]
    assert plain["submissions"][0]["submitted_at"].endswith("+00:00")


def test_the_votes_are_packed_without_names_of_judges_and_the_same_each_time():
    from dataclasses import replace

    votes = (Vote(judge="Ann", image="a", position=1, shown=("x", "y"), choice=("y",)),)
    ballots = Ballots(entries=("x", "y"), images=("a",), judges=("Ann",), votes=votes)
    material = replace(make_material(), ballots=ballots)
    packed = pack_votes(material)
    assert packed == pack_votes(material)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"Ann" not in everything
    assert b"simulated" in everything
    assert pack_votes(make_material()) is None
