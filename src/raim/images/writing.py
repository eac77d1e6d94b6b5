"""Writing an image: whole or not at all."""

import io
import os
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from raim.errors import ImageError, InputError
from raim.images.reading import Pixels

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
_PNG_HEADER_BYTES = 8 + 25  # signature and IHDR


def write_image(
    path: Path,
    pixels: Pixels,
    *,
    icc_profile: bytes | None = None,
    exif: bytes | None = None,
    quality: int = 95,
) -> None:
    """Write an image in the format that the file's suffix names.

    The file appears whole, under its own name, or not at all.

    Args:
        path: Ends in .png, .tif, .tiff, .webp, .jpg or .jpeg.
        pixels: (h, w, 3) or (h, w), uint8, or uint16 for PNG and TIFF.
        icc_profile: Colour profile to embed.
        exif: EXIF block to embed; 16-bit TIFF holds none.
        quality: Of JPEG, 1 to 100; PNG, TIFF and WebP are lossless.

    Raises:
        InputError: If the suffix or the pixels are not as stated.
        ImageError: If the file cannot be written.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder, "a.webp"), np.zeros((4, 5), np.uint8))
        ...     print([file.name for file in Path(folder).iterdir()])
        ['a.webp']
    """
    content = encode_image(pixels, path.suffix, icc_profile=icc_profile, exif=exif, quality=quality)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.stem[:40]}-", suffix=".part", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(content)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise ImageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def encode_image(
    pixels: Pixels,
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
    if suffix.lower() not in SUFFIXES:
        raise InputError(
            f"images are not written as {suffix or 'a file without suffix'}; use {', '.join(SUFFIXES)}"
        )
    _check(pixels)
    file_format = SUFFIXES[suffix.lower()]
    if pixels.dtype == np.uint8:
        return _encode_eight(pixels, file_format, icc_profile, exif, quality)
    if file_format == "PNG":
        return _encode_png(pixels, icc_profile, exif)
    if file_format == "TIFF":
        return _encode_tiff(pixels, icc_profile)
    raise InputError(f"{file_format} holds 8 bits a channel; write 16-bit images as .png or .tif")


def _check(pixels: Pixels) -> None:
    is_image = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if not is_image or pixels.size == 0 or pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"pixels are {pixels.shape} {pixels.dtype}, expected (h, w, 3) or (h, w) of uint8 or uint16"
        )


def _encode_eight(
    pixels: Pixels, file_format: str, icc_profile: bytes | None, exif: bytes | None, quality: int
) -> bytes:
    options: dict[str, object] = {
        "PNG": {"compress_level": 6},
        "JPEG": {"quality": quality, "subsampling": 0},
        "TIFF": {"compression": "tiff_adobe_deflate"},
        "WEBP": {"lossless": True, "exact": True},
    }[file_format]  # type: ignore[assignment]
    if icc_profile is not None:
        options["icc_profile"] = icc_profile
    if exif is not None:
        options["exif"] = exif
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, file_format, **options)
    return buffer.getvalue()


def _encode_png(pixels: Pixels, icc_profile: bytes | None, exif: bytes | None) -> bytes:
    import imagecodecs

    content = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=6))
    chunks = b""
    if icc_profile is not None:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if exif is not None:
        chunks += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    return content[:_PNG_HEADER_BYTES] + chunks + content[_PNG_HEADER_BYTES:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Make a PNG chunk. Source: PNG specification (third edition), section 5.3."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _encode_tiff(pixels: Pixels, icc_profile: bytes | None) -> bytes:
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        np.ascontiguousarray(pixels),
        photometric="rgb" if pixels.ndim == 3 else "minisblack",
        compression="adobe_deflate",
        iccprofile=icc_profile,
        metadata=None,
    )
    return buffer.getvalue()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
