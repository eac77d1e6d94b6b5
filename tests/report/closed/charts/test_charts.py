import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from closed_material import CRITERIA, HOSTILE, ISSUES, SCENARIOS, make_material
from raim.challenge import Entrant, rank_teams
from raim.errors import InputError, UnknownNameError
from raim.report.closed.charts import CHARTS, available_charts, draw_chart
from raim.report.closed.charts.canvas import PALETTES, Canvas
from raim.report.closed.charts.heat import rank_rows
from raim.report.closed.charts.intervals import draw_finals
from raim.report.closed.material import SIMULATED, Material

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def material():
    return make_material(left_out=True)


@pytest.fixture(scope="module")
def drawn(material):
    return {name: draw_chart(name, material) for name in CHARTS}


def texts(svg):
    return ["".join(each.itertext()) for each in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


def test_a_full_material_has_every_chart(material):
    assert available_charts(material) == tuple(CHARTS)


@pytest.mark.parametrize("name", ["finals", "issues", "timeline"])
def test_a_chart_is_the_same_bytes_each_time_and_carries_no_date(material, drawn, name):
    assert draw_chart(name, material) == drawn[name]
    assert b"<dc:date>" not in drawn[name]


def test_a_pdf_carries_no_date_and_is_the_same_bytes_each_time(material):
    first, second = (draw_chart("finals", material, format="pdf", theme="print") for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF")
    assert b"CreationDate" not in first


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_every_chart_of_votes_says_that_they_are_simulated(material, drawn, name):
    assert (SIMULATED in texts(drawn[name])) == CHARTS[name].has_votes
    real = draw_chart(name, replace(material, is_simulated=False))
    assert SIMULATED not in texts(real)


def test_every_team_is_named_in_the_charts_of_teams(material, drawn):
    for name in ("finals", "points", "final_ranks", "score_points", "issues", "criteria", "scenarios"):
        there = texts(drawn[name])
        assert [row.team for row in material.ranking.ranked if row.team not in there] == []


def test_fields_are_named_by_issue_criterion_and_scenario(drawn):
    for name, columns in (("issues", ISSUES), ("criteria", CRITERIA), ("scenarios", SCENARIOS)):
        there = " ".join(texts(drawn[name]))
        assert all(word in there for column in columns for word in column.split())


def test_the_numbers_of_the_rank_chart_are_the_draws_in_per_cent(material, drawn):
    rows = rank_rows(material)
    np.testing.assert_allclose(rows.values.sum(1), 100)
    there = texts(drawn["final_ranks"])
    assert f"{rows.values[0, 0]:.0f}" in there


def test_dots_and_bars_stand_where_the_numbers_are(material):
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    draw_finals(Canvas(None, axes, PALETTES["light"]), material)
    lines = [(line.get_xdata(), line.get_ydata()) for line in axes.lines]
    results = {each.entry: each.final for each in material.analysis.entries}
    for place, row in enumerate(material.ranking.ranked):
        bar, dot = lines[2 * place], lines[2 * place + 1]
        assert list(bar[0]) == [results[row.team].low, results[row.team].high]
        assert (list(dot[0]), list(dot[1])) == ([row.final], [place])


def test_names_are_text_never_markup_nor_mathematics():
    material = make_material(names={"MiAlgo": HOSTILE[:30], "HIT-IIL": "x_1$^2$"})
    for name in ("finals", "score_points", "timeline"):
        there = texts(draw_chart(name, material))
        assert any(each.startswith("50% & <b>_#") for each in there)
    assert "x_1$^2$" in texts(draw_chart("finals", material))


def test_names_in_any_script_are_drawn_and_long_ones_cut():
    material = make_material(names={"MiAlgo": "图像修复队", "HIT-IIL": "a" * 200, "IIP_IR": "two\nlines"})
    there = texts(draw_chart("finals", material))
    assert "图像修复队" in there
    assert "two lines" in there
    assert max(map(len, there)) < 80
    assert draw_chart("finals", material, format="pdf", theme="print").startswith(b"%PDF")


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_pages_show_through_and_paper_is_white(material, theme):
    svg = draw_chart("finals", material, theme=theme).decode()
    ground = re.search(r'<g id="patch_1">\s*<path[^>]*style="([^"]*)"', svg).group(1)
    assert ("fill: #ffffff" in ground) == (theme == "print")


def test_only_scores_and_points_give_three_charts():
    ranking = rank_teams(
        [Entrant(team=team, score=s2, points=s3) for team, s2, s3 in (("a", 7.0, 3.0), ("b", 6.0, 1.0))]
    )
    material = Material(title="A", ranking=ranking)
    assert available_charts(material) == ("finals", "points", "score_points")
    assert "95 % interval" not in " ".join(texts(draw_chart("points", material)))


def test_without_a_study_there_is_no_chart_of_points():
    ranking = rank_teams([Entrant(team="a", score=7.0), Entrant(team="b", score=6.0)])
    assert available_charts(Material(title="A", ranking=ranking)) == ()


def test_one_team_alone_is_drawn():
    ranking = rank_teams([Entrant(team="a", score=7.0, points=3.0)])
    material = Material(title="A", ranking=ranking)
    for name in available_charts(material):
        assert draw_chart(name, material).startswith(b"<?xml")


def test_what_cannot_be_drawn_says_why(material):
    with pytest.raises(UnknownNameError, match="did you mean 'finals'"):
        draw_chart("final", material)
    with pytest.raises(InputError, match="nothing to draw for the chart 'timeline'"):
        draw_chart("timeline", replace(material, timeline=()))


def test_without_matplotlib_the_way_out_is_named():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from raim.challenge import Entrant, rank_teams\n"
        "from raim.errors import MissingExtraError\n"
        "from raim.report.closed.charts import draw_chart\n"
        "from raim.report.closed.material import Material\n"
        "ranking = rank_teams([Entrant(team='a', score=7.0, points=3.0)])\n"
        "try: draw_chart('finals', Material(title='A', ranking=ranking))\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'raim[report]'" in done.stdout
