import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raim.data.camera import (
    Aberration,
    Camera,
    Colour,
    Defocus,
    Denoise,
    Flare,
    Motion,
    Noise,
    Sampling,
    Sharpening,
    Zoom,
    take_pair,
)
from raim.errors import InputError


@settings(max_examples=20, deadline=None)
@given(
    red=st.floats(1, 4), blue=st.floats(1, 4), crosstalk=st.floats(0, 0.2), tone=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_a_camera_without_defects_gives_the_clean_photograph_twice(red, blue, crosstalk, tone, seed):
    clean = np.random.default_rng(seed).integers(0, 256, (24, 20, 3), np.uint8)
    colour = Colour(red_gain=red, blue_gain=blue, crosstalk=crosstalk, tone=tone)
    pair = take_pair(clean, Camera(colour=colour))
    np.testing.assert_array_equal(pair.degraded, pair.reference)
    assert np.abs(pair.reference.astype(int) - clean).max() <= 1


@pytest.mark.parametrize(
    "camera",
    [
        Camera(noise=Noise(iso=3200)),
        Camera(defocus=Defocus(radius_px=4.0)),
        Camera(sampling=Sampling(has_mosaic=True)),
        Camera(sharpening=Sharpening(amount=1.0)),
    ],
)
def test_defects_are_in_the_input_and_never_in_the_reference(camera):
    clean = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
    pair = take_pair(clean, camera)
    assert (pair.degraded != clean).any()
    np.testing.assert_array_equal(pair.reference, clean)


@pytest.mark.parametrize(
    ("deliver", "input_shape", "reference_shape"),
    [
        ("scene", (60, 69, 3), (60, 69, 3)),
        ("sensor", (20, 23, 3), (20, 23, 3)),
        ("small", (20, 23, 3), (60, 69, 3)),
    ],
)
def test_the_sizes_are_those_that_zoom_says_after_what_is_left_over_is_cut(
    deliver, input_shape, reference_shape
):
    clean = np.zeros((62, 70, 3), np.uint8)
    pair = take_pair(clean, Camera(sampling=Sampling(reduction=3), zoom=Zoom(deliver=deliver)))
    assert pair.degraded.shape == input_shape
    assert pair.reference.shape == reference_shape


def test_grey_and_sixteen_bits_are_taken_too():
    deep = np.random.default_rng(0).integers(0, 65536, (20, 20), np.uint16)
    pair = take_pair(deep, Camera())
    np.testing.assert_array_equal(pair.reference[..., 1], np.rint(deep / 257).astype(np.uint8))
    assert np.ptp(pair.reference, axis=2).max() == 0


@pytest.mark.parametrize(
    "camera",
    [
        Camera(motion=Motion(length_px=20.0, anxiety=0.3, seed=1)),
        Camera(defocus=Defocus(radius_px=8.0)),
        Camera(defocus=Defocus(radius_px=8.0, near_radius_px=5.0, has_edge=True, edge_angle_deg=90)),
        Camera(flare=Flare(strength=0.2, near_part=1.0, width=0.02)),
        Camera(aberration=Aberration(red_magnification=1.02, purple_leak=0.5)),
        Camera(sampling=Sampling(has_mosaic=True), denoise=Denoise(radius_px=5)),
        Camera(sharpening=Sharpening(amount=1.0)),
    ],
)
@pytest.mark.parametrize("side", ["top", "left", "bottom", "right"])
def test_light_at_one_edge_never_comes_in_at_the_other(camera, side):
    clean = np.zeros((96, 96, 3), np.uint8)
    edge = clean if side in ("top", "bottom") else clean.swapaxes(0, 1)
    edge[slice(0, 12) if side in ("top", "left") else slice(84, 96)] = 255
    degraded = take_pair(clean, camera).degraded
    seen = degraded if side in ("top", "bottom") else degraded.swapaxes(0, 1)
    assert seen[slice(48, 96) if side in ("top", "left") else slice(0, 48)].max() == 0


def test_a_photograph_that_is_too_small_is_refused_with_its_size():
    with pytest.raises(InputError, match="is 40x30; with reduction 2 it must be at least 32 pixels"):
        take_pair(np.zeros((30, 40, 3), np.uint8), Camera(sampling=Sampling(reduction=2)))
