import numpy as np
import pytest

from raim.errors import MissingExtraError
from raim.restore import RESTORERS, restore
from raim.restore.descriptor import Context
from raim.restore.maxim import NAME, restore_motion_blur
from raim.weights import weights_state

# What the published graph itself gives, run by TensorFlow.js 4.11.0, at [8::24, 8::24] of `picture()`. Of all 12,288
# values ours differ by at most 8e-7.
EXPECTED = [
    [0.44223, 0.18634, 0.08754],
    [0.59622, 0.85193, 0.37071],
    [0.47987, 0.18496, 0.48406],
    [0.71862, 0.82891, 0.34947],
    [0.08233, 0.17196, 0.45733],
    [0.46226, 0.82525, 0.73206],
    [0.52457, 0.19298, 0.48117],
    [0.44194, 0.83080, 0.73909],
    [0.45479, 0.18349, 0.85241],
]


@pytest.fixture(autouse=True)
def net():
    pytest.importorskip("torch", reason="the extra torch is not installed")
    if weights_state(NAME) == "missing":
        pytest.skip(f"the weights {NAME} are not here: `raim weights fetch {NAME}`")


def picture():
    """Draw a slope, waves and a chessboard, one a colour, of 64 x 64."""
    y, x = np.mgrid[0:64, 0:64]
    board = (x // 8 + y // 8) % 2 * 0.6 + 0.2
    return np.stack([0.5 + 0.4 * np.sin(x / 3) * np.cos(y / 5), board, (x + y) / 126], -1).astype(np.float32)


def test_it_gives_what_the_published_graph_gives(monkeypatch):
    monkeypatch.setattr("raim.restore.maxim.SHARP", np.inf)  # a chessboard is
    found = restore_motion_blur(picture(), Context(threads=1))
    np.testing.assert_allclose(found[8::24, 8::24].reshape(-1, 3), EXPECTED, atol=1e-4)


def blurred(height, width):
    """Draw noise that has moved by 9 pixels to the side and 5 down."""
    image = np.random.default_rng(0).random((height + 4, width + 8, 3), np.float32)
    across = np.mean([image[:, index : index + width] for index in range(9)], axis=0)
    return np.mean([across[index : index + height] for index in range(5)], axis=0, dtype=np.float32)


@pytest.mark.parametrize(("shape", "dtype"), [((9, 70), np.uint16), ((64, 40, 3), np.float32)])
def test_any_size_grey_and_16_bits_come_back_as_they_were(monkeypatch, shape, dtype):
    monkeypatch.setattr("raim.restore.maxim.SHARP", np.inf)
    image = np.full(shape, 0.25 if dtype is np.float32 else 16384, dtype)
    found = restore(image, NAME, threads=1).pixels
    assert found.shape == shape
    assert found.dtype == dtype
    assert np.abs(found - image.astype(float)).max() < 0.02 * (1 if dtype is np.float32 else 65535)


def test_larger_photographs_are_restored_in_tiles_of_the_size_that_it_was_trained_on(monkeypatch):
    seen = []

    def keep(_tensors, tile):
        seen.append(tuple(tile.shape))
        return tile

    monkeypatch.setattr("raim.networks.maxim.run_maxim", keep)
    image = blurred(300, 520)
    np.testing.assert_allclose(restore_motion_blur(image, Context(threads=1)), image, atol=1e-6)
    assert seen == [(1, 256, 256, 3)] * 6


def test_sharp_tiles_and_flat_ones_stay_as_they_are_and_are_counted(monkeypatch):
    seen = []
    monkeypatch.setattr("raim.networks.maxim.run_maxim", lambda _tensors, tile: seen.append(1) or tile / 2)
    image = blurred(256, 640)
    image[:, 256:] = np.random.default_rng(1).random((256, 384, 3))
    result = restore(image, NAME, threads=1)
    assert len(seen) == 1
    assert result.notes[0] == "2 of 3 tiles are sharp or flat and stay as they are"
    np.testing.assert_allclose(result.pixels[:, 256:], image[:, 256:], atol=1e-6)
    np.testing.assert_allclose(result.pixels[:, :192], image[:, :192] / 2, atol=1e-6)


def test_no_gpu_rounds_what_it_multiplies():
    from emulated_gpu import Gpu

    with Gpu() as gpu:
        restore_motion_blur(blurred(64, 64), Context(threads=1))
    assert gpu.n_convolutions > 1000
    assert gpu.n_rounded == 0


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"maxim-deblur needs torch.*raim\[torch\]"):
        RESTORERS[NAME].run(picture(), Context())
