import numpy as np
import pytest

from raim.data.camera.demosaic import Demosaic, demosaic
from raim.data.camera.sensor import filter_colours

METHODS = ("malvar", "bilinear")
INNER = np.s_[3:-3, 3:-3]


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_is_exact_up_to_the_border(method):
    light = np.broadcast_to(np.array([0.2, 0.4, 0.1], np.float32), (12, 14, 3)).copy()
    if method == "malvar":  # its Laplacians hold only where all colours change alike
        light[:] = 0.3
    np.testing.assert_allclose(demosaic(filter_colours(light), Demosaic(method=method)), light, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_slope_is_exact_away_from_the_border_in_every_place_of_the_pattern(method):
    y, x = np.mgrid[:20, :24]
    light = np.stack([0.1 + 0.01 * y + 0.02 * x, 0.8 - 0.015 * x, 0.2 + 0.02 * y], axis=2).astype(np.float32)
    found = demosaic(filter_colours(light), Demosaic(method=method))
    np.testing.assert_allclose(found[INNER], light[INNER], atol=1e-6)


def test_a_single_red_point_spreads_as_the_published_kernels_say():
    raw = np.zeros((12, 12), np.float32)
    raw[6, 6] = 0.8  # a red photosite
    found = demosaic(raw, Demosaic())
    assert found[6, 6].tolist() == pytest.approx([0.8, 0.8 * 4 / 8, 0.8 * 6 / 8])
    assert found[6, 7].tolist() == pytest.approx([0.8 * 4 / 8, 0, 0])  # red beside, its kernel's 4 eighths
    assert found[7, 7, 0] == pytest.approx(0.8 * 2 / 8)
    assert found[6, 8, 1] == pytest.approx(-0.8 / 8)
    assert demosaic(raw, Demosaic(method="bilinear"))[6, 6].tolist() == pytest.approx([0.8, 0, 0])


def test_what_was_seen_is_kept():
    raw = np.random.default_rng(0).random((16, 18), np.float32) * 0.4
    np.testing.assert_allclose(
        filter_colours(demosaic(raw, Demosaic(), red_gain=2, blue_gain=1.7)), raw, rtol=1e-6
    )


def test_white_balance_keeps_grey_details_grey():
    x = np.arange(40)
    grey = np.broadcast_to((0.4 + 0.3 * np.sin(0.6 * x))[None, :, None], (40, 40, 3)).astype(np.float32)
    light = grey / np.array([2, 1, 1.6], np.float32)
    raw = filter_colours(light)
    spread = [
        np.ptp(demosaic(raw, Demosaic(), red_gain=r, blue_gain=b)[INNER] * [2, 1, 1.6], axis=2).mean()
        for r, b in ((2, 1.6), (1, 1))
    ]
    assert spread[0] < 0.6 * spread[1]
