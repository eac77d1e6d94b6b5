"""The beginning of a file: bounded reading, which format it has, and what every format's header comes down to.

Nothing is read, and no memory taken, for what is not there. Other kinds of file are named, so that the message helps.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

import numpy as np
from jaxtyping import UInt8

from raim.errors import ImageError, ImageTruncatedError
from raim.images.colour import Space
from raim.images.picture import Format, PixelMode, Purpose

Bytes = UInt8[np.ndarray, " _"]
UNREADABLE = b""  # in place of a damaged profile: an error for scoring, left out for restoring
N_SNIFFED = 64  # more than the longest signature below, and the compatible brands
WAY_OUT = "save it as PNG, JPEG, TIFF or WebP"
OTHER_SIGNATURES = (
    (b"GIF8", "a GIF, with a palette and perhaps several frames"),
    (b"BM", "a BMP image"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF document"),
    (b"v/1\x01", "an OpenEXR image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"OggS", "a video or sound (Ogg)"),
    (b"FLV\x01", "a video (Flash)"),
    (b"\0\0\x01\xba", "a video (MPEG)"),
    (b"\0\0\x01\xb3", "a video (MPEG)"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a numpy array"),
)
# ISO base media files say what they are in their "major brand".
BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1"), "a HEIF image"),
    **dict.fromkeys((b"hevc", b"hevx", b"msf1"), "a HEIF image sequence"),
    b"avif": "an AVIF image",
    b"avis": "an AVIF image sequence",
    b"crx ": "a raw photograph (CR3)",
}
RESTORED: dict[str, Format] = {
    "a HEIF image": "HEIF",
    "a HEIF image sequence": "HEIF",
    "an AVIF image": "AVIF",
    "an AVIF image sequence": "AVIF",
    "a JPEG XL image": "JXL",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """An open file, or bytes, whose size is known."""

    file: BufferedIOBase
    n_bytes: int

    def read_at(self, offset: int, n_bytes: int, what: str) -> bytes:
        """Return exactly that many bytes; `what` they are is for the message where the file ends before them."""
        if offset + n_bytes > self.n_bytes:
            raise cut_off(what, offset + n_bytes, self.n_bytes)
        self.file.seek(offset)
        data = self.file.read(n_bytes)
        if len(data) != n_bytes:  # the file shrank while it was read
            raise cut_off(what, offset + n_bytes, offset + len(data))
        return data


def make_stream(content: bytes) -> Stream:
    """Stream of bytes."""
    return Stream(file=io.BytesIO(content), n_bytes=len(content))


def cut_off(what: str, needed: int, present: int) -> ImageTruncatedError:
    """Make the error for a file that ends early."""
    return ImageTruncatedError(
        f"ends early: {what} reaches to byte {needed}, the file to byte {present}; copy or export it again"
    )


def damaged(what: str) -> ImageTruncatedError:
    """Make the error for content that contradicts itself."""
    return ImageTruncatedError(f"is damaged: {what}; copy or export it again")


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Make what a library says against a file the error of that file; `what` of it cannot be decoded."""
    try:
        yield
    except ImageError:
        raise
    except (RuntimeError, ValueError, EOFError, SyntaxError, OSError) as error:
        raise damaged(f"{what} cannot be decoded ({error})") from error


def load_codecs() -> Any:
    """Import imagecodecs at first use, without its type stubs: they leave out what its functions take."""
    import imagecodecs

    return imagecodecs


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A run of bytes of a file."""

    offset: int
    n_bytes: int

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.offset + self.n_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """A checked header."""

    format: Format
    width: int  # in pixels, as stored
    height: int  # in pixels, as stored
    mode: PixelMode  # the kind of its samples
    bit_depth: int
    space: Space | None = None  # the colour space that it states otherwise than by a profile
    colour: str | None = None  # the name of its colour space if that is not sRGB, else None
    orientation: int = 1  # the EXIF orientation, 1 to 8
    icc_profile: bytes | None = None
    exif: bytes | None = None  # the EXIF block without prefix
    warnings: tuple[str, ...] = ()  # what the reader of the image should know

    @property
    def n_channels(self) -> int:
        """Samples per pixel that the pixels come with."""
        return {"grey": 1, "grey-alpha": 2, "rgb": 3, "rgba": 4, "palette": 1, "cmyk": 4}[self.mode]


def find_format(start: bytes, purpose: Purpose = "score") -> Format:
    """Find the format of a file by its first bytes."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    name = _name_other(start)
    if purpose == "restore" and name in RESTORED:
        return RESTORED[name]
    raise ImageError(f"is {name}; {WAY_OUT}")


def _name_other(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start[4:8] == b"ftyp":
        name = BRANDS.get(start[8:12], "a video (MP4 or QuickTime)")
        return "an AVIF image" if name == "a HEIF image" and b"avif" in start[16:] else name
    if start.startswith(b"RIFF"):
        return "a video (AVI)" if start[8:12] == b"AVI " else "a RIFF file of another kind"
    for signature, name in OTHER_SIGNATURES:
        if start.startswith(signature):
            return name
    return f"no image that raim reads (it begins with {start[:8]!r})"
