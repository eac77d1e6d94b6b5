import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra restore is not installed")
pytest.importorskip("cv2", reason="the extra restore is not installed")

from raim.errors import UnknownNameError
from raim.images import read_image
from raim.metrics import psnr
from raim.restore import estimate_noise, find_restorer, restore

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 36, 3), np.uint8)


def test_identity_gives_back_every_bit():
    np.testing.assert_array_equal(restore(IMAGE, find_restorer("identity")).pixels, IMAGE)


@pytest.mark.parametrize(("name", "scale"), [("bicubic-x2", 2), ("bicubic-x4", 4)])
def test_an_enlarged_photograph_has_the_stated_size(name, scale):
    assert restore(IMAGE, find_restorer(name)).pixels.shape == (24 * scale, 36 * scale, 3)


def test_an_unknown_restorer_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'ffdnet'"):
        find_restorer("fdnet")


@pytest.mark.shared
def test_ffdnet_gains_eight_decibels_at_sigma_25(shared):
    folder = shared / "data" / "paired" / "denoise" / "reference"
    clean = read_image(folder / "polyu_Canon600D_4-5_125_1600_toy_11.jpg").pixels[:192, :192].copy()
    noise = np.random.default_rng(0).normal(0, 25, clean.shape)
    noisy = np.clip(clean + noise, 0, 255).astype(np.uint8)
    restored = restore(noisy, find_restorer("ffdnet", sigma=25)).pixels
    assert psnr(restored, clean) - psnr(noisy, clean) > 8
    assert estimate_noise((noisy / 255).astype(np.float32)) == pytest.approx(25, rel=0.3)
