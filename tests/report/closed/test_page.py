import base64
import hashlib
import html
import re

import numpy as np
import pytest

from closed_material import make_material
from raim.challenge import Entrant, rank_teams
from raim.images import write_image
from raim.report.closed.material import SIMULATED, Material, TeamMaterial
from raim.report.closed.page import render_report_page, write_report_page

pytest.importorskip("matplotlib", reason="the extra `report` is not installed")
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def page():
    return render_report_page(make_material())


def two_columns(**changes):
    """Make the smallest material: a ranking."""
    teams = [Entrant(team="a", score=70.0, points=3.0), Entrant(team="b", score=60.0, points=1.0)]
    return Material(title="Elsewhere", ranking=rank_teams(teams), **changes)


def test_every_part_of_the_challenge_has_its_section_and_link(page):
    for name in ("result", "study", "judges", "scores", "course", "end"):
        assert f'<section id="{name}"' in page
        assert f'href="#{name}"' in page


def test_nothing_is_loaded_and_no_script_runs(page):
    assert not re.search(r'(?:src|href|srcset)="(?!data:|#)', page)
    assert "<script" not in page
    assert "default-src &#39;none&#39;" in page


def test_simulated_votes_are_said_in_head_foot_and_every_section_that_shows_them(page):
    assert page.count(SIMULATED) >= 5
    honest = render_report_page(two_columns())
    assert SIMULATED not in honest


def test_charts_stand_in_both_themes_with_words_for_who_cannot_see_them(page):
    assert page.count('media="(prefers-color-scheme: dark)"') == page.count('<figure class="chart">')
    assert page.count('<figure class="chart">') >= 5
    assert not re.search(r'<img[^>]*alt=""', page)


def test_the_policy_has_the_hash_of_the_style_that_is_there(page):
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert digest in html.unescape(page.split("<style>")[0])


def test_names_are_text_whatever_they_are():
    ranking = rank_teams(
        [Entrant(team=HOSTILE, score=70.0, points=3.0), Entrant(team="b", score=60.0, points=1.0)]
    )
    teams = (TeamMaterial(team=HOSTILE, fact_sheet={"Title": HOSTILE}),)
    page = render_report_page(Material(title=HOSTILE, ranking=ranking, teams=teams, notes=(HOSTILE,)))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_two_columns_of_numbers_are_a_report():
    page = render_report_page(two_columns())
    assert "88.00" in page
    assert '<section id="judges"' not in page


def test_figures_are_embedded(tmp_path):
    path = tmp_path / "moire.png"
    write_image(path, np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8))
    page = render_report_page(two_columns(), figures={"Moire: 0001": path})
    assert 'src="data:image/webp;base64,' in page
    assert "Moire: 0001" in page


def test_the_same_material_gives_the_same_bytes(tmp_path):
    material = two_columns()
    first = write_report_page(material, tmp_path).read_bytes()
    assert write_report_page(material, tmp_path).read_bytes() == first
