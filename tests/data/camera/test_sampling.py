import numpy as np
import pytest

from raim.data.camera.demosaic import Demosaic, demosaic
from raim.data.camera.sampling import Sampling, aperture_px, filter_colours, sample_scene

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
