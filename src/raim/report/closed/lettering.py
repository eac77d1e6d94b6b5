"""Names written into pictures, with a font that is there: DejaVu Sans of matplotlib, or the one within Pillow."""

import functools
import unicodedata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from raim.report.crop import Pixels8

ELLIPSIS = "…"


def write_line(pixels: Pixels8, text: str, x: int, y: int, *, max_width: int, size: int, ink: int) -> None:
    """Write a line into a picture, cut with an ellipsis where it is too long.

    Args:
        pixels: (h, w, 3) uint8, changed in place.
        text: Any; signs that steer the direction of writing are left out.
        x: Left end, in pixels.
        y: Upper end, in pixels.
        max_width: In pixels.
        size: Of the font, in pixels.
        ink: Grey level of the letters.
    """
    from PIL import Image, ImageDraw

    font = _font(size)
    line = "".join(sign for sign in text if unicodedata.category(sign) not in {"Cc", "Cf", "Cs"})
    while line and font.getlength(line) > max_width:
        line = line.rstrip(ELLIPSIS)[:-1] + ELLIPSIS if len(line) > 1 else ""
    height = min(pixels.shape[0] - y, size + 8)
    if not line or height <= 0:
        return
    band = Image.fromarray(np.ascontiguousarray(pixels[y : y + height]))
    ImageDraw.Draw(band).text((x, 0), line, font=font, fill=(ink, ink, ink))
    pixels[y : y + height] = np.asarray(band)


@functools.cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    found = find_spec("matplotlib")
    if found is not None and found.origin:
        path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
