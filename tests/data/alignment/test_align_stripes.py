"""Stripes: closed forms of what is attenuated, and what is left alone."""

import numpy as np
import pytest

from raim.data.alignment.stripes import suppress_stripes

SIDE = 192
EVERYWHERE = np.ones((SIDE, SIDE), bool)


def make_noise(seed, deviation):
    return np.random.default_rng(seed).normal(0, deviation, (SIDE, SIDE)).astype(np.float32)


def make_stripes(period_px, degrees):
    y, x = np.mgrid[:SIDE, :SIDE]
    along = x * np.cos(np.radians(degrees)) + y * np.sin(np.radians(degrees))
    return (0.05 * np.sin(2 * np.pi * along / period_px)).astype(np.float32)


@pytest.mark.parametrize(("period_px", "degrees"), [(8, 20), (13, 75), (20, 140)])
def test_stripes_are_attenuated_and_the_scene_is_kept(period_px, degrees):
    scene, stripes = make_noise(0, 0.1), make_stripes(period_px, degrees)
    own, other = suppress_stripes(scene + stripes + make_noise(1, 0.01), scene, EVERYWHERE)
    inner = slice(20, -20), slice(20, -20)
    assert (own - other)[inner].std() < 0.5 * stripes.std()
    assert np.corrcoef(other[inner].ravel(), scene[inner].ravel())[0, 1] > 0.98


def test_noise_without_a_direction_changes_nothing():
    scene = make_noise(2, 0.1)
    _, other = suppress_stripes(scene + make_noise(3, 0.02), scene, EVERYWHERE)
    np.testing.assert_allclose(other, scene, atol=0.01)


def test_two_pictures_that_are_the_same_stay_as_they_are():
    scene = make_noise(4, 0.1)
    own, _ = suppress_stripes(scene, scene, EVERYWHERE)
    np.testing.assert_allclose(own, scene, atol=1e-6)


def test_what_has_moved_does_not_ring():
    scene = make_noise(5, 0.1)
    moved = np.zeros((SIDE, SIDE), bool)
    moved[80:110, 60:100] = True
    own, _ = suppress_stripes(np.where(moved, 1, scene).astype(np.float32), scene, ~moved)
    np.testing.assert_allclose(own, scene, atol=1e-6)
