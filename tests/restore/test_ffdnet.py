import numpy as np
import pytest

from raim.errors import InputError
from raim.networks.ncnn import chain_network
from raim.networks.nets import FFDNET
from raim.restore.descriptor import Context
from raim.restore.ffdnet import denoise

IMAGE = np.random.default_rng(0).random((150, 170, 3), np.float32)


def test_tiles_equal_the_whole():
    whole = denoise(IMAGE, 15, Context(threads=1, tile_px=1000))
    tiled = denoise(IMAGE, 15, Context(threads=2, tile_px=128))
    assert np.abs(whole - tiled).max() < 1e-5


def test_torch_gives_what_ncnn_gives():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    from raim.networks.torch import run_chain

    planes = np.random.default_rng(1).random((13, 40, 48), np.float32)
    expected = chain_network(FFDNET).run({"in": planes}, "out")
    assert np.abs(run_chain(FFDNET, planes, device="cpu") - expected).max() < 1e-4


def test_no_gpu_rounds_what_it_convolves():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    from emulated_gpu import Gpu
    from raim.networks.torch import run_chain

    with Gpu() as gpu:
        run_chain(FFDNET, np.zeros((13, 8, 8), np.float32), device="cpu")
    assert gpu.n_convolutions == len(FFDNET.convolutions)
    assert gpu.n_rounded == 0


@pytest.mark.parametrize("sigma", [-1, 76])
def test_levels_that_it_was_not_trained_on_are_refused(sigma):
    with pytest.raises(InputError, match="FFDNet takes 0 to 75"):
        denoise(IMAGE, sigma, Context())
