import numpy as np
import pytest
from PIL import Image

from raim.errors import InputError
from raim.restore import find_restorer, reduced
from raim.restore.descriptor import Context
from raim.restore.pixels import resize_channel
from raim.restore.reduction import reduce, restore_reduced


def smooth_waves(height, width):
    rows, columns = np.mgrid[:height, :width]
    wave = 0.5 + 0.2 * np.sin(2 * np.pi * rows / 61) + 0.2 * np.cos(2 * np.pi * columns / 47)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.float32)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["bicubic-x2", "bicubic-x4"])
def test_what_a_reduction_can_hold_stays_at_its_place(factor, name):
    image = smooth_waves(121, 94)
    found = restore_reduced(image, find_restorer(name), factor, Context())
    assert found.shape == image.shape
    inner = np.s_[8:-8, 8:-8]
    assert np.abs(found - image)[inner].max() < 0.006  # a shift of half a pixel would be 0.013


def test_reducing_averages_blocks():
    image = np.random.default_rng(0).random((12, 9, 3), np.float32)
    expected = image.reshape(4, 3, 3, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(reduce(image, 3), expected, atol=1e-6)


def test_sides_that_are_no_multiple_are_reflected():
    assert reduce(np.ones((10, 11, 3), np.float32), 4).shape == (3, 3, 3)
    np.testing.assert_allclose(reduce(np.ones((10, 11, 3), np.float32), 4), 1)


def test_resizing_keeps_a_constant():
    resized = resize_channel(np.full((20, 30), 0.3, np.float32), 15, 22, Image.Resampling.LANCZOS)
    np.testing.assert_allclose(resized, 0.3, atol=1e-6)


@pytest.mark.parametrize("factor", [0, 5, -1])
def test_other_reductions_are_refused(factor):
    with pytest.raises(InputError, match="expected 1, 2, 3 or 4"):
        reduced(find_restorer("bicubic-x4"), factor)


def test_a_measured_reduction_is_noted():
    notes = []
    image = smooth_waves(96, 96)
    reduced(find_restorer("bicubic-x4"), None).run(image, Context(on_note=notes.append))
    assert notes[0].startswith("reduced by 4: its bandwidth is 0.")
