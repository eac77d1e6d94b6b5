import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra restore is not installed")

from raim.errors import InputError, WeightsFormatError
from raim.images import read_image
from raim.networks import rrdbnet
from raim.networks.ncnn import published_network
from raim.networks.rrdbnet_ncnn import find_blobs
from raim.restore import find_restorer, restore
from raim.restore.descriptor import Context
from raim.restore.rrdbnet import load_parts

NAMES = ["real-esrgan-x4plus", "realsr-df2k-x4"]
BORDER = rrdbnet.BORDER_PX


@pytest.fixture
def photograph(shared):
    pixels = read_image(shared / "data" / "paired" / "motion_blur" / "input" / "gopro_00.png").pixels
    return np.ascontiguousarray(pixels[300:340, 400:456] / np.float32(255), np.float32)


def _run(image, name="real-esrgan-x4plus", **options):
    context = Context(threads=2, **options)
    return rrdbnet.enlarge(image, load_parts(name, context), context.on_progress)


@pytest.mark.shared
@pytest.mark.parametrize("name", NAMES)
def test_it_equals_the_output_of_ncnn_itself(photograph, name):
    net, _ = published_network(name)
    padded = np.pad(photograph, ((BORDER, BORDER), (BORDER, BORDER), (0, 0)), mode="reflect")
    whole = net.run({"data": padded.transpose(2, 0, 1)}, "output").transpose(1, 2, 0)
    expected = whole[4 * BORDER : -4 * BORDER, 4 * BORDER : -4 * BORDER]
    assert np.abs(_run(photograph, name) - expected).max() < 1e-4
    assert np.abs(find_restorer(name).run(photograph, Context()) - expected).max() < 1e-4


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", NAMES)
def test_the_converted_weights_in_torch_equal_ncnn_within_1e_4(photograph, name):
    from raim.networks.rrdbnet_torch import torch_parts

    small = np.ascontiguousarray(photograph[:16, :24])
    converted = rrdbnet.enlarge(small, torch_parts(name, "cpu"), Context().on_progress)
    assert np.abs(_run(small, name) - converted).max() < 1e-4


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("is_portrait", [False, True])
def test_tiles_and_strips_leave_no_seam(photograph, monkeypatch, is_portrait):
    image = np.ascontiguousarray(photograph.transpose(1, 0, 2)) if is_portrait else photograph
    whole = _run(image, tile_px=4000)
    monkeypatch.setattr(rrdbnet, "STRIP_AREA", 1)
    assert np.abs(_run(image, tile_px=32) - whole).max() < 1e-4


def test_progress_ends_at_one_and_never_falls():
    seen = []
    context = dataclasses.replace(Context(), on_progress=seen.append)
    image = np.full((8, 9, 3), 0.5, np.float32)
    rrdbnet.enlarge(image, load_parts("real-esrgan-x4plus", context), context.on_progress)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)
    assert len(seen) >= 69


def test_tiles_smaller_than_what_a_block_sees_are_refused():
    with pytest.raises(InputError, match="tiles of 8 pixels are too small"):
        restore(np.zeros((32, 32, 3), np.uint8), "real-esrgan-x4plus", tile=8)


def test_another_net_is_refused():
    with pytest.raises(WeightsFormatError, match="no RRDBNet"):
        find_blobs("7767517\n2 2\nInput in 0 1 data\nConvolution conv 1 1 data out 0=3")
