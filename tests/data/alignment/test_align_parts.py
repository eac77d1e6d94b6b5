"""Closed forms and invariances of the parts of an alignment."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raim.data.alignment.crops import Rectangle, find_rectangle, place_crops
from raim.data.alignment.kernel import _centre, apply_kernel, estimate_kernel, measure_spread
from raim.data.alignment.mapping import find_inside, measure_scale, project, start_mapping, warp
from raim.data.alignment.masks import MOVED, OUTSIDE, SATURATED, UNDETERMINED, USABLE, draw_mask, find_moved
from raim.data.alignment.matches import MatchSearch, correlate, search_homography
from raim.data.alignment.modes import ALIGNMENT_MODES
from raim.data.alignment.options import AlignmentOptions, PairLimits
from raim.data.alignment.planes import stretch, to_colour, to_pixels
from raim.data.alignment.refusal import describe_search
from raim.data.alignment.residual import measure_residual
from raim.data.alignment.spline import Evidence, fit_spline
from raim.data.alignment.tone import keep_tone, match_tone
from raim.errors import InputError


def make_scene(seed=0, height=160, width=200):
    rng = np.random.default_rng(seed)
    scene = np.zeros((height, width, 3), np.float32)
    for deviation, weight in ((1.2, 0.9), (4, 2.0), (14, 5.0)):
        layer = cv2.GaussianBlur(rng.normal(0, 1, scene.shape).astype(np.float32), (0, 0), deviation)
        scene += weight * layer
    return np.clip(0.5 + 0.12 * scene, 0.02, 0.95).astype(np.float32)


def luma(scene):
    return np.ascontiguousarray(scene @ np.float32([0.299, 0.587, 0.114]))


def everywhere(scene):
    return np.ones(scene.shape[:2], bool)


def test_the_mapping_that_does_nothing_gives_the_same_picture():
    scene = make_scene()
    mapping = start_mapping(np.eye(3), *scene.shape[:2])
    np.testing.assert_allclose(warp(scene, mapping), scene, atol=1e-6)
    assert find_inside(mapping.at_scale(1), scene.shape)[2:-2, 2:-2].all()


def test_a_homography_is_applied_as_its_definition_says():
    homography = np.array([[1.1, 0.02, 3.0], [-0.01, 0.95, -2.0], [1e-4, 2e-4, 1.0]])
    x, y = 37.0, 51.0
    below = 1e-4 * x + 2e-4 * y + 1
    expected = [(1.1 * x + 0.02 * y + 3) / below, (-0.01 * x + 0.95 * y - 2) / below]
    point = np.array([[[x, y]]], np.float32)
    np.testing.assert_allclose(project(homography, point)[0, 0], expected, rtol=1e-5)


@given(dx=st.integers(-6, 6), dy=st.integers(-6, 6))
@settings(max_examples=12, deadline=None)
def test_a_shift_by_whole_pixels_shifts_the_mapping_by_as_much(dx, dy):
    scene = luma(make_scene(1))
    shifted = np.roll(scene, (dy, dx), axis=(0, 1))
    best = search_homography(scene, shifted, ALIGNMENT_MODES["burst"], seed=0).best
    height, width = scene.shape
    middle = np.array([[[width / 2, height / 2]]], np.float32)
    moved = project(best.homography, middle)[0, 0] - middle[0, 0]
    np.testing.assert_allclose(moved, [dx, dy], atol=0.15)


def test_the_residual_of_the_same_picture_is_nothing():
    scene = luma(make_scene(2))
    residual = measure_residual(scene, scene, everywhere(scene), tile_px=64)
    assert len(residual.tiles) == len(residual.places) > 3
    assert residual.mean_px() < 1e-6


@pytest.mark.parametrize("shift", [(0.25, 0.0), (-0.4, 0.7), (1.6, -2.2)])
def test_the_residual_measures_a_shift_that_the_fourier_transform_made(shift):
    scene = luma(make_scene(3, 192, 192))
    y, x = np.meshgrid(np.fft.fftfreq(192), np.fft.fftfreq(192), indexing="ij")
    phase = np.exp(-2j * np.pi * (x * shift[0] + y * shift[1]))
    shifted = np.fft.ifft2(np.fft.fft2(scene) * phase).real.astype(np.float32)
    residual = measure_residual(shifted, scene, everywhere(scene), tile_px=64)
    assert residual.mean_px() == pytest.approx(np.hypot(*shift), abs=0.05)


def test_a_tile_without_texture_measures_nothing():
    flat = np.full((128, 128), 0.5, np.float32)
    residual = measure_residual(flat, flat, everywhere(flat), tile_px=64)
    assert residual.tiles == ()
    assert np.isnan(residual.mean_px())


def test_a_known_tone_is_found_and_never_falls():
    scene = make_scene(4)
    toned = (0.05 + 0.8 * scene ** np.float32([0.8, 1.0, 1.25])).astype(np.float32)
    tone = match_tone(toned, scene, everywhere(scene))
    assert (np.diff(tone.curves, axis=1) >= 0).all()
    assert 255 * np.abs(tone.apply(scene) - toned).mean() < 0.5
    np.testing.assert_allclose(tone.invert(tone.apply(scene)), scene, atol=0.01)


def test_too_few_places_leave_the_tone_as_it_is():
    scene = make_scene(5)
    tone = match_tone(scene * 0.5, scene, np.zeros(scene.shape[:2], bool))
    np.testing.assert_array_equal(tone.curves, keep_tone(3).curves)


def centroid(kernel):
    axis = np.arange(len(kernel)) - len(kernel) // 2
    return np.array([kernel.sum(0) @ axis, kernel.sum(1) @ axis]) / kernel.sum()


def variance(kernel):
    axis = np.arange(len(kernel)) - len(kernel) // 2
    return (kernel.sum(0) @ axis**2 + kernel.sum(1) @ axis**2) / kernel.sum() - (centroid(kernel) ** 2).sum()


def test_a_blur_is_estimated_with_its_spread_and_its_centre():
    scene = luma(make_scene(6, 200, 200))
    axis = np.arange(-6, 7)
    gaussian = np.exp(-(axis**2) / (2 * 1.5**2))
    kernel = np.float32(np.outer(gaussian, gaussian) / gaussian.sum() ** 2)
    found = estimate_kernel(apply_kernel(scene, kernel), scene, 13)
    assert found.sum() == pytest.approx(1, abs=1e-4)
    assert measure_spread(found) == pytest.approx(measure_spread(kernel), rel=0.15)
    np.testing.assert_allclose(centroid(found), 0, atol=0.05)


def test_the_kernel_of_a_lopsided_shake_is_centred_without_wrapping_around():
    scene = luma(make_scene(0, 260, 300))
    shake = np.zeros((45, 45), np.float32)
    shake[22, 2:32], shake[22, 32:43] = 0.3 / 30, 0.7 / 11  # 41 px, most of its light in the last 11
    found = estimate_kernel(apply_kernel(scene, shake), scene, 45)
    np.testing.assert_allclose(centroid(found), 0, atol=1e-3)
    columns = found.sum(0)
    right = 20 - centroid(shake)[0]  # where the shake ends, from its centroid
    assert columns[len(columns) // 2 + round(right) + 3 :].sum() < 0.01
    assert columns[: len(columns) // 2].sum() == pytest.approx(shake[22, : 22 + 9].sum(), abs=0.03)


def test_centring_a_kernel_moves_its_light_and_loses_none():
    rng = np.random.default_rng(0)
    for side in (3, 5, 7, 15) * 5:
        kernel = rng.random((side, side)) ** 8 * (rng.random((side, side)) < 0.3)
        kernel[rng.integers(side), rng.integers(side)] = 1
        centred = _centre(kernel)
        np.testing.assert_allclose(centroid(centred), 0, atol=1e-5)
        # Bilinear weights add at most a quarter to an axis's variance; light at the other end would add far more.
        assert -1e-4 < variance(centred) - variance(kernel) < 0.5 + 1e-4


def test_what_moved_is_masked_and_little_else():
    scene = make_scene(7)
    noisy = scene + np.random.default_rng(0).normal(0, 0.01, scene.shape).astype(np.float32)
    moved = np.zeros(scene.shape[:2], np.uint8)
    cv2.circle(moved, (100, 80), 22, 1, -1)
    changed = np.where(moved[..., None] > 0, np.roll(scene, 37, axis=1), scene).astype(np.float32)
    found = find_moved(noisy, changed, everywhere(scene))
    near = cv2.dilate(moved, np.ones((31, 31), np.uint8)) > 0
    assert found[moved > 0].mean() > 0.85
    assert found[~near].mean() < 0.01


def test_each_kind_of_pixel_has_its_value_in_the_mask():
    rows = [1, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 1, 1], [0, 1, 1, 1, 1]
    inside, undetermined, moved, saturated = (np.array([row], bool) for row in rows)
    mask = draw_mask(inside, undetermined=undetermined, moved=moved, saturated=saturated)
    assert mask.tolist() == [[USABLE, SATURATED, UNDETERMINED, MOVED, OUTSIDE]]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_largest_rectangle_is_inside_and_none_is_larger(seed):
    inside = np.random.default_rng(seed).random((9, 11)) < 0.75
    found = find_rectangle(inside)
    sizes = [
        (bottom - top) * (right - left)
        for top in range(9)
        for bottom in range(top + 1, 10)
        for left in range(11)
        for right in range(left + 1, 12)
        if inside[top:bottom, left:right].all()
    ]
    assert found.width * found.height == max(sizes)
    assert inside[found.y : found.y + found.height, found.x : found.x + found.width].all()


def test_crops_have_the_stated_size_and_lie_within():
    room = Rectangle(x=3, y=5, width=150, height=70)
    crops = place_crops(room, 64)
    assert {(crop.width, crop.height) for crop in crops} == {(64, 64)}
    assert len(crops) == 2
    assert all(room.x <= crop.x and crop.x + 64 <= room.x + room.width for crop in crops)
    assert place_crops(room, 80) == ()
    assert place_crops(room, None) == (room,)


@pytest.mark.parametrize(
    "change",
    [{"crop_px": 31}, {"scale": 0.9}, {"scale": 9.0}, {"scale": 1.5}, {"scale": 1.5, "crop_px": 33}],
)
def test_options_that_cannot_be_are_refused(change):
    with pytest.raises(InputError):
        AlignmentOptions(**change)


@pytest.mark.parametrize(
    "change",
    [{"residual_px": 0.0}, {"residual_px": float("nan")}, {"moved_share": 1.1}, {"undetermined_share": -0.1}],
)
def test_limits_that_cannot_be_are_refused(change):
    with pytest.raises(InputError):
        PairLimits(**change)


def test_crops_and_rectangles_have_known_places():
    inside = np.zeros((6, 8), bool)
    inside[1:5, 2:8] = True
    assert find_rectangle(inside) == Rectangle(x=2, y=1, width=6, height=4)
    room = Rectangle(x=10, y=0, width=100, height=50)
    assert [(crop.x, crop.y) for crop in place_crops(room, 40)] == [(16, 5), (63, 5)]


def test_a_homography_scales_and_evidence_of_a_shift_gives_it():
    double = start_mapping(np.diag([2.0, 2.0, 1.0]), 2, 3)
    assert double.at_scale(1)[1, 2].tolist() == [4, 2]
    assert measure_scale(double.homography, 100, 100) == pytest.approx(2)
    one, none = np.ones((64, 96), np.float32), np.zeros((64, 96), np.float32)
    shift = Evidence(xx=one, xy=none, yy=one, x=2 * one, y=none)
    np.testing.assert_allclose(fit_spline(shift, spacing_px=16, stiffness=10.0)[0, 0], [2, 0], atol=1e-3)


def test_a_straight_tone_is_found_exactly():
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (64, 1))[..., None]
    tone = match_tone(0.5 * ramp + 0.1, ramp, np.ones((64, 256), bool))
    assert tone.apply(np.array([[[0.4]]], np.float32))[0, 0, 0] == pytest.approx(0.3, abs=5e-4)
    assert keep_tone(1).apply(np.array([[[0.25]]], np.float32)).tolist() == [[[0.25]]]


def test_planes_go_to_integers_of_the_input_s_type_and_back():
    assert to_colour(np.array([[0, 255]], np.uint8))[..., 0].tolist() == [[0, 1]]
    assert to_pixels(np.array([[[0.5], [2.0]]], np.float32), np.dtype(np.uint8)).tolist() == [[128, 255]]
    slope = np.linspace(0.4, 0.6, 1000, dtype=np.float32)[None]
    assert stretch(slope)[0, [0, 500, 999]].tolist() == [0, 128, 255]
    noise = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    assert correlate(noise, 1 - noise, everywhere(noise)) == pytest.approx(-1, abs=0.01)


def test_a_search_in_vain_says_what_it_has_found():
    nothing = MatchSearch(n_features=(90, 85), n_matches=20, n_inliers=5, best=None)
    assert describe_search(nothing).startswith(
        "no common scene was found: of 90 and 85 features 20 match, of which 5 (25 %) agree on one homography; nothing"
    )
