import numpy as np
import pytest

from raim.errors import InputError
from raim.restore import Restorer, blend, restore
from raim.restore.classical import enlarge_bicubic

IMAGE = np.random.default_rng(0).random((8, 12, 3), np.float32)
NEGATIVE = Restorer(name="negative", purpose="for tests", compute=lambda image, _: 1 - image)


def run(restorer, strength, image=IMAGE):
    return restore(image, restorer, strength=strength).pixels


def test_no_strength_gives_exactly_the_input_and_full_strength_exactly_the_result():
    np.testing.assert_array_equal(run(NEGATIVE, 0), IMAGE)
    np.testing.assert_array_equal(run(NEGATIVE, 1), 1 - IMAGE)
    np.testing.assert_array_equal(run(blend(NEGATIVE, 1.0), 1), 1 - IMAGE)


def test_between_them_lies_the_weighted_mean():
    np.testing.assert_allclose(run(NEGATIVE, 0.3), 0.3 * (1 - IMAGE) + 0.7 * IMAGE, atol=1e-6)


@pytest.mark.parametrize("is_external", [False, True])
def test_what_enlarges_is_mixed_with_the_input_enlarged_bicubically(is_external):
    restorer = Restorer(
        name="mine",
        purpose="for tests",
        compute=lambda image, _: np.ones((3 * image.shape[0], 3 * image.shape[1], 3), np.float32),
        scale=1 if is_external else 3,
        is_external=is_external,
    )
    bicubic = enlarge_bicubic(IMAGE, 3)
    np.testing.assert_array_equal(run(restorer, 0), np.clip(bicubic, 0, 1))
    np.testing.assert_allclose(run(restorer, 0.25), np.clip(0.25 + 0.75 * bicubic, 0, 1), atol=1e-6)
    assert restore(IMAGE, restorer, strength=0.5).scale == 3


def test_types_grey_and_sixteen_bits_stay():
    deep = np.random.default_rng(1).integers(0, 65536, (9, 10), np.uint16)
    np.testing.assert_array_equal(run(NEGATIVE, 0, deep), deep)
    np.testing.assert_array_equal(run(NEGATIVE, 1, deep), 65535 - deep)


@pytest.mark.parametrize("strength", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_strength_outside_its_range_is_refused(strength):
    with pytest.raises(InputError, match=r"the strength is .*; expected a share of the restored from 0"):
        run(NEGATIVE, strength)
