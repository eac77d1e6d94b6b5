import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from closed_material import HOSTILE, make_material
from raim.report.closed.grid import Cell, Grid, Heading
from raim.report.closed.latex import split_wide, write_latex, write_latex_table
from raim.report.closed.latex_text import escape
from raim.report.closed.material import SIMULATED
from raim.report.closed.tables import make_tables
from raim.report.closed.writing import write_report

# What escape may write beside letters, digits and harmless signs: each command whole.
COMMAND = re.compile(
    r"\\(textbackslash|textasciicircum|textasciitilde|textless|textgreater|textbar|ldots|S|copyright)\{\}"
    r"|\\[{}$&#%_]|\{\}-|\{\\(ss|ae|AE|oe|OE|o|O|l|L|i)\}|\{[\[\]*`-]\}|\$[^$]*\$"
    r"|\\[`'^~\"=.uvHcdbr]\{(\\?[A-Za-z])\}"
)


@given(st.text())
def test_no_text_leaves_a_sign_that_latex_would_take_for_its_own(text):
    rest = COMMAND.sub("", escape(text)).replace("~", "")
    assert not set(rest) & set("\\{}$&#%_^[]*"), rest
    assert rest.isascii()


@given(st.text(alphabet=st.characters(min_codepoint=0x80)))
def test_what_the_fonts_do_not_have_is_shown_by_its_number_and_never_lost(text):
    shown = escape(text)
    assert shown.isascii()
    assert bool(shown) == bool(text)


def test_names_with_commands_are_shown_as_they_are():
    assert escape(r"\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"
    assert escape("a--b-c---d") == "a-{}-b-c-{}-{}-d"
    assert escape("Łódź — “x” ≤ 3 µ") == r"{\L}\'{o}d\'{z} --- ``x'' $\le$ 3 {[}U+00B5{]}"


@pytest.mark.parametrize("name", ["*x", "[2pt]x", "*[9cm]", "** x **"])
def test_a_row_may_begin_with_a_star_or_a_bracket(name):
    headings = (Heading(key="team", title="Team"), Heading(key="note", title="*"))
    rows = tuple((Cell(value=value), Cell(value=value)) for value in ("A", name))
    text = write_latex_table(Grid(name="teams", title=name, headings=headings, rows=rows))
    assert not re.search(r"\\(toprule|midrule|\\)\s*[*\[]", text)
    assert escape(name) in text


def test_the_document_has_every_table_and_figure_once():
    material = make_material(left_out=True)
    tables = make_tables(material)
    text = write_latex(material, tables, ())
    labels = re.findall(r"\\label\{table:([^}]*)\}", text)
    left_to_files = {"submissions", "fact_sheets", "final_ranks"}  # long, a section, a chart
    assert sorted(labels) == sorted(
        each.name.replace("_", "-") for each in split_wide(tables) if each.name not in left_to_files
    )
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == len(labels)
    assert "U-Net with 100 \\% attention" in text


def test_every_table_of_votes_and_every_page_says_that_they_are_simulated():
    text = write_latex(make_material(), make_tables(make_material()), ())
    for block in re.findall(r"\\begin\{table\}.*?\\end\{table\}", text, re.DOTALL):
        is_of_votes = not re.search(r"\\label\{table:(scenarios|phases|participation)", block)
        assert (SIMULATED in block) == is_of_votes, block
    assert r"\pagestyle{myheadings}\markright{" + SIMULATED in text
    real = make_material(is_simulated=False)
    assert "simulated" not in write_latex(real, make_tables(real), ())


def test_table_1_and_its_intervals_are_two_tables_on_paper():
    ranking, intervals = (
        next(each for each in split_wide(make_tables(make_material())) if each.name == name)
        for name in ("ranking", "intervals")
    )
    assert [each.title for each in ranking.headings][:2] == ["Rank", "Team"]
    assert not any(each.has_interval for each in ranking.headings)
    assert [each.key for each in intervals.headings] == [
        "rank",
        "team",
        "points",
        "final",
        "rank_interval",
        "first",
    ]


@pytest.mark.slow
def test_the_document_compiles_whatever_teams_are_called(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("there is no pdflatex on this machine (Debian: texlive-latex-recommended)")
    material = make_material(
        left_out=True, names={"IIP_IR": HOSTILE, "HIT-IIL": "图 Müller Øß α–“x” Łódź\u202e`-"}
    )
    write_report(material, tmp_path, formats=["latex"])
    for _ in range(2):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "report.tex"],
            cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "undefined references" not in done.stdout
    assert "Overfull" not in done.stdout
