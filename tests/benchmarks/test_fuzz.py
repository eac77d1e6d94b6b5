import numpy as np
import pytest

from benchmark_scripts import load_scripts
from raim.challenge import ranking_files
from raim.data import parse_manifest
from raim.errors import ImageError
from raim.images import Picture
from raim.scoring import photograph

scripts = load_scripts(
    ["fuzz", "other_reading", "spoiled_tables", "table_readers", "fuzz_tables", "fuzz_images"]
)


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
        ("take_rows", lambda *_: {}["no such key"]),
    ],
)
def test_the_fuzzing_finds_what_is_wrong(tmp_path, monkeypatch, name, wrong):
    monkeypatch.setattr(ranking_files, name, wrong)
    assert faults(tmp_path, 12)


def test_the_fuzzing_finds_another_reader_that_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(scripts["table_readers"], "parse_manifest", lambda _: parse_manifest("name\n0001\n"))
    assert faults(tmp_path, 14)


def test_spoiled_images_get_no_number_or_the_right_one(tmp_path):
    outcomes = list(scripts["fuzz_images"].run_cases(30, 1, tmp_path))
    assert [each.fault for each in outcomes if each.fault] == []
    assert len({each.words for each in outcomes}) > 8
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", ["cut off", "inverted", "ended"])
def test_the_fuzzing_of_images_finds_what_is_wrong(tmp_path, monkeypatch, wrong):
    original = photograph.read_image

    def read(content, **options):
        if wrong == "ended":
            raise KeyError(wrong)
        try:
            picture = original(content, **options)
        except ImageError:
            return Picture(pixels=np.zeros((24, 40, 3), np.uint8))
        return Picture(pixels=255 - picture.pixels) if wrong == "inverted" else picture

    monkeypatch.setattr(photograph, "read_image", read)
    assert any(each.fault for each in scripts["fuzz_images"].run_cases(12, 1, tmp_path))
