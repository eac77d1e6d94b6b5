import numpy as np
import pytest

from raim.data.camera.sampling import Sampling, sample_scene
from raim.data.camera.zoom import resize


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "lanczos"])
def test_a_flat_picture_stays_flat(name):
    picture = np.full((10, 12, 3), 0.3, np.float32)
    np.testing.assert_allclose(resize(picture, 25, 17, name), 0.3, atol=1e-6)
    assert resize(picture, 10, 12, name) is picture


@pytest.mark.parametrize("reduction", [2, 3, 4])
def test_sampling_and_enlarging_move_nothing(reduction):
    y, x = np.mgrid[:96, :96]
    spot = np.exp(-((y - 50.3) ** 2 + (x - 41.8) ** 2) / 200).astype(np.float32)[..., None].repeat(3, 2)
    back = resize(sample_scene(spot, Sampling(reduction=reduction)), 96, 96, "bicubic")[..., 0]
    assert (back * y).sum() / back.sum() == pytest.approx(
        (spot[..., 0] * y).sum() / spot[..., 0].sum(), abs=0.01
    )
    assert (back * x).sum() / back.sum() == pytest.approx(
        (spot[..., 0] * x).sum() / spot[..., 0].sum(), abs=0.01
    )
