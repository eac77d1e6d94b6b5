"""Writing of images: the format by the file's suffix, whole files only."""

from pathlib import Path

import numpy as np

from raim.errors import InputError, unknown_name
from raim.files import place_file
from raim.images.exif import strip_prefix
from raim.images.jpeg.writing import encode_jpeg
from raim.images.picture import PixelArray
from raim.images.png.writing import encode_png
from raim.images.tiff.writing import encode_tiff
from raim.images.webp.writing import encode_webp

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
        UnknownNameError: The suffix is none of .png, .jpg, .jpeg, .tif, .tiff, .webp.
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
    """Give the bytes that `write_image` would write; arguments and errors are the same.

    Example:
        >>> encode_image(np.zeros((4, 5), np.uint8), ".png")[1:4]
        b'PNG'
    """
    _check(pixels, quality)
    plain = np.ascontiguousarray(pixels)
    block = None if exif is None else strip_prefix(exif)
    match suffix.lower():
        case ".png":
            return encode_png(plain, icc_profile, block)
        case ".jpg" | ".jpeg":
            return encode_jpeg(plain, icc_profile, block, quality)
        case ".tif" | ".tiff":
            return encode_tiff(plain, icc_profile, block)
        case ".webp":
            return encode_webp(plain, icc_profile, block, quality)
        case _:
            raise unknown_name("image suffix", suffix, SUFFIXES)


def _check(pixels: PixelArray, quality: int) -> None:
    is_shaped = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if not is_shaped or 0 in pixels.shape or pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"pixels are {pixels.dtype} of shape {pixels.shape}; expected uint8 or uint16 of shape (h, w, 3) or (h, w)"
        )
    if not 1 <= quality <= 100:
        raise InputError(f"quality is {quality}, expected 1 to 100")
