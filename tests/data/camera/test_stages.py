"""The stages against their closed forms."""

import numpy as np
import pytest

from raim.data.camera.colour import decode_srgb, encode_srgb
from raim.data.camera.defocus import disc_kernel
from raim.data.camera.motion import Motion, draw_path, path_kernel
from raim.data.camera.noise import Noise, expose


def centre(kernel):
    y, x = np.mgrid[: kernel.shape[0], : kernel.shape[1]]
    return np.array([(kernel * y).sum(), (kernel * x).sum()]) - (np.array(kernel.shape) - 1) / 2


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5, 9.0])
def test_a_disc_has_energy_one_its_centre_in_the_middle_and_its_own_second_moment(radius):
    kernel = disc_kernel(radius)
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert np.abs(centre(kernel)).max() < 1e-9
    if radius >= 2:
        offsets = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
        moment = (kernel * (offsets[:, None] ** 2 + offsets[None, :] ** 2)).sum()
        assert moment == pytest.approx(radius**2 / 2 + 1 / 6, rel=0.04)  # of a disc, and of the pixels


@pytest.mark.parametrize("seed", range(5))
def test_a_path_has_energy_one_its_centre_in_the_middle_and_the_stated_length(seed):
    path = draw_path(Motion(length_px=12, anxiety=0.1, seed=seed))
    assert np.hypot(*np.diff(path, axis=0).T).sum() == pytest.approx(12, rel=1e-3)
    kernel = path_kernel(path)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert np.abs(centre(kernel)).max() < 0.05


def test_the_variance_of_noise_is_a_line_over_the_mean():
    stage = Noise(iso=3200, full_well=8000, read_noise=3, seed=1)
    means = np.array([0.02, 0.1, 0.2, 0.4])
    variances = [expose(np.full((400, 400), mean, np.float32), stage).var() for mean in means]
    slope, intercept = np.polyfit(means, variances, 1)
    assert slope == pytest.approx(stage.gain, rel=0.03)
    assert intercept == pytest.approx((stage.gain * stage.read_noise) ** 2, rel=0.5)


def test_the_same_seed_gives_the_same_noise():
    light = np.full((20, 30), 0.3, np.float32)
    first, second = (expose(light, Noise(iso=800, seed=7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != expose(light, Noise(iso=800, seed=8))).any()


def test_srgb_goes_to_linear_light_and_back():
    values = np.linspace(0, 1, 256)
    np.testing.assert_allclose(encode_srgb(decode_srgb(values)), values, atol=1e-6)
    assert decode_srgb(np.array([0.5]))[0] == pytest.approx(((0.5 + 0.055) / 1.055) ** 2.4, rel=1e-6)
