"""The notebook of docs runs from top to bottom, and shows the numbers that it says."""

import ast
import contextlib
import io
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("skimage", reason="the extra demo is not installed")
matplotlib = pytest.importorskip("matplotlib", reason="the extra report is not installed")

NOTEBOOK = Path(__file__).parents[1] / "docs" / "measures.ipynb"
NUMBER = re.compile(r"\d+\.\d+")


def run_cell(source, names):
    """Run a cell as notebooks do; return what it prints and the value of its last line."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, str(NOTEBOOK), "exec"), names)  # noqa: S102 - the notebook's own code
        value = eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names) if last else None  # noqa: S307
    return printed.getvalue(), value


def stored_text(cell):
    """Return what a cell says that it prints or shows, as text or HTML."""
    parts = []
    for output in cell["outputs"]:
        data = output.get("data", {})
        parts += output.get("text", []) or data.get("text/html", []) or data.get("text/plain", [])
    return "".join(parts)


def test_the_notebook_runs_and_shows_the_numbers_that_it_says(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    names, n_numbers = {}, 0
    for cell in cells:
        printed, value = run_cell("".join(cell["source"]), names)
        shown = printed + (getattr(value, "_repr_html_", str)() or "")
        said = NUMBER.findall(stored_text(cell)) if shown else []
        assert [float(each) for each in NUMBER.findall(shown)] == pytest.approx(
            list(map(float, said)), abs=0.02
        )
        n_numbers += len(said)
    assert n_numbers > 20
    assert names["table"].ranks() == {"blurred": 1, "noisy": 2}
    assert names["worst"]["entry"] == "noisy"
    assert len(plt.get_fignums()) == 2
    plt.close("all")
