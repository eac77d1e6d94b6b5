import numpy as np
import pytest

from raim.restore import Context, Restorer, find_restorer
from raim.restore.probing import choose_tiles, measure_niqe, try_restorer


def texture(height, width, *, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


@pytest.mark.parametrize(
    ("height", "width", "count"), [(8, 8, 1), (255, 300, 1), (512, 512, 4), (3000, 4000, 4)]
)
def test_parts_lie_within_the_photograph_and_on_the_grid_of_jpeg(height, width, count):
    tiles = choose_tiles(np.zeros((height, width, 3), np.float32))
    assert len(tiles) == count
    for tile in tiles:
        for part, side in zip(tile, (height, width), strict=True):
            assert 0 <= part.start < part.stop
            assert part.start % 8 == 0
            assert min(part.stop, side) - part.start == min(256, side)


def test_the_part_with_the_most_detail_comes_first_and_the_flattest_third_is_left_out():
    image = np.full((1024, 1024, 3), 0.5, np.float32)
    image[512:768, 256:512] = texture(256, 256)
    image[:512] += 0.1 * texture(512, 1024)
    tiles = choose_tiles(image)
    assert (tiles[0][0].start, tiles[0][1].start) == (512, 256)
    assert all(np.ptp(image[tile]) > 0.05 for tile in tiles[:-1])


def test_niqe_of_a_flat_part_is_none_and_small_parts_have_one():
    assert measure_niqe(np.zeros((64, 64, 3), np.float32)) is None
    assert measure_niqe(texture(64, 80)) > 0


def test_a_trial_says_what_changed_and_what_niqe_gained():
    tile = texture(256, 256)
    trial = try_restorer(find_restorer("identity"), tile, measure_niqe(tile), Context(threads=1))
    assert (trial.niqe_gain, trial.change) == (0.0, 0.0)
    smooth = try_restorer(
        find_restorer("bicubic-x2", reduction=2), tile, measure_niqe(tile), Context(threads=1)
    )
    assert smooth.change > 20


def test_a_restorer_that_leaves_nothing_says_nothing():
    tile = texture(256, 256)
    black = Restorer(name="black", purpose="", compute=lambda image, _: np.zeros_like(image))
    assert try_restorer(black, tile, measure_niqe(tile), Context(threads=1)) is None
