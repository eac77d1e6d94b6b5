import numpy as np

from raim.data.camera.flare import Flare, scatter_light


def test_scattered_light_is_neither_lost_nor_made():
    scene = np.random.default_rng(0).random((40, 60, 3), np.float32)
    scattered = scatter_light(scene, Flare(strength=0.3, near_part=0.4, width=0.1))
    np.testing.assert_allclose(scattered.mean(axis=(0, 1)), scene.mean(axis=(0, 1)), rtol=1e-4)


def test_a_highlight_brightens_what_is_near_more_than_what_is_far():
    scene = np.zeros((64, 64, 3), np.float32)
    scene[28:36, 28:36] = 20
    scattered = scatter_light(scene, Flare(strength=0.1, near_part=0.6, width=0.06))[..., 0]
    assert scattered[32, 26] > 3 * scattered[0, 0]
    assert scattered[0, 0] >= 0.1 * 0.4 * scene[..., 0].mean() * 0.99
