import numpy as np
import pytest

from raim.data.camera.demosaic import Demosaic, demosaic
from raim.data.camera.sensor import (
    BLACK_LEVEL,
    Noise,
    Sampling,
    Screen,
    aperture_px,
    expose,
    filter_colours,
    sample_scene,
    show_on_screen,
)

N = 720


def stripes(frequency, n=N):
    """Vertical stripes of grey light, in cycles for each pixel."""
    wave = 0.5 + 0.4 * np.cos(2 * np.pi * frequency * np.arange(n))
    return np.broadcast_to(wave[None, :, None], (24, n, 3)).astype(np.float32)


def peak(line):
    """Give frequency and amplitude of the strongest wave of a line."""
    spectrum = np.abs(np.fft.rfft(line - line.mean())) * 2 / len(line)
    return np.argmax(spectrum) / len(line), spectrum.max()


@pytest.mark.parametrize("reduction", [2, 3, 4])
@pytest.mark.parametrize("frequency", [0.15, 0.3, 0.45])
def test_fine_stripes_come_out_at_the_folded_frequency(frequency, reduction):
    sampled = sample_scene(stripes(frequency), Sampling(reduction=reduction, fill=0.0))
    found, amplitude = peak(sampled[3, :, 0].astype(float))
    cycles = frequency * reduction  # for each photosite
    assert found == pytest.approx(abs(cycles - round(cycles)), abs=1e-9)
    narrow = aperture_px(Sampling(reduction=reduction, fill=0.0))
    expected = np.sin(np.pi * frequency * narrow) / (narrow * np.sin(np.pi * frequency))
    assert amplitude == pytest.approx(0.4 * abs(expected), rel=1e-3)


def test_wider_photosites_let_less_of_the_moire_through():
    amplitudes = [
        peak(sample_scene(stripes(0.3), Sampling(reduction=4, fill=fill))[3, :, 0].astype(float))[1]
        for fill in (0.0, 1.0)
    ]
    expected = abs(np.sin(np.pi * 0.3 * 4) / (4 * np.sin(np.pi * 0.3)))
    assert amplitudes[1] == pytest.approx(0.4 * expected, rel=1e-3)
    assert amplitudes[1] < amplitudes[0]


@pytest.mark.parametrize("method", ["bilinear", "malvar"])
@pytest.mark.parametrize("distance", [1 / 60, 1 / 24])
def test_grey_stripes_near_the_limit_come_out_coloured_at_the_beat_of_the_colour_filters(distance, method):
    # Red lies in even columns and blue in odd ones: cos(pi x - 2 pi d x) is cos(2 pi d x) in one, its negative in
    # the other.
    light = stripes(0.5 - distance)
    found = demosaic(filter_colours(light), Demosaic(method=method))
    frequency, amplitude = peak((found[5, :, 0] - found[5, :, 2]).astype(float))
    assert frequency == pytest.approx(distance, abs=1e-9)
    assert amplitude > 0.5  # of 0.8, were red and blue interpolated without loss
    assert np.ptp(light, axis=2).max() == 0


def test_stripes_that_the_grid_resolves_stay_grey():
    found = demosaic(filter_colours(stripes(1 / 24)), Demosaic())
    assert np.ptp(found[4:-4, 8:-8], axis=2).max() < 0.01


@pytest.mark.parametrize("pitch", [1.9, 2.2])
def test_stripes_of_a_screen_beat_with_the_colour_filters(pitch):
    light = np.full((8, 720, 3), 0.4, np.float32)
    raw = filter_colours(show_on_screen(light, Screen(contrast=0.3, pitch_px=pitch)))
    red = raw[0, 0::2].astype(float)  # red is sampled at every second photosite
    spectrum = np.abs(np.fft.rfft((red - red.mean()) * np.hanning(len(red))))
    cycles = 2 / pitch
    assert np.argmax(spectrum) / len(red) == pytest.approx(abs(cycles - round(cycles)), abs=1.5 / len(red))


def test_a_screen_keeps_the_mean_of_each_colour():
    light = np.full((200, 200, 3), 0.4, np.float32)
    shown = show_on_screen(light, Screen(contrast=0.5, pitch_px=2.07, angle_deg=3.0, bend=0.02))
    assert shown.mean(axis=(0, 1)) == pytest.approx([0.4] * 3, rel=0.02)
    assert show_on_screen(light, Screen()) is light


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


def test_a_photosite_is_as_wide_as_its_part_of_the_pitch():
    assert [aperture_px(Sampling(reduction=r, fill=0.5)) for r in (1, 2, 3, 4, 8)] == [1, 2, 1, 2, 4]
    scene = np.arange(6, dtype=np.float32)[None, :, None].repeat(3, 0).repeat(3, 2)
    assert sample_scene(scene, Sampling(reduction=3, fill=0.0))[..., 0].tolist() == [[1, 4]]


def test_the_filters_are_red_green_over_green_blue():
    light = np.stack([np.full((2, 2), value, np.float32) for value in (1, 2, 3)], axis=2)
    assert filter_colours(light).tolist() == [[1, 2], [2, 3]]


def test_stripes_of_two_photosites_are_light_and_dark():
    light = np.full((1, 4, 3), 0.5, np.float32)
    shown = show_on_screen(light, Screen(contrast=0.5, pitch_px=2.0))[0, :, 0]
    np.testing.assert_allclose(shown, [0.9375, 0.3125, 0.9375, 0.3125], atol=1e-6)
