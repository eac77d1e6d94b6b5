import math

import numpy as np
import pytest

from raim.data.camera.sharpening import Sharpening, sharpen


@pytest.mark.parametrize(("amount", "radius"), [(0.5, 2.0), (0.8, 4.0), (0.3, 8.0)])
def test_the_halo_s_overshoot_is_that_of_the_blurred_step(amount, radius):
    step = np.repeat(np.array([0.3, 0.7], np.float32), 64)[None, :, None].repeat(3, 2).repeat(8, 0)
    sharpened = sharpen(step, Sharpening(amount=amount, radius_px=radius))
    # Half a pixel from the edge the blurred step lacks h (1 - Phi(1 / 2 sigma)) of the plateau.
    missing = 0.4 * 0.5 * math.erfc(0.5 / radius / math.sqrt(2))
    assert sharpened.max() == pytest.approx(0.7 + amount * missing, abs=2e-3)
    assert sharpened.min() == pytest.approx(0.3 - amount * missing, abs=2e-3)


def test_colour_is_not_sharpened():
    picture = np.full((8, 32, 3), 0.5, np.float32)
    picture[:, 16:] += np.array([0.1, 0, -0.1 * 0.299 / 0.114], np.float32)  # of the same brightness
    np.testing.assert_allclose(sharpen(picture, Sharpening(amount=2.0, radius_px=2.0)), picture, atol=1e-5)
