import numpy as np
import pytest

from raim.data.camera.blur import (
    Defocus,
    Motion,
    blur_defocus,
    blur_motion,
    disc_kernel,
    draw_path,
    near_coverage,
    path_kernel,
)


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


@pytest.mark.parametrize("seed", range(5))
def test_a_path_has_energy_one_its_centre_in_the_middle_and_the_stated_length(seed):
    path = draw_path(Motion(length_px=12, anxiety=0.1, seed=seed))
    assert np.hypot(*np.diff(path, axis=0).T).sum() == pytest.approx(12, rel=1e-3)
    kernel = path_kernel(path)
    offsets = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert abs((kernel * offsets[:, None]).sum()) < 0.05
    assert abs((kernel * offsets[None, :]).sum()) < 0.05


def test_a_steady_hand_draws_a_line_of_constant_speed():
    path = draw_path(Motion(length_px=20, anxiety=0, seed=4))
    chord = path[-1] - path[0]
    across = path @ np.array([-chord[1], chord[0]]) / np.hypot(*chord)
    assert np.abs(across).max() < 1e-9
    assert np.hypot(*chord) == pytest.approx(20, rel=1e-3)


def test_jerks_turn_the_hand_round():
    paths = [draw_path(Motion(length_px=20, anxiety=0, impulse_rate=20, seed=seed)) for seed in range(5)]
    assert np.median([np.hypot(*(path[-1] - path[0])) for path in paths]) < 12


def test_a_point_spreads_along_the_path():
    stage = Motion(length_px=15, anxiety=0.02, seed=2)
    scene = np.zeros((41, 41, 3), np.float32)
    scene[20, 20] = 1
    blurred = blur_motion(scene, stage)[..., 0]
    kernel = path_kernel(draw_path(stage))
    half = kernel.shape[0] // 2
    expected = np.zeros((41, 41))
    expected[20 - half : 21 + half, 20 - half : 21 + half] = kernel
    np.testing.assert_allclose(blurred, expected, atol=1e-5)


def test_small_kernels_have_known_values():
    disc = [[0.026, 0.145, 0.026], [0.145, 0.315, 0.145], [0.026, 0.145, 0.026]]
    np.testing.assert_allclose(disc_kernel(1.0), disc, atol=5e-4)
    line = path_kernel(np.array([[0.0, -1.0], [0.0, 0.5], [0.0, 0.5]]))
    np.testing.assert_allclose(line, [[0, 0, 0], [1 / 3] * 3, [0, 0, 0]], atol=1e-12)


def test_the_near_layer_begins_at_its_edge():
    stage = Defocus(has_edge=True, edge_waviness=0.0)
    assert near_coverage(1, 4, stage).tolist() == [[0, 0, 1, 1]]
