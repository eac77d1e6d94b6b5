import json
from dataclasses import replace

import pytest

from closed_material import HOSTILE, make_material
from raim.errors import InputError, UnknownNameError
from raim.report.closed import write_report
from raim.report.closed.charts import available_charts
from raim.report.closed.tables import make_tables


@pytest.fixture
def small():
    """Give a material with one chart of each cost only, so that tests stay fast."""
    return replace(make_material(names={"MiAlgo": HOSTILE}), analysis=None, timeline=())


def test_latex_gets_a_pdf_for_each_chart_that_it_includes(small, tmp_path):
    write_report(small, tmp_path, formats=["latex"])
    text = (tmp_path / "report.tex").read_text()
    for name in available_charts(small):
        assert f"{{charts/{name}.pdf}}" in text
        assert (tmp_path / "charts" / f"{name}.pdf").read_bytes().startswith(b"%PDF")


def test_each_table_is_a_csv_and_all_of_it_a_json(small, tmp_path):
    written = write_report(small, tmp_path, formats=["json", "csv"])
    assert {path.name for path in (tmp_path / "data").glob("*.csv")} == {
        f"{each.name}.csv" for each in make_tables(small)
    }
    assert json.loads((tmp_path / "data" / "report.json").read_text())["title"] == small.title
    assert [path.name for path in written.files] == ["ranking.csv", "report.json"]


def test_the_same_material_gives_the_same_bytes(small, tmp_path):
    def write(name):
        write_report(small, tmp_path / name, formats=["html", "csv", "json"])
        return {
            path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")
        }

    assert write("first") == write("second")


def test_progress_goes_from_nothing_to_all(small, tmp_path):
    seen = []
    write_report(
        small, tmp_path, formats=["json", "csv"], on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(0, 200), (100, 200), (200, 200)]


def test_what_cannot_be_written_says_why(small, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'latex'"):
        write_report(small, tmp_path, formats=["latx"])
    with pytest.raises(InputError, match="no format was named"):
        write_report(small, tmp_path, formats=[])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_report(small, tmp_path / "file", formats=["csv"])
