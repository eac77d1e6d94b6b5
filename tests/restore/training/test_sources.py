import numpy as np
import pytest

pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.errors import InputError
from raim.images import write_image
from raim.restore.training.recipe import Source
from raim.restore.training.sources import ImageCache, find_clean, find_pairs
from training_world import make_pairs, make_photograph, make_photographs


@pytest.mark.parametrize("part", ["input", "reference"])
def test_two_files_of_one_name_in_pairs_are_a_problem(tmp_path, part):
    make_pairs(tmp_path)
    write_image(tmp_path / part / "1.jpg", make_photograph(1))
    with pytest.raises(InputError, match=rf"{part}/1\.jpg and 1\.png have one name; remove one of them"):
        find_pairs(Source(pairs=tmp_path), 32)


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.zeros((200, 220), np.uint8), r"mask/1\.png is grey of 220x200; expected grey of 220x210"),
        (np.zeros((210, 220, 3), np.uint8), r"mask/1\.png is rgb of 220x210; expected grey of 220x210"),
    ],
)
def test_a_mask_that_does_not_fit_its_pair_is_reported_before_training(tmp_path, mask, said):
    make_pairs(tmp_path)
    (tmp_path / "mask").mkdir()
    write_image(tmp_path / "mask/1.png", mask)
    with pytest.raises(InputError, match=said):
        find_pairs(Source(pairs=tmp_path), 32)


def test_a_mask_that_leaves_nothing_is_reported(tmp_path):
    make_pairs(tmp_path, n=1)
    (tmp_path / "mask").mkdir()
    write_image(tmp_path / "mask/0.png", np.full((210, 220), 85, np.uint8))
    (pair,) = find_pairs(Source(pairs=tmp_path), 32)
    with pytest.raises(InputError, match=r"the mask of 0 leaves no pixel to learn from"):
        ImageCache().read_pair(pair)


def test_two_photographs_of_one_name_are_a_problem(tmp_path):
    make_photographs(tmp_path / "photographs")
    write_image(tmp_path / "photographs/0.jpg", make_photograph(0))
    with pytest.raises(InputError, match=r"0\.jpg and 0\.png have one name; remove one of them"):
        find_clean(Source(photographs=tmp_path / "photographs", presets=("denoise",)), 32)
