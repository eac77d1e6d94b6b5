import numpy as np
import pytest

from raim.data.camera.noise import BLACK_LEVEL, Noise, expose


@pytest.mark.parametrize("iso", [200, 800, 3200])
def test_the_variance_of_noise_is_a_line_over_the_mean(iso):
    stage = Noise(iso=iso, full_well=8000, read_noise=3, seed=1)
    means = np.array([0.02, 0.1, 0.2, 0.4])
    variances = [expose(np.full((400, 400), mean, np.float32), stage).var() for mean in means]
    slope, intercept = np.polyfit(means, variances, 1)
    assert slope == pytest.approx(stage.gain, rel=0.03)
    expected = stage.gain * means + (stage.gain * stage.read_noise) ** 2
    np.testing.assert_allclose(variances, expected, rtol=0.02)
    assert abs(intercept - (stage.gain * stage.read_noise) ** 2) < 0.003 * stage.gain


def test_noise_keeps_the_mean_also_in_the_dark():
    stage = Noise(iso=3200, full_well=8000, read_noise=3, bits=12, seed=2)
    for mean in (0.0, 0.01, 0.3):
        raw = expose(np.full((400, 400), mean, np.float32), stage)
        assert raw.mean() == pytest.approx(mean, abs=4 * float(raw.std()) / 400)


def test_saturation_cuts_at_one():
    raw = expose(np.full((50, 50), 3.0, np.float32), Noise(iso=100))
    np.testing.assert_array_equal(raw, 1)


@pytest.mark.parametrize("bits", [8, 10, 14])
def test_the_converter_has_its_number_of_levels(bits):
    raw = expose(np.linspace(0, 1, 200_000, dtype=np.float32)[None, :], Noise(bits=bits))
    levels = np.unique(raw)
    assert abs(len(levels) - (1 - BLACK_LEVEL) * 2**bits) <= 2
    assert np.abs(raw - np.linspace(0, 1, 200_000)).max() <= 0.51 / ((1 - BLACK_LEVEL) * (2**bits - 1))


def test_the_same_seed_gives_the_same_noise_and_another_one_another():
    light = np.full((20, 30), 0.3, np.float32)
    first, second = (expose(light, Noise(iso=800, seed=7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != expose(light, Noise(iso=800, seed=8))).any()
