"""Pictures within a page: lossless WebP as data URIs, each content once, all together under a limit of bytes.

Crops are exact: what a reader sees at 100 % are the pixels that were measured. Only thumbnails are lossy.
"""

import base64
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from raim.errors import InputError
from raim.report.crop import Pixels8
from raim.report.photographs import ShownPhotograph

SMALLEST_CROP_PX = 64
STEP_PX = 16
THUMBNAIL_QUALITY = 70
# Effort of lossless WebP: half the time of Pillow's default at the same size (a third less than PNG), measured.
LOSSLESS_EFFORT = 50
LOSSLESS_METHOD = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedded:
    """The pictures of a page.

    Attributes:
        photographs: As they are shown, after they were cut down to the limit.
        uris: Data URI of each picture, by its key.
        keys: Key of each panel, by photograph and panel; of thumbnails, by photograph and "thumbnail".
    """

    photographs: tuple[ShownPhotograph, ...]
    uris: Mapping[str, str]
    keys: Mapping[tuple[str, str], str]


def embed_photographs(photographs: Sequence[ShownPhotograph], *, max_bytes: int) -> Embedded:
    """Encode the pictures of all photographs; crops are cut down until all fit.

    Raises:
        InputError: If even crops of 64 by 64 pixels do not fit.

    Example:
        >>> embed_photographs([], max_bytes=1000).uris
        {}
    """
    shown = tuple(photographs)
    side = max((max(each.crop.width, each.crop.height) for each in shown), default=SMALLEST_CROP_PX)
    while True:
        embedded = _encode_all(shown)
        n_bytes = sum(map(len, embedded.uris.values()))
        if n_bytes <= max_bytes:
            return embedded
        if side <= SMALLEST_CROP_PX:
            raise InputError(
                f"{len(embedded.uris)} pictures take {n_bytes} bytes, at most {max_bytes} are embedded; "
                "show fewer images per entry"
            )
        side = _next_side(side, n_bytes, max_bytes)
        shown = tuple(each.narrow(side) for each in shown)


def encode_lossless(
    pixels: Pixels8 | UInt8[np.ndarray, "_ _ 4"], *, icc_profile: bytes | None = None
) -> bytes:
    """Encode pixels, RGB or with alpha, as lossless WebP, with their colour profile if it is not sRGB."""
    options = {"lossless": True, "quality": LOSSLESS_EFFORT, "method": LOSSLESS_METHOD}
    return _encode(pixels, **options, icc_profile=icc_profile or b"")


def write_uri(content: bytes) -> str:
    """Write a WebP as an address that holds it.

    Example:
        >>> write_uri(b"RIFF")
        'data:image/webp;base64,UklGRg=='
    """
    return "data:image/webp;base64," + base64.b64encode(content).decode()


def _next_side(side: int, n_bytes: int, max_bytes: int) -> int:
    """Return the side at which the bytes should fit if they grow with the area, in whole steps, always smaller."""
    fitting = side * math.sqrt(0.95 * max_bytes / n_bytes)
    stepped = math.floor(fitting / STEP_PX) * STEP_PX
    return max(SMALLEST_CROP_PX, min(stepped, side - STEP_PX))


def _encode_all(photographs: Sequence[ShownPhotograph]) -> Embedded:
    uris: dict[str, str] = {}
    keys: dict[tuple[str, str], str] = {}
    for photograph in photographs:
        thumbnail = _encode(photograph.thumbnail, quality=THUMBNAIL_QUALITY)
        keys[photograph.name, "thumbnail"] = _keep(thumbnail, uris)
        for name, panel in photograph.panels.items():
            if panel.pixels is not None:
                keys[photograph.name, name] = _keep(encode_lossless(panel.pixels), uris)
    return Embedded(photographs=tuple(photographs), uris=uris, keys=keys)


def _keep(content: bytes, uris: dict[str, str]) -> str:
    key = hashlib.sha256(content).hexdigest()[:16]
    uris[key] = write_uri(content)
    return key


def _encode(pixels: np.ndarray, **options: float | bool | bytes) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", **options)
    return file.getvalue()
