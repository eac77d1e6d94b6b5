import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from raim.data.camera.compression import Compression, compress


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
