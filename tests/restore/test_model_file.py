import os
import pickle

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra spandrel is not installed")
pytest.importorskip("spandrel", reason="the extra spandrel is not installed")

import torch

from raim.errors import InputError
from raim.restore import find_restorer, restore, restorer_from_file

IMAGE = np.random.default_rng(0).integers(0, 256, (128, 160, 3), np.uint8)


def _compact(channels, *, seed=0):
    """Weights of a Compact net (SRVGG) at scale 2, as its training writes them."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    sizes = [(channels, 8), (8, 8), (8, 8), (8, 4 * channels)]
    for index, (before, after) in enumerate(sizes):
        name = f"body.{2 * index}"
        state[f"{name}.weight"] = torch.randn(after, before, 3, 3, generator=generator) * 0.1
        state[f"{name}.bias"] = torch.zeros(after)
        if index < len(sizes) - 1:
            state[f"body.{2 * index + 1}.weight"] = torch.full((after,), 0.1)
    return state


@pytest.fixture
def model(tmp_path):
    torch.save(_compact(3), tmp_path / "mine.pth")
    return restorer_from_file(tmp_path / "mine.pth")


def test_a_model_file_is_described_by_what_it_holds(model):
    assert (model.name, model.scale) == ("mine", 2)
    assert "mine.pth" in model.purpose


def test_tiles_of_a_convolutional_model_leave_no_seam(model):
    whole = restore(IMAGE, model, tile=1000).pixels.astype(int)
    tiled = restore(IMAGE, model, tile=100).pixels.astype(int)
    assert whole.shape == (256, 320, 3)
    assert np.abs(whole - tiled).max() <= 1


def test_another_file_of_the_same_name_is_loaded_anew(model, tmp_path):
    before = restore(IMAGE, model).pixels
    torch.save(_compact(3, seed=1), tmp_path / "mine.pth")
    assert (restore(IMAGE, restorer_from_file(tmp_path / "mine.pth")).pixels != before).any()


def test_a_model_for_grey_photographs_is_refused(tmp_path):
    torch.save(_compact(1), tmp_path / "grey.pth")
    with pytest.raises(InputError, match=r"grey\.pth is a model for grey photographs: 1 channels in"):
        restorer_from_file(tmp_path / "grey.pth")


def test_weights_of_no_known_model_are_refused(tmp_path):
    torch.save({"a.weight": torch.zeros(3)}, tmp_path / "strange.pth")
    with pytest.raises(InputError, match="no model that spandrel"):
        restorer_from_file(tmp_path / "strange.pth")


def test_a_pickle_that_would_run_something_is_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    (tmp_path / "hostile.pth").write_bytes(pickle.dumps({"weight": Hostile()}))
    with pytest.raises(InputError, match="cannot be read as a model"):
        restorer_from_file(tmp_path / "hostile.pth")
    assert not (tmp_path / "owned").exists()


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_dat_enlarges_better_than_interpolation(shared, scale):
    from PIL import Image

    from raim.images import read_image
    from raim.metrics import psnr

    path = shared / "data" / "paired" / "motion_blur" / "reference" / "gopro_00.png"
    clean = read_image(path).pixels[300 : 300 + 24 * scale, 400 : 400 + 32 * scale].copy()
    small = np.asarray(Image.fromarray(clean).resize((32, 24), Image.Resampling.BICUBIC))
    plain = np.asarray(Image.fromarray(small).resize((32 * scale, 24 * scale), Image.Resampling.BICUBIC))
    enlarged = restore(small, find_restorer(f"dat-light-x{scale}"), threads=1).pixels
    assert psnr(enlarged, clean) > psnr(plain, clean) + 0.5
