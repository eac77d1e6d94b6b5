import dataclasses
import math

import numpy as np
import pytest

from raim.errors import InputError
from raim.restore import Restorer, find_restorer, reduced, restore
from raim.restore.capacity import check_capacity, estimate_memory, find_whole

MEGAPIXELS_24 = (4000, 6000)


def fail(image, context):
    raise AssertionError("the work has begun")


X4 = Restorer(name="x4", purpose="for tests", compute=fail, scale=4)


@pytest.mark.parametrize(
    "restorer",
    [
        find_restorer("bicubic-x4"),
        find_restorer("bicubic-x4", reduction=1),
        find_restorer("bicubic-x2,bicubic-x2", reduction=1),
        find_restorer("bicubic-x2,bicubic-x4"),
        find_restorer("nlm,bicubic-x4", reduction=1),
        find_restorer("real-esrgan-x4plus", reduction=1),
    ],
    ids=lambda restorer: restorer.name,
)
def test_pixels_that_are_made_in_between_are_refused_before_the_work(restorer):
    if restorer.name.count("bicubic-x2") == 2:
        check_capacity(restorer, *MEGAPIXELS_24)  # each is brought back before the next: 96 megapixels
    else:
        with pytest.raises(InputError, match=r"24000x16000 pixels of 6000x4000|48000x32000 .*\d GB"):
            check_capacity(restorer, *MEGAPIXELS_24)


@pytest.mark.parametrize("name", ["auto", "identity", "ffdnet", "nlm"])
def test_what_keeps_the_size_fits_to_the_last_byte(monkeypatch, name):
    restorer = find_restorer(name)
    needed = estimate_memory(restorer, *MEGAPIXELS_24)
    monkeypatch.setattr("raim.restore.capacity.available_memory", lambda: needed)
    check_capacity(restorer, *MEGAPIXELS_24)
    monkeypatch.setattr("raim.restore.capacity.available_memory", lambda: needed - 1)
    with pytest.raises(InputError, match="of memory for 6000x4000"):
        check_capacity(restorer, *MEGAPIXELS_24)


@pytest.mark.parametrize(
    ("reduction", "n_pixels"), [(1, 384_000_000), (2, 96_000_000), ("measure", 24_000_000)]
)
def test_a_larger_reduction_makes_fewer_pixels_and_a_measured_one_is_not_known_yet(
    monkeypatch, reduction, n_pixels
):
    restorer = find_restorer("bicubic-x4", reduction=reduction)
    monkeypatch.setattr("raim.restore.capacity.available_memory", lambda: math.inf)
    monkeypatch.setattr("raim.restore.capacity.MAX_PIXELS", n_pixels)
    check_capacity(restorer, *MEGAPIXELS_24)
    monkeypatch.setattr("raim.restore.capacity.MAX_PIXELS", n_pixels - 1)
    with pytest.raises(InputError, match=r"would make .* pixels"):
        check_capacity(restorer, *MEGAPIXELS_24)


def test_a_measured_reduction_is_refused_once_it_is_known(monkeypatch):
    monkeypatch.setattr("raim.restore.capacity.MAX_PIXELS", 4000)
    noise = np.random.default_rng(0).random((16, 16, 3), np.float32)  # its bandwidth allows no reduction
    with pytest.raises(InputError, match="x4 would make 64x64 pixels of 16x16"):
        restore(noise, reduced(X4, None))


def test_what_does_not_fit_into_memory_is_refused_before_the_work(monkeypatch):
    monkeypatch.setattr("raim.restore.capacity.available_memory", lambda: 1e6)
    with pytest.raises(InputError, match=r"would take about 3 MB of memory for 64x64, 1 MB are free"):
        restore(np.zeros((64, 64, 3), np.float32), reduced(X4, 1))


def test_a_net_that_sees_the_whole_photograph_takes_memory_unless_it_is_run_in_tiles():
    whole = dataclasses.replace(X4, whole_memory=lambda height, width: 1000 * height * width)
    plain, large = (estimate_memory(each, 100, 200) for each in (X4, whole))
    assert large - plain == 1000 * 100 * 200
    assert estimate_memory(whole, 100, 200, tile_px=64) == plain
    assert estimate_memory(dataclasses.replace(whole, can_tile=False), 100, 200, tile_px=64) == large
    # Reduced by 2 it sees a quarter; blended, chained and reduced it is still found.
    assert estimate_memory(reduced(whole, 2), 100, 200) == large / 4 + 36 * 100 * 200
    assert find_whole(reduced(whole, 2)) == [whole]
