"""What others publish: the committed table is what the command makes of the committed figures."""

import pytest

from benchmark_scripts import FOLDER, load_scripts

MODULES = load_scripts(["documents", "published"])
published, documents = MODULES["published"], MODULES["documents"]
DOCUMENT = FOLDER.parent / "docs" / "baselines.md"
ROWS = published.read_rows(published.TABLE)


def test_the_committed_table_is_what_the_command_gives():
    text = DOCUMENT.read_text(encoding="utf-8")
    tables = published.format_tables(published.read_rows(published.TABLE))
    assert documents.replace_section(text, published.SECTION, tables) == text


@pytest.mark.parametrize(
    ("data", "method", "score"),
    # As stated beside the digits where these were collected.
    [("RealSR", "FreqOrtho-SR (2026)", 53.29), ("RealSR", "SUPIR-50", 35.11), ("DRealSR", "SinSR-1", 36.46)],
)
def test_the_score_is_that_of_the_published_digits(data, method, score):
    (row,) = [row for row in ROWS if (row["data"], row["method"]) == (data, method)]
    assert published.compute_score(row) == pytest.approx(score, abs=0.00501)


def test_every_row_is_complete_and_its_measures_are_plausible():
    assert len({(row["data"], row["method"]) for row in ROWS}) == len(ROWS) == 24
    for row in ROWS:
        assert row["source"]
        assert 20 < float(row["psnr"]) < 35
        assert all(0 < float(row[key]) < 1 for key in ("ssim", "lpips", "dists"))
        assert 3 < float(row["niqe"]) < 10


def test_the_command_writes_between_its_marks_alone(tmp_path, monkeypatch, capsys):
    path = tmp_path / "page.md"
    path.write_text(
        "before\n<!-- published:begin -->\nold\n<!-- published:end -->\nafter\n", encoding="utf-8"
    )
    monkeypatch.setattr("sys.argv", ["published.py", "--write-docs", str(path)])
    published.main()
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert (
        "| FreqOrtho-SR (2026) | 26.27 | 0.7481 | 0.2537 | 0.1951 | 5.32 | 53.29 |" in capsys.readouterr().out
    )
