import inspect
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

from raim.data.camera import PRESETS
from raim.errors import InputError, TrainingError
from raim.images import write_image

pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.restore.training import patches as patches_module
from raim.restore.training.patches import Patches, PatchPair, find_files, vary
from raim.restore.training.recipe import Drawn, Source
from raim.restore.training.sources import ImageCache
from training_world import make_pairs, make_photograph, make_photographs, shrink

PLAIN = {"noise.iso": 50.0, "noise.full_well": 1e6, "noise.read_noise": 0.0}


def make_patches(*sources, patch_px=48, seed=3, scale=1):
    files = find_files(sources, patch_px, scale=scale)
    return Patches(sources=files, patch_px=patch_px, seed=seed, cache=ImageCache())


def test_a_patch_is_a_function_of_seed_step_and_place(data):
    sources = [Source(pairs=data / "pairs"), Source(photographs=data / "photographs", presets=("denoise",))]
    first, again = make_patches(*sources), make_patches(*sources)
    one = [first.draw(step, place) for step in range(3) for place in range(3)]
    other = [again.draw(step, place) for step in reversed(range(3)) for place in reversed(range(3))]
    for patch, same in zip(one, reversed(other), strict=True):
        np.testing.assert_array_equal(patch.degraded, same.degraded)
        np.testing.assert_array_equal(patch.reference, same.reference)
    assert len({patch.degraded.tobytes() for patch in one}) == 9
    assert not (make_patches(*sources, seed=4).draw(0, 0).degraded == one[0].degraded).all()


def test_both_halves_of_a_pair_are_cut_turned_and_mirrored_alike(tmp_path):
    patches = make_patches(Source(pairs=make_pairs(tmp_path / "pairs")))
    for step in range(12):
        pair = patches.draw(step, 0)
        np.testing.assert_allclose(pair.degraded, pair.reference, atol=1.01 / 255)


def test_a_reference_twice_as_large_is_cut_at_the_same_place(tmp_path):
    patches = make_patches(Source(pairs=make_pairs(tmp_path / "pairs", scale=2)), scale=2)
    for step in range(8):
        pair = patches.draw(step, 0)
        assert pair.reference.shape == (3, 96, 96)
        small = shrink(pair.reference.transpose(1, 2, 0), 2).transpose(2, 0, 1)
        np.testing.assert_allclose(pair.degraded, small, atol=1.01 / 255)


def test_both_halves_of_a_clean_photograph_stay_in_register(data):
    source = Source(
        photographs=data / "photographs", presets=("denoise",), camera={**PLAIN, "compression.quality": 0}
    )
    for step in range(6):
        pair = make_patches(source).draw(step, 0)
        degraded, reference = pair.degraded[1].ravel(), pair.reference[1].ravel()
        assert np.corrcoef(degraded, reference)[0, 1] > 0.94


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_makes_patches_of_the_stated_size(tmp_path, preset):
    make_photographs(tmp_path / "photographs", n=1, height=300, width=320)
    patches = make_patches(Source(photographs=tmp_path / "photographs", presets=(preset,)), patch_px=64)
    for step in range(3):
        pair = patches.draw(step, 0)
        assert pair.degraded.shape == pair.reference.shape == (3, 64, 64)
        assert 0 <= pair.degraded.min() <= pair.degraded.max() <= 1


def test_grey_photographs_and_pairs_of_16_bits_are_taken(tmp_path):
    make_photographs(tmp_path / "grey", n=1, channels=1)
    make_pairs(tmp_path / "deep", n=1, dtype=np.uint16)
    grey = make_patches(Source(photographs=tmp_path / "grey", presets=("denoise",))).draw(0, 0)
    assert grey.degraded.shape == (3, 48, 48)
    deep = make_patches(Source(pairs=tmp_path / "deep")).draw(0, 0)
    assert 0.15 < deep.reference.mean() < 0.85
    assert (deep.reference * 255 % 1 > 1e-3).any()  # finer than 8 bits


def test_places_that_a_mask_calls_unusable_are_avoided(tmp_path):
    pairs = make_pairs(tmp_path / "pairs", n=1)
    mask = np.full((210, 220), 85, np.uint8)
    mask[:, 60:] = 255
    (pairs / "mask").mkdir()
    write_image(pairs / "mask" / "0.png", mask)
    marked = make_photograph(0, 210, 220)
    marked[:, :60] = 255  # what moved
    write_image(pairs / "reference" / "0.png", marked)
    patches = make_patches(Source(pairs=pairs))
    shares = [float((patches.draw(step, 0).reference == 1).mean()) for step in range(20)]
    assert np.mean(shares) < 0.01


def test_a_softened_photograph_varies_less_from_pixel_to_pixel(data):
    def roughness(soften):
        source = Source(photographs=data / "photographs", presets=("denoise",), soften_px=soften)
        reference = make_patches(source).draw(0, 0).reference
        return float(np.abs(np.diff(reference, axis=2)).mean())

    assert roughness(2.0) < 0.7 * roughness(0.0)
    assert roughness(Drawn(kind="uniform", ends=(2.0, 2.5))) < 0.7 * roughness(0.0)


def test_photographs_cannot_teach_to_enlarge(data):
    with pytest.raises(InputError, match="enlarges 2 times"):
        make_patches(Source(photographs=data / "photographs", presets=("denoise",)), scale=2)


def test_patches_begin_anywhere_within_the_blocks_of_jpeg(tmp_path):
    rows = np.arange(320, dtype=np.uint8) % 16 * 10
    write_image(tmp_path / "rows.png", np.repeat(rows[:, None, None], 320, 1).repeat(3, 2))
    camera = {**PLAIN, "compression.quality": 0, "colour.tone": 0.0, "noise.bits": 0}
    source = Source(photographs=tmp_path, presets=("denoise",), camera=camera)
    patches = make_patches(source, patch_px=256)  # no room to choose a part but for the margin
    firsts = {round(float(patches.draw(step, 0).reference.mean((0, 2))[:16].argmin())) for step in range(80)}
    assert len(firsts) >= 12


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


class Pool:
    """Makes batches that say their step, up to one at which its process is killed."""

    def __init__(self, broken_at):
        self.broken_at = broken_at

    def submit(self, _function, step, _places):
        future = Future()
        if step == self.broken_at:
            future.set_exception(BrokenProcessPool())
        else:
            patches = np.full((1, 3, 2, 2), step, np.float32)
            future.set_result(PatchPair(degraded=patches, reference=patches))
        return future


def take(broken_at, ahead):
    """Give the steps of the batches that come out of a pool that is broken at a step."""
    batches = inspect.unwrap(patches_module._take_in_order)(Pool(broken_at), range(3, 9), range(1), ahead)
    return [int(batch.degraded[0, 0, 0, 0]) for batch in batches]


@pytest.mark.parametrize("ahead", [1, 4, 40])
def test_batches_come_in_the_order_of_their_steps(ahead):
    assert take(None, ahead) == list(range(3, 9))


def test_processes_that_never_start_are_distinguished_from_one_that_is_killed():
    with pytest.raises(TrainingError, match=r"could be started: a script .* below `if __name__"):
        take(3, 2)
    with pytest.raises(TrainingError, match="was killed, most likely for want of memory"):
        take(6, 2)
