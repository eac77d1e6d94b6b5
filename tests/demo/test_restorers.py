import numpy as np
import pytest

from score_tables import noise

pytest.importorskip("cv2", reason="the extra `demo` is not installed")

from raim.demo.restorers import ENTRIES, denoise_input, keep_input, resize_input, sharpen_input


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.file_name)
@pytest.mark.parametrize("shape", [(24, 30, 3), (24, 30)], ids=["colour", "grey"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_every_entry_keeps_size_and_type(entry, shape, kind):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, shape, kind)
    restored = entry.restore(pixels)
    assert restored.shape == shape
    assert restored.dtype == kind


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.file_name)
def test_a_flat_image_is_left_alone(entry):
    flat = np.full((20, 20, 3), 100, np.uint8)
    assert np.abs(entry.restore(flat).astype(int) - 100).max() <= 1


def test_non_local_means_lowers_noise_and_sharpening_raises_it():
    rng = np.random.default_rng(1)
    noisy = np.clip(128 + rng.normal(0, 5, (60, 60, 3)), 0, 255).astype(np.uint8)
    assert denoise_input(noisy).std() < keep_input(noisy).std() / 2
    assert sharpen_input(noisy).std() > keep_input(noisy).std() * 1.3


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_channels_do_not_change_places(kind, channels):
    pixels = np.zeros((20, 20, *channels), kind)
    pixels[..., :1] = np.iinfo(kind).max // 2
    assert np.abs(denoise_input(pixels).astype(int) - pixels).max() <= np.iinfo(kind).max // 100


def test_a_smaller_input_is_brought_to_its_reference():
    pixels = noise(10, 12, 1)
    assert resize_input(pixels, 24, 20).shape == (20, 24, 3)
    assert resize_input(pixels, 12, 10) is pixels
