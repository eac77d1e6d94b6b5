import numpy as np
import pytest

from raim.data.camera.sampling import filter_colours
from raim.data.camera.screen import Screen, show_on_screen


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
