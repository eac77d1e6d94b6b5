"""What a file says of its image, read from its header: nothing is decoded.

The declared size is checked here, before any pixel is decoded, so that a small file cannot ask for all memory.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import BITSPERSAMPLE

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images.colour_profile import is_srgb

MAX_PIXELS = 120_000_000  # a 108-megapixel telephone's photograph, and a little

Mode = Literal["grey", "grey-alpha", "rgb", "rgba", "palette", "cmyk", "other"]

# Pillow's names of what a pixel holds.
_MODES: dict[str, Mode] = {
    "1": "grey",
    "L": "grey",
    "I;16": "grey",
    "I;16B": "grey",
    "LA": "grey-alpha",
    "La": "grey-alpha",
    "RGB": "rgb",
    "RGBA": "rgba",
    "RGBa": "rgba",
    "P": "palette",
    "PA": "palette",
    "CMYK": "cmyk",
}
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
_ORIENTATION = 0x0112  # EXIF tag
_PNG_DEPTH_AT = 24  # byte of the bit depth in a PNG file: signature 8, length 4, "IHDR", width 4, height 4


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageInfo:
    """What a file's header states.

    Attributes:
        format: "PNG", "JPEG", "TIFF" or "WEBP".
        width: Columns, as stored.
        height: Rows, as stored.
        mode: What a pixel holds.
        bit_depth: Bits of each channel.
        has_icc: Whether a colour profile other than sRGB is embedded.
        orientation: EXIF orientation, 1 (upright) to 8.
        n_bytes: Size of the file.
        icc_profile: The embedded profile's bytes, sRGB or not.
        exif: The EXIF block's bytes with the orientation set upright.
    """

    format: str
    width: int
    height: int
    mode: Mode
    bit_depth: int
    has_icc: bool
    orientation: int
    n_bytes: int
    icc_profile: bytes | None = None
    exif: bytes | None = None


def inspect_image(source: Path | bytes, *, max_pixels: int = MAX_PIXELS) -> ImageInfo:
    """Read what a file states of its image.

    Args:
        source: A path, or the file's bytes.
        max_pixels: More pixels are refused.

    Raises:
        ImageError: If it is no still PNG, JPEG, TIFF or WebP image, or cannot be read.
        ImageTooLargeError: If it states more than `max_pixels`.

    Example:
        >>> import numpy as np, tempfile
        >>> from raim.images import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder, "a.png"), np.zeros((2, 3, 3), np.uint16))
        ...     info = inspect_image(Path(folder, "a.png"))
        >>> info.format, info.width, info.height, info.mode, info.bit_depth
        ('PNG', 3, 2, 'rgb', 16)
    """
    content = read_content(source)
    with opened(content, max_pixels=max_pixels) as image:
        return describe(image, content)


def read_content(source: Path | bytes) -> bytes:
    """Read a file's bytes.

    Raises:
        ImageError: If the file cannot be read.
    """
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes()
    except OSError as error:
        raise ImageError(f"{source} cannot be read: {error.strerror or error}") from error


@contextlib.contextmanager
def opened(content: bytes, *, max_pixels: int) -> Iterator[Image.Image]:
    """Open a file with Pillow, every refusal an `ImageError`; what happens inside is refused alike."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes, which we check, and of odd metadata
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                check_size(image.width, image.height, max_pixels)
                _check_still(getattr(image, "n_frames", 1))
                yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(
            f"it is no image that raim reads ({_guess(content)}); save it as PNG, TIFF, WebP or JPEG"
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(f"it states a size far over the limit of {max_pixels} pixels") from error
    except (MemoryError, Exception) as error:  # decoders raise whatever they like on damaged files
        raise ImageTruncatedError(
            f"it is damaged or incomplete ({type(error).__name__}: {error}); export or copy it again"
        ) from error


def _check_still(n_frames: int) -> None:
    if n_frames > 1:
        raise ImageError(f"it holds {n_frames} pictures; save one of them as a still image")


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a stated size without pixels, or over the limit.

    Raises:
        ImageError: If a side is zero.
        ImageTooLargeError: If there are more than `max_pixels`.
    """
    if width < 1 or height < 1:
        raise ImageError(f"it states a size of {width}x{height}; there is no pixel in it")
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"it states {width}x{height} = {width * height} pixels, more than the limit of {max_pixels}; "
            "reduce it, or raise the limit (max_pixels) if you trust the file"
        )


def describe(image: Image.Image, content: bytes) -> ImageInfo:
    """Gather what an opened file states."""
    exif = _read_exif(image)
    orientation = int(exif.get(_ORIENTATION, 1) or 1)
    if _ORIENTATION in exif:
        exif[_ORIENTATION] = 1
    icc_profile = image.info.get("icc_profile") or None
    mode = _MODES.get(image.mode, "other")
    if mode in {"rgb", "grey"} and "transparency" in image.info:
        mode = "rgba" if mode == "rgb" else "grey-alpha"
    return ImageInfo(
        format=str(image.format),
        width=image.width,
        height=image.height,
        mode=mode,
        bit_depth=_bit_depth(image, content),
        has_icc=icc_profile is not None and not is_srgb(icc_profile),
        orientation=orientation,
        n_bytes=len(content),
        icc_profile=icc_profile,
        exif=exif.tobytes() if len(exif) else None,
    )


def _read_exif(image: Image.Image) -> Image.Exif:
    """Read the EXIF block without decoding: Pillow's own way decodes a whole PNG to look behind its pixels."""
    if image.format != "PNG":
        return image.getexif()
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    return exif


def _bit_depth(image: Image.Image, content: bytes) -> int:
    if image.format == "PNG":
        return content[_PNG_DEPTH_AT]
    if image.format == "TIFF":
        stated = image.tag_v2.get(BITSPERSAMPLE, (1,))  # type: ignore[attr-defined]
        return int(max(stated) if isinstance(stated, tuple) else stated)
    return 8


def _guess(content: bytes) -> str:
    """Say what the first bytes look like."""
    kinds = {
        b"GIF8": "a GIF",
        b"BM": "a BMP",
        b"%PDF": "a PDF",
        b"PK\x03\x04": "a zip archive",
        b"\x1aE\xdf\xa3": "a Matroska or WebM video",
        b"RIFF": "an AVI video or a damaged WebP",
    }
    if content[4:8] == b"ftyp":
        return "a video, or an AVIF or HEIC image"
    if not content:
        return "the file is empty"
    return next((kind for start, kind in kinds.items() if content.startswith(start)), "unknown content")
