import numpy as np
import pytest

from raim.data.camera.colour import Colour, unprocess
from raim.data.camera.lens import (
    KNEE,
    Aberration,
    Flare,
    Highlights,
    expand_highlights,
    part_colours,
    scatter_light,
)


def test_what_is_below_the_knee_stays_and_white_gets_its_headroom():
    colour = Colour(red_gain=2.0, blue_gain=1.5)
    scene = unprocess(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2), colour)
    expanded = expand_highlights(scene, Highlights(headroom=8.0), colour)
    below = (scene * [2, 1, 1.5]).max(axis=2) <= KNEE
    np.testing.assert_array_equal(expanded[below], scene[below])
    np.testing.assert_allclose(expanded[0, 255], 8 * scene[0, 255], rtol=1e-5)
    assert (np.diff(expanded[0], axis=0) >= 0).all()  # brighter stays brighter


def centroid(line):
    return (line * np.arange(len(line))).sum() / line.sum()


@pytest.mark.parametrize("magnification", [0.99, 1.006])
def test_the_shift_of_a_colour_grows_linearly_with_the_radius(magnification):
    width, centre = 401, 200
    scene = np.zeros((9, width, 3), np.float32)
    places = np.array([40, 120, 280, 360])
    for place in places:  # soft lines, so that their centres are exact
        scene += np.exp(-((np.arange(width) - place) ** 2) / 18).astype(np.float32)[None, :, None]
    parted = part_colours(scene, Aberration(red_magnification=magnification))
    np.testing.assert_array_equal(parted[..., 1:], scene[..., 1:])
    for place in places:
        near = slice(place - 20, place + 21)
        shift = centroid(parted[4, near, 0]) + place - 20 - place
        assert shift == pytest.approx((magnification - 1) * (place - centre), abs=0.01)


def test_leaks_keep_the_light_and_colour_the_dark_beside_a_highlight():
    scene = np.full((64, 64, 3), 0.05, np.float32)
    scene[:, :32] = 10
    fringed = part_colours(scene, Aberration(purple_leak=0.1, fringe_radius_px=3.0))
    np.testing.assert_allclose(fringed.mean(axis=(0, 1)), scene.mean(axis=(0, 1)), rtol=1e-4)
    red, green, blue = fringed[32, 34]
    assert blue > red > 2 * green
    red, green, blue = part_colours(scene, Aberration(green_leak=0.1, fringe_radius_px=3.0))[32, 34]
    assert green > 2 * max(red, blue)


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
