import pytest

from benchmark_scripts import load_scripts
from raim.challenge import ranking_files

scripts = load_scripts(["fuzz", "spoiled_tables", "fuzz_tables"])


def faults(tmp_path, n):
    return [each.fault for each in scripts["fuzz_tables"].run_cases(n, 1, tmp_path) if each.fault]


def test_spoiled_tables_are_refused_or_ranked_right(tmp_path):
    outcomes = list(scripts["fuzz_tables"].run_cases(50, 1, tmp_path))
    assert [each.fault for each in outcomes if each.fault] == []
    assert {"ranked", "refused"} <= {each.words for each in outcomes}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("find_incomplete", lambda *_: {}),
        ("read_number", lambda row, column, *_, **__: float(row.cells[column] or 0)),
        ("parse_rows", lambda *_: {}["no such key"]),
    ],
)
def test_the_fuzzing_finds_what_is_wrong(tmp_path, monkeypatch, name, wrong):
    monkeypatch.setattr(ranking_files, name, wrong)
    assert faults(tmp_path, 12)
