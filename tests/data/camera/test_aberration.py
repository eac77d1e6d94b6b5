import numpy as np
import pytest

from raim.data.camera.aberration import Aberration, part_colours


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
