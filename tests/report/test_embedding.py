import base64
import io

import numpy as np
import pytest
from PIL import Image

from raim.errors import InputError
from raim.report.crop import Crop, difference
from raim.report.embedding import embed_photographs
from raim.report.photographs import Panel, ShownPhotograph
from score_tables import noise


def photograph(name: str, side: int, *, panels: dict[str, np.ndarray] | None = None) -> ShownPhotograph:
    reference, restored = noise(side, side, 1), noise(side, side, 2)
    panels = panels or {"reference": reference, "restored:a": restored}
    return ShownPhotograph(
        name=name,
        width=side,
        height=side,
        crop=Crop(x=0, y=0, width=side, height=side),
        thumbnail=reference[:16, :16],
        differences=difference(restored, reference),
        panels={key: Panel(pixels=pixels) for key, pixels in panels.items()},
    )


def decode(uri: str) -> np.ndarray:
    kind, content = uri.split(",")
    assert kind == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))


def test_embedded_crops_are_exact():
    shown = photograph("x", 96)
    embedded = embed_photographs([shown], max_bytes=10**7)
    for key in ("reference", "restored:a"):
        assert np.array_equal(decode(embedded.uris[embedded.keys["x", key]]), shown.panels[key].pixels)


def test_the_same_content_is_embedded_once():
    same = noise(64, 64, 3)
    embedded = embed_photographs(
        [photograph("x", 64, panels={"input": same, "restored:a": same.copy()})], max_bytes=10**7
    )
    assert embedded.keys["x", "input"] == embedded.keys["x", "restored:a"]
    assert len(embedded.uris) == 2  # it and the thumbnail


def test_crops_get_smaller_until_they_fit_and_say_where_they_are():
    shown = photograph("x", 192)
    limit = 100_000
    embedded = embed_photographs([shown], max_bytes=limit)
    crop = embedded.photographs[0].crop
    assert sum(map(len, embedded.uris.values())) <= limit
    assert 64 <= crop.width < 192
    pixels = decode(embedded.uris[embedded.keys["x", "reference"]])
    assert np.array_equal(pixels, crop.cut(shown.panels["reference"].pixels))


def test_pictures_that_cannot_fit_are_refused():
    with pytest.raises(InputError, match="at most 1000 are embedded; show fewer"):
        embed_photographs([photograph("x", 96)], max_bytes=1000)
