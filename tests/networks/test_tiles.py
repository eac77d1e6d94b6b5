from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import InputError
from raim.networks.tiles import Tiling, reflect, run_tiled, split_axis, weigh


def box_blur(image, reach):
    """Average over a square, zeros outside: a net of that reach."""
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1, 2 * reach + 1), axis=(0, 1))
    return windows.mean(axis=(3, 4)).astype(np.float32)


layouts = st.builds(
    lambda overlap, ramp, extra, multiple: Tiling(
        tile_px=2 * overlap + 4 * ramp + multiple * (1 + extra),
        overlap_px=overlap,
        ramp_px=2 * ramp,
        multiple=multiple,
    ),
    st.integers(0, 9),
    st.integers(0, 5),
    st.integers(1, 30),
    st.sampled_from([1, 2, 4]),
)


@given(layouts, st.integers(2, 80))
def test_the_weights_of_all_tiles_add_up_to_one_everywhere(layout, n):
    length = n * layout.multiple
    total = np.zeros(length, np.float32)
    for span in split_axis(length, layout):
        total[span.kept[0] : span.kept[1]] += weigh(span, 1)
    np.testing.assert_allclose(total, 1, atol=1e-6)


@given(layouts, st.integers(2, 80))
def test_every_tile_sees_the_overlap_around_what_it_gives(layout, n):
    length = n * layout.multiple
    for span in split_axis(length, layout):
        assert span.read[0] <= max(0, span.kept[0] - layout.overlap_px)
        assert span.read[1] >= min(length, span.kept[1] + layout.overlap_px)
        assert (span.read[1] - span.read[0]) % layout.multiple == 0


@given(layouts, st.integers(2, 80))
def test_tiles_are_not_longer_than_asked_but_for_rounding(layout, n):
    spans = split_axis(n * layout.multiple, layout)
    longest = max(span.read[1] - span.read[0] for span in spans)
    assert longest <= layout.tile_px + 2 * layout.multiple


@given(st.integers(8, 900))
def test_full_tiles_are_all_of_one_size_and_see_what_they_give(n):
    layout = Tiling(tile_px=256, overlap_px=0, ramp_px=64, is_full=True)
    total = np.zeros(n, np.float32)
    for span in split_axis(n, layout):
        assert 0 <= span.read[0] <= span.kept[0] < span.kept[1] <= span.read[1] <= n
        assert span.read[1] - span.read[0] == min(n, 256)
        total[span.kept[0] : span.kept[1]] += weigh(span, 1)
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_equal_the_whole_where_the_net_reaches_no_further_than_the_overlap(threads):
    image = np.random.default_rng(0).random((70, 53, 3), np.float32)
    small = Tiling(tile_px=24, overlap_px=3, ramp_px=4, border_px=3)
    whole = Tiling(tile_px=500, overlap_px=3, border_px=3)
    expected = run_tiled(image, lambda tile: box_blur(tile, 3), whole, threads=threads)
    found = run_tiled(image, lambda tile: box_blur(tile, 3), small, threads=threads)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_seam_shows_where_the_net_reaches_further_than_the_overlap():
    image = np.random.default_rng(0).random((70, 53, 3), np.float32)
    small = Tiling(tile_px=24, overlap_px=1, ramp_px=0)
    found = run_tiled(image, lambda tile: box_blur(tile, 6), small)
    assert np.abs(found - box_blur(image, 6)).max() > 1 / 255


def test_results_of_twice_the_size_lie_at_their_places():
    image = np.random.default_rng(1).random((41, 60, 3), np.float32)
    layout = Tiling(tile_px=20, overlap_px=2, ramp_px=4, scale=2, multiple=4)
    found = run_tiled(image, lambda tile: tile.repeat(2, 0).repeat(2, 1), layout)
    np.testing.assert_allclose(found, image.repeat(2, 0).repeat(2, 1), atol=1e-6)


def test_progress_ends_at_one():
    seen = []
    image = np.zeros((40, 40, 3), np.float32)
    run_tiled(
        image,
        lambda tile: tile,
        Tiling(tile_px=16, overlap_px=1, ramp_px=2),
        threads=2,
        on_progress=seen.append,
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_tiles_that_are_all_overlap_are_refused():
    with pytest.raises(InputError, match="tiles of 10 pixels are too small: 12 of them are overlap"):
        split_axis(100, Tiling(tile_px=10, overlap_px=4, ramp_px=4))


def test_a_net_of_another_scale_than_stated_is_refused():
    with pytest.raises(InputError, match="state its scale"):
        run_tiled(
            np.zeros((9, 9, 3), np.float32),
            lambda tile: tile,
            Tiling(tile_px=20, overlap_px=0, scale=2),
        )


def test_reflection_leaves_the_photograph_in_its_place():
    image = np.random.default_rng(2).random((9, 10, 3), np.float32)
    padded = reflect(image, 4, 8)
    assert padded.shape == (24, 24, 3)
    np.testing.assert_array_equal(padded[4:13, 4:14], image)
    np.testing.assert_array_equal(padded[3, 4:14], image[1])


def test_planes_go_through_a_pool_without_being_laid_out_again():
    planes = np.random.default_rng(3).random((7, 40, 50), np.float32)
    seen = []

    def network(tile):
        seen.append(tile.transpose(2, 0, 1).strides[2])
        return np.ascontiguousarray(tile.transpose(2, 0, 1)).transpose(1, 2, 0) * 2

    tiling = Tiling(tile_px=16, overlap_px=2, ramp_px=0)
    with ThreadPoolExecutor(2) as pool:
        found = run_tiled(planes.transpose(1, 2, 0), network, tiling, threads=2, pool=pool)
    assert found.transpose(2, 0, 1).flags.c_contiguous
    np.testing.assert_array_equal(found.transpose(2, 0, 1), planes * 2)
    assert len(seen) > 4
    assert set(seen) == {4}
