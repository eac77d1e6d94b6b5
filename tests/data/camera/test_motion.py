import numpy as np
import pytest

from raim.data.camera.motion import Motion, blur_motion, draw_path, path_kernel


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
