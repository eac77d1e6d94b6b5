import pytest

pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.errors import InputError
from raim.images import write_image
from raim.restore.training.recipe import Source
from raim.restore.training.sources import find_clean, find_pairs
from training_world import make_pairs, make_photograph, make_photographs


@pytest.mark.parametrize("part", ["input", "reference"])
def test_two_files_of_one_name_in_pairs_are_a_problem(tmp_path, part):
    make_pairs(tmp_path)
    write_image(tmp_path / part / "1.jpg", make_photograph(1))
    with pytest.raises(InputError, match=rf"{part}/1\.jpg and 1\.png have one name; remove one of them"):
        find_pairs(Source(pairs=tmp_path), 32)


def test_two_photographs_of_one_name_are_a_problem(tmp_path):
    make_photographs(tmp_path / "photographs")
    write_image(tmp_path / "photographs/0.jpg", make_photograph(0))
    with pytest.raises(InputError, match=r"0\.jpg and 0\.png have one name; remove one of them"):
        find_clean(Source(photographs=tmp_path / "photographs", presets=("denoise",)), 32)
