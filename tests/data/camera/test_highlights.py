import numpy as np

from raim.data.camera.colour import Colour, unprocess
from raim.data.camera.highlights import KNEE, Highlights, expand_highlights


def test_what_is_below_the_knee_stays_and_white_gets_its_headroom():
    colour = Colour(red_gain=2.0, blue_gain=1.5)
    scene = unprocess(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2), colour)
    expanded = expand_highlights(scene, Highlights(headroom=8.0), colour)
    below = (scene * [2, 1, 1.5]).max(axis=2) <= KNEE
    np.testing.assert_array_equal(expanded[below], scene[below])
    np.testing.assert_allclose(expanded[0, 255], 8 * scene[0, 255], rtol=1e-5)
    assert (np.diff(expanded[0], axis=0) >= 0).all()  # brighter stays brighter
