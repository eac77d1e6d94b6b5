import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from raim.data.camera.delivery import Compression, compress, resize
from raim.data.camera.sensor import Sampling, sample_scene


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "lanczos"])
def test_a_flat_picture_stays_flat(name):
    picture = np.full((10, 12, 3), 0.3, np.float32)
    np.testing.assert_allclose(resize(picture, 25, 17, name), 0.3, atol=1e-6)
    assert resize(picture, 10, 12, name) is picture


@pytest.mark.parametrize("reduction", [2, 3, 4])
def test_sampling_and_enlarging_move_nothing(reduction):
    y, x = np.mgrid[:96, :96]
    spot = np.exp(-((y - 50.3) ** 2 + (x - 41.8) ** 2) / 200).astype(np.float32)[..., None].repeat(3, 2)
    back = resize(sample_scene(spot, Sampling(reduction=reduction)), 96, 96, "bicubic")[..., 0]
    assert (back * y).sum() / back.sum() == pytest.approx(
        (spot[..., 0] * y).sum() / spot[..., 0].sum(), abs=0.01
    )
    assert (back * x).sum() / back.sum() == pytest.approx(
        (spot[..., 0] * x).sum() / spot[..., 0].sum(), abs=0.01
    )


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [30, 75, 95])
def test_it_equals_the_codec_s_own(quality, subsampling):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
    own = compress(pixels, Compression(quality=quality, subsampling=subsampling))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=subsampling)
    np.testing.assert_array_equal(own, simplejpeg.decode_jpeg(stream.getvalue()))


def test_less_quality_is_further_away_and_zero_is_none():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
    errors = [
        np.abs(compress(pixels, Compression(quality=q)).astype(int) - pixels).mean() for q in (10, 50, 90)
    ]
    assert errors == sorted(errors, reverse=True)
    assert compress(pixels, Compression()) is pixels
