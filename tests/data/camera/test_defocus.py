import numpy as np
import pytest

from raim.data.camera.defocus import Defocus, blur_defocus, disc_kernel


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5, 9.0])
def test_a_disc_has_energy_one_its_centre_in_the_middle_and_its_own_second_moment(radius):
    kernel = disc_kernel(radius)
    offsets = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert abs((kernel * offsets[:, None]).sum()) < 1e-9
    assert abs((kernel * offsets[None, :]).sum()) < 1e-9
    if radius >= 2:
        moment = (kernel * (offsets[:, None] ** 2 + offsets[None, :] ** 2)).sum()
        assert moment == pytest.approx(radius**2 / 2 + 1 / 6, rel=0.04)  # of a disc, and of the pixels


def test_a_point_becomes_its_disc_and_keeps_its_light():
    scene = np.zeros((41, 41, 3), np.float32)
    scene[20, 20] = 4
    blurred = blur_defocus(scene, Defocus(radius_px=5.0))
    assert blurred.sum(axis=(0, 1)) == pytest.approx([4, 4, 4], rel=1e-4)
    inside = np.hypot(*np.mgrid[-20:21, -20:21]) <= 4
    np.testing.assert_allclose(blurred[inside], 4 / (np.pi * 25), rtol=0.01)


def test_a_sharp_near_layer_covers_the_light_of_a_blurred_far_one():
    scene = np.ones((32, 64, 3), np.float32)  # left, the far half, is bright
    scene[:, 32:] = 0.1
    stage = Defocus(radius_px=6.0, has_edge=True, near_radius_px=0.0, edge_waviness=0.0)
    blurred = blur_defocus(scene, stage)
    np.testing.assert_allclose(blurred[:, 32:], 0.1, atol=1e-4)  # no light from behind
    mixed = blur_defocus(scene, Defocus(radius_px=6.0))
    assert mixed[16, 33, 0] > 0.4
    assert blurred[16, 31, 0] > 0.9  # nor does darkness come from the near layer
