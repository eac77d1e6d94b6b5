"""Writing of images: the format by the file's suffix, whole files only."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from raim.errors import InputError, unknown_name
from raim.files import place_file
from raim.images.exif import PREFIX, set_pixels
from raim.images.picture import PixelArray
from raim.images.png import encode_png
from raim.images.tiff import encode_tiff

MOST_PIXELS = {"JPEG": 65_500, "WebP": 16_383}  # of a side: libjpeg's JPEG_MAX_DIMENSION, 14 bits
# A segment's length has 16 bits and counts itself; before the content stands a mark, and profiles take 255 segments.
MOST_EXIF, MOST_PROFILE = 65_527, 255 * 65_519
LOSSLESS = 100
JPEG_SUFFIXES = (".jpg", ".jpeg", ".jfif", ".jpe")  # the last two are old names, of files that are restored
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")


def write_image(
    path: Path,
    pixels: PixelArray,
    *,
    icc_profile: bytes | None = None,
    exif: bytes | None = None,
    quality: int = 95,
) -> None:
    """Write an image as PNG, JPEG, TIFF or WebP, by the suffix of its name.

    The file appears whole or not at all: it is written beside its place, then moved. Folders are not made.

    Args:
        path: Where to; a file that is there is replaced.
        pixels: (h, w, 3) RGB or (h, w) grey, uint8 or, for PNG and TIFF, uint16.
        icc_profile: The colour profile that the pixels refer to; sRGB without one.
        exif: An EXIF block (a TIFF structure, with or without the prefix "Exif").
        quality: Of JPEG (4:4:4) and WebP, 1 to 100; WebP is lossless at 100. PNG and TIFF are always lossless.

    Raises:
        UnknownNameError: The suffix is none of .png, .jpg, .jpeg, .jfif, .jpe, .tif, .tiff, .webp.
        InputError: The format cannot hold these pixels or metadata.
        OutputError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder) / "grey.tif", np.full((2, 2), 7, np.uint8))
        ...     [file.name for file in Path(folder).iterdir()]
        ['grey.tif']
    """
    place_file(path, encode_image(pixels, path.suffix, icc_profile=icc_profile, exif=exif, quality=quality))


def encode_image(
    pixels: PixelArray,
    suffix: str,
    *,
    icc_profile: bytes | None = None,
    exif: bytes | None = None,
    quality: int = 95,
) -> bytes:
    """Return the bytes that `write_image` would write; arguments and errors are the same.

    Example:
        >>> encode_image(np.zeros((4, 5), np.uint8), ".png")[1:4]
        b'PNG'
    """
    _check(pixels, quality)
    plain = np.ascontiguousarray(pixels)
    block = None if exif is None else set_pixels(exif.removeprefix(PREFIX), pixels.shape[1], pixels.shape[0])
    match suffix.lower():
        case ".png":
            return encode_png(plain, icc_profile, block)
        case kind if kind in JPEG_SUFFIXES:
            return _encode_lossy("JPEG", plain, icc_profile, block, quality=quality, subsampling="4:4:4")
        case ".tif" | ".tiff":
            return encode_tiff(plain, icc_profile, block)
        case ".webp":
            is_lossless = quality == LOSSLESS
            return _encode_lossy("WebP", plain, icc_profile, block, quality=quality, lossless=is_lossless)
        case _:
            raise unknown_name("image suffix", suffix, SUFFIXES)


def _encode_lossy(
    name: str, pixels: PixelArray, icc_profile: bytes | None, exif: bytes | None, **options: Any
) -> bytes:
    """Encode 8-bit pixels as JPEG or WebP; WebP has no grey, so grey is written as RGB."""
    from PIL import Image

    most = MOST_PIXELS[name]
    if pixels.dtype != "uint8" or max(pixels.shape[:2]) > most:
        raise InputError(
            f"{name} holds 8 bits and sides of up to {most:,} pixels, got {pixels.dtype} of shape {pixels.shape}; "
            "write a PNG or TIFF"
        )
    for what, content, most_bytes in (("EXIF", exif, MOST_EXIF), ("profile", icc_profile, MOST_PROFILE)):
        if name == "JPEG" and content is not None and len(content) > most_bytes:
            raise InputError(
                f"a JPEG holds {most_bytes:,} bytes of {what}, got {len(content):,}; write a PNG, or without it"
            )
    file = io.BytesIO()
    metadata = {"icc_profile": icc_profile} | ({} if exif is None else {"exif": PREFIX + exif})
    try:
        Image.fromarray(pixels).save(file, name.upper(), **metadata, **options)
    except (ValueError, OSError) as error:
        raise InputError(f"these pixels and metadata cannot be written as {name} ({error})") from error
    return file.getvalue()


def _check(pixels: PixelArray, quality: int) -> None:
    is_shaped = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if not is_shaped or 0 in pixels.shape or pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"pixels are {pixels.dtype} of shape {pixels.shape}; expected uint8 or uint16 of shape (h, w, 3) or (h, w)"
        )
    if not 1 <= quality <= 100:
        raise InputError(f"quality is {quality}, expected 1 to 100")
