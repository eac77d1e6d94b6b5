import numpy as np
import pytest

from raim.data import parse_manifest
from raim.data.pair_folder import PairFolder, WrittenPair, format_pairs, is_written, write_pair
from raim.errors import InputError


@pytest.fixture
def written(tmp_path):
    for kind in ("input", "reference", "mask"):
        (tmp_path / kind).mkdir()
    small, large = np.zeros((4, 6, 3), np.uint8), np.zeros((8, 12, 3), np.uint8)
    return write_pair(tmp_path, "a", small, large, large[..., 0].copy())


def test_a_pair_is_known_by_its_sizes_and_found_again_by_its_bytes(written, tmp_path):
    mask = written.pop("mask_sha256")
    pair = WrittenPair(**written)
    assert (pair.input_width, pair.input_height, pair.width, pair.height) == (6, 4, 12, 8)
    assert is_written(tmp_path, pair)
    assert is_written(tmp_path, pair, mask)
    (tmp_path / "mask" / "a.png").write_bytes(b"")
    assert not is_written(tmp_path, pair, mask)


def test_a_manifest_has_a_row_for_each_file_that_readers_of_manifests_join(written):
    del written["mask_sha256"]
    pair = WrittenPair(**written)
    columns = ("name", "role", "scenario", "width", "height", "sha256", "shots", "raim_version")
    text = format_pairs(columns, [(pair, {"scenario": "blur"}, {"shots": 3})])
    assert [line.split(",")[6] for line in text.splitlines()] == ["shots", "3", ""]
    (row,) = parse_manifest(text).rows
    assert (row.scenario, row.width, row.height) == ("blur", 12, 8)
    assert (row.input_sha256, row.reference_sha256) == (pair.input_sha256, pair.reference_sha256)


def test_a_folder_is_not_touched_for_no_workers(tmp_path):
    opened = PairFolder.open(
        tmp_path / "out", WrittenPair, command="raim degrade", kinds=("input",), column="x", names=(),
        overwrite=True, workers=0,
    )  # fmt: skip
    with pytest.raises(InputError, match="0 workers were asked for"), opened:
        pass
    assert not (tmp_path / "out").exists()
