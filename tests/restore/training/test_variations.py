import numpy as np

from raim.restore.training.recipe import Drawn, Source
from raim.restore.training.variations import vary


def flat(*colour, dtype=np.uint8):
    return np.full((6, 8, 3), colour, dtype)


def test_colours_change_places_and_all_orders_come():
    rng = np.random.default_rng(0)
    source = Source(mix_colours=True)
    seen = {tuple(vary(flat(10, 20, 30), source, rng)[0, 0].tolist()) for _ in range(60)}
    assert len(seen) == 6


def test_a_photograph_is_darkened_within_its_range_and_keeps_its_type():
    source = Source(brightness=Drawn(kind="log_uniform", ends=(0.25, 1.0)))
    rng = np.random.default_rng(0)
    values = [int(vary(flat(60000, 60000, 60000, dtype=np.uint16), source, rng)[0, 0, 0]) for _ in range(50)]
    assert 15000 <= min(values) < 20000
    assert 50000 < max(values) <= 60000


def test_grey_photographs_have_no_colours_to_mix():
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    assert np.array_equal(vary(grey, Source(mix_colours=True), np.random.default_rng(0)), grey)


def test_without_any_of_it_nothing_changes_and_nothing_is_drawn():
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, (6, 8, 3), np.uint8)
    before = rng.bit_generator.state
    assert vary(clean, Source(), rng) is clean
    assert rng.bit_generator.state == before
