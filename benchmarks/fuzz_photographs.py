"""Spoiled photographs through `read_image` for restoring: pixels that somebody else shows too, a warning, or an error.

A case is one file of any format that is restored, whole or spoiled as in reading_corpus.py. What is read without a
warning must be what Pillow or libvips decodes, of that file or of the one that was spoiled. Beside that it must end
within seconds and a few megabytes: the limit of pixels is low, so a file that lies about its size has to be refused
before it is decoded.
"""

import io
import resource
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps

from fuzz import Outcome
from raim.errors import ImageError
from raim.images import read_image
from reading_corpus import MAX_PIXELS, make_files, spoil

MOST_S = 5.0
MOST_KB = 400_000  # that the process may grow by, over all cases
SHARE_WHOLE = 0.1
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(1, 200)) * 10


def run_cases(n: int, seed: int, folder: Path) -> Iterator[Outcome]:
    """Run n cases; a file with a fault is kept in the folder."""
    files = make_photographs()
    rng = np.random.default_rng(seed)
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    begun_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for place in range(n):
        kind = list(files)[place % len(files)]
        whole = files[kind][rng.integers(len(files[kind]))]
        content = whole if rng.random() < SHARE_WHOLE else spoil(whole, rng)
        begun = time.monotonic()
        outcome = _read(kind, content, whole)
        fault = outcome.fault
        if time.monotonic() - begun > MOST_S:
            fault = f"took {time.monotonic() - begun:.0f} s"
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun_kb > MOST_KB:
            fault = "memory grew"
        if fault:
            path = folder / f"{place}.{kind}"
            path.write_bytes(content)
            fault = f"{path}: {fault}"
        yield Outcome(words=outcome.words, fault=fault)


def make_photographs() -> dict[str, list[bytes]]:
    """Make the files of reading_corpus.py, and those that only restoring takes."""
    import imagecodecs

    files = make_files()
    with Image.open(io.BytesIO(files["png"][0])) as opened:
        rgb = np.asarray(opened.convert("RGB"))
    jpeg = files["jpeg"]
    files["jpeg"] = jpeg + [each[:-2] for each in jpeg] + [each[:-2] + VIDEO for each in jpeg]
    files["avif"] = [imagecodecs.avif_encode(rgb), imagecodecs.avif_encode(rgb[..., 0])]
    files["jxl"] = [imagecodecs.jpegxl_encode(rgb, usecontainer=boxed) for boxed in (False, True)]
    return files


def _read(kind: str, content: bytes, whole: bytes) -> Outcome:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = read_image(content, purpose="restore", max_pixels=MAX_PIXELS)
    except ImageError:
        return Outcome(words=f"{kind}: refused")
    except Exception as error:  # noqa: BLE001 - none may come
        return Outcome(words=f"{kind}: ended otherwise", fault=f"{type(error).__name__}: {error}")
    if picture.warnings:
        return Outcome(words=f"{kind}: read with a warning")
    # The last one: what was spoiled does not touch the pixels, but others refuse it.
    shown = [_show_pillow(content), _show_vips(content), _show_pillow(whole), _show_vips(whole)]
    shown = [each for each in shown if each is not None]
    is_same = any(_is_same(picture.pixels, each) for each in shown)
    # Lossy formats of other libraries are rounded otherwise.
    is_close = kind in ("avif", "jxl") and any(_is_close(picture.pixels, each) for each in shown)
    fault = "" if is_same or is_close else f"its pixels are not what {len(shown)} others show"
    return Outcome(words=f"{kind}: read", fault=fault)


def _is_same(pixels: np.ndarray, other: np.ndarray) -> bool:
    """Whether pixels are the same; Pillow takes the upper byte of 16 bits of colour."""
    is_deep = pixels.dtype == np.uint16 and other.dtype == np.uint8
    return np.array_equal(pixels >> 8 if is_deep else pixels, other)


def _is_close(pixels: np.ndarray, other: np.ndarray) -> bool:
    same = pixels if pixels.ndim == other.ndim else np.repeat(pixels[..., None], 3, axis=2)
    return same.shape == other.shape and np.abs(same.astype(int) - other).max() <= 3


def _show_pillow(content: bytes) -> np.ndarray | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
                upright = ImageOps.exif_transpose(opened)
                plain = upright.convert("L") if upright.mode in ("1", "LA") else upright
                return np.asarray(plain.convert("RGB") if plain.mode == "RGBA" else plain)
    except Exception:  # noqa: BLE001 - Pillow raises all kinds
        return None


def _show_vips(content: bytes) -> np.ndarray | None:
    import pyvips

    try:
        image = pyvips.Image.new_from_buffer(content, "").autorot()
        pixels = image.numpy()
    except pyvips.Error:
        return None
    return pixels[..., :3] if pixels.ndim == 3 and pixels.shape[2] == 4 else pixels
