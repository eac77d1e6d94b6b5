import os
import pickle

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra spandrel is not installed")
pytest.importorskip("spandrel", reason="the extra spandrel is not installed")

import torch

from emulated_gpu import Gpu
from raim.errors import InputError, UnexpectedError
from raim.restore import find_restorer, restore, restorer_from_file
from raim.restore.model_file import _meshgrid_unwarned

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


def test_no_gpu_rounds_what_a_model_convolves(model):
    with Gpu() as gpu:
        restore(IMAGE[:32, :32], model, threads=1)
    assert gpu.n_convolutions > 0
    assert gpu.n_rounded == 0


def test_tiles_of_a_convolutional_model_leave_no_seam(model):
    whole = restore(IMAGE, model, tile=1000).pixels.astype(int)
    tiled = restore(IMAGE, model, tile=100).pixels.astype(int)
    assert whole.shape == (256, 320, 3)
    assert np.abs(whole - tiled).max() <= 1


def test_another_file_of_the_same_name_is_loaded_again(model, tmp_path):
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


@pytest.fixture
def swin(tmp_path):
    """Make a SwinIR of two layers and scale 1, which spandrel would rather not have tiled."""
    from spandrel.architectures.SwinIR.__arch.SwinIR import SwinIR

    torch.manual_seed(0)
    with _meshgrid_unwarned():
        net = SwinIR(
            img_size=16, window_size=8, depths=[2], embed_dim=12, num_heads=[2], mlp_ratio=2, upsampler=""
        )
    torch.nn.init.normal_(net.conv_last.weight, std=0.003)
    torch.save(net.state_dict(), tmp_path / "swin.pth")
    return restorer_from_file(tmp_path / "swin.pth")


PROBE = (64, 64)  # by which the memory for the whole is estimated, before the work


def watch_tiles(monkeypatch):
    """List the sides of what nets are run on."""
    from raim.networks import torch as networks

    seen, to_device = [], networks.to_device
    monkeypatch.setattr(
        networks,
        "to_device",
        lambda planes, device: seen.append(planes.shape[1:]) or to_device(planes, device),
    )
    return seen


def test_tiles_that_are_asked_for_bound_a_net_of_windows_and_leave_no_seam(swin, monkeypatch):
    assert swin.can_tile
    seen = watch_tiles(monkeypatch)
    image = IMAGE[:40, :136]
    whole = restore(image, swin).pixels.astype(int)
    assert seen == [PROBE, (40, 136)]
    tiled = restore(image, swin, tile=104).pixels.astype(int)
    assert len(seen) == 4
    assert max(map(max, seen[2:])) <= 104 + 8  # rounded to windows
    assert np.abs(whole - tiled).max() <= 1


def test_a_net_that_sees_all_at_once_says_its_memory_before(swin):
    small, large = swin.whole_memory(64, 64), swin.whole_memory(1024, 1024)
    # Windows of 8x8 with two heads: 128 float32 weights of attention for each pixel, and more.
    assert large - small > 1.3 * 4 * 128 * (1024**2 - 64**2)


def test_a_net_that_measures_the_whole_photograph_is_not_tiled(monkeypatch, tmp_path):
    pytest.importorskip("spandrel", reason="the extra spandrel is not installed")
    from spandrel.architectures.RetinexFormer import RetinexFormer

    torch.manual_seed(0)
    net = RetinexFormer(n_feat=8, stage=1, num_blocks=[1, 1, 1])
    torch.save({name: 0.1 * value for name, value in net.state_dict().items()}, tmp_path / "light.pth")
    model = restorer_from_file(tmp_path / "light.pth")
    seen = watch_tiles(monkeypatch)
    restore(IMAGE[:88, :80], model, tile=80)
    assert not model.can_tile
    assert seen == [PROBE, (88, 80)]


@pytest.mark.parametrize(
    ("value", "message"),
    [(float("inf"), "NaN or infinity"), (float("nan"), "NaN or infinity"), (255.0, r"0\.\.255")],
)
def test_a_model_with_spoilt_weights_is_refused_not_clipped(tmp_path, value, message):
    state = _compact(3)
    state["body.6.bias"][0] = value
    torch.save(state, tmp_path / "spoilt.pth")
    with pytest.raises(InputError, match=message):
        restore(IMAGE[:16, :16], restorer_from_file(tmp_path / "spoilt.pth"))


def test_a_net_whose_forward_raises_costs_its_photograph_only(model, monkeypatch):
    def fail(*_):
        raise RuntimeError("The size of tensor a (3) must match the size of tensor b (4)")

    monkeypatch.setattr(torch.nn.Conv2d, "forward", fail)
    with pytest.raises(UnexpectedError, match="The size of tensor a"):
        restore(IMAGE[:16, :16], model)
