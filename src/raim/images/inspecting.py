"""What the header of an image says, without decoding it."""

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images.avif import decode_avif, parse_avif
from raim.images.colour import ADOBE_RGB, SRGB, describe_profile, is_srgb, is_usable, make_profile
from raim.images.exif import is_adobe_rgb, is_readable
from raim.images.header import Header
from raim.images.heif import decode_heif, parse_heif
from raim.images.jpeg import decode_jpeg, parse_jpeg
from raim.images.jpegxl import decode_jxl, parse_jxl
from raim.images.picture import MAX_PIXELS, Format, ImageInfo, Mode, Purpose
from raim.images.png import decode_png, parse_png
from raim.images.repair import repair
from raim.images.signatures import N_SNIFFED, find_format
from raim.images.stream import Stream, damaged, make_stream
from raim.images.tiff import decode_tiff, parse_tiff
from raim.images.webp import decode_webp, parse_webp

FORMATS: dict[Format, tuple[Callable[[Stream], Header], Callable[[bytes, Any], np.ndarray]]] = {
    "PNG": (parse_png, decode_png),
    "JPEG": (parse_jpeg, decode_jpeg),
    "TIFF": (parse_tiff, decode_tiff),
    "WEBP": (parse_webp, decode_webp),
    "AVIF": (parse_avif, decode_avif),
    "HEIF": (parse_heif, decode_heif),
    "JXL": (parse_jxl, decode_jxl),
}
GREY: tuple[Mode, ...] = ("grey", "grey-alpha")


def inspect_image(
    source: Path | bytes, *, purpose: Purpose = "score", max_pixels: int = MAX_PIXELS
) -> ImageInfo:
    """Read the header of an image and nothing else.

    Palette, CMYK, transparent, rotated and profiled images are described, not refused: `read_image` does that.

    Args:
        source: A file, or its content.
        purpose: "score" or "restore", which knows more formats and looks over damage around the pixels.
        max_pixels: The most pixels that are accepted.

    Raises:
        ImageTooLargeError: The declared size is over the limit.
        ImageTruncatedError: The file ends within its header, or contradicts itself.
        ImageError: It is no PNG, JPEG, TIFF or WebP (for "restore" AVIF, HEIF and JPEG XL, too), has several frames,
            or cannot be opened.

    Example:
        >>> import numpy as np, tempfile
        >>> from raim.images import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder) / "grey.png", np.zeros((2, 3), np.uint16))
        ...     info = inspect_image(Path(folder) / "grey.png")
        >>> info.format, info.width, info.height, info.mode, info.bit_depth
        ('PNG', 3, 2, 'grey', 16)
    """
    with naming(source), open_stream(source) as stream:
        try:
            header = parse_header(stream, max_pixels, purpose)
        except ImageTruncatedError as error:
            if purpose == "score":
                raise
            content, _ = repair(stream.read_at(0, stream.n_bytes, "its content"), error)
            header = parse_header(make_stream(content), max_pixels, purpose)
        return ImageInfo(
            format=header.format,
            width=header.width,
            height=header.height,
            mode=header.mode,
            bit_depth=header.bit_depth,
            has_icc=header.colour is not None,
            orientation=header.orientation,
            n_bytes=stream.n_bytes,
        )


def parse_header(stream: Stream, max_pixels: int, purpose: Purpose) -> Header:
    """Read and check the header of an image of any format.

    Raises:
        ImageError: It cannot be used; the message lacks its subject (see `naming`).
    """
    start = stream.read_at(0, min(N_SNIFFED, stream.n_bytes), "its signature")
    header = FORMATS[find_format(start, purpose)][0](stream)
    if min(header.width, header.height) < 1:
        raise damaged(f"it declares {header.width}x{header.height} pixels")
    if header.width * header.height > max_pixels:
        raise ImageTooLargeError(
            f"declares {header.width}x{header.height} = {header.width * header.height:,} pixels, the limit is "
            f"{max_pixels:,}; make it smaller, or raise the limit if it is trusted"
        )
    return settle_colour(drop_damaged(header) if purpose == "restore" else header)


def drop_damaged(header: Header) -> Header:
    """Leave out a profile and an EXIF block that nobody can use, and say so."""
    dropped = []
    if header.icc_profile is not None and not is_usable(header.icc_profile, is_grey=header.mode in GREY):
        header = replace(header, icc_profile=None)
        dropped.append("its colour profile is damaged, or of another kind of pixels, and was left out")
    if header.exif is not None and not is_readable(header.exif):
        header = replace(header, exif=None)
        dropped.append("its EXIF block is damaged and was left out")
    return replace(header, warnings=(*header.warnings, *dropped))


def settle_colour(header: Header) -> Header:
    """Name the colour space unless it is sRGB, and make the profile of one that is stated without.

    A profile counts before what EXIF says.
    """
    profile, space = header.icc_profile, header.space
    if profile is not None:
        return header if is_srgb(profile) else replace(header, colour=describe_profile(profile))
    if header.colour is not None:
        told = f"its colour space, {header.colour}, is not known and was not kept"
        return replace(header, warnings=(*header.warnings, told))
    if space is None and is_adobe_rgb(header.exif):
        space = ADOBE_RGB
    if space in (None, SRGB) or header.mode in GREY:
        return header
    warning = f"its colour space, {space.name}, is stated without a profile; one was added"
    return replace(
        header,
        colour=space.name,
        icc_profile=make_profile(space),
        warnings=(*header.warnings, warning),
    )


@contextmanager
def open_stream(source: Path | bytes) -> Iterator[Stream]:
    """Open a regular file, or bytes, for bounded reading.

    Raises:
        ImageError: It cannot be opened.
    """
    if isinstance(source, bytes):
        yield make_stream(source)
        return
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device might never end
            raise ImageError("is no ordinary file; name an image file")
        with source.open("rb") as file:
            yield Stream(file=file, n_bytes=status.st_size)
    except OSError as error:
        raise ImageError(
            f"cannot be read: {error.strerror or error}; check its name and permissions"
        ) from error


@contextmanager
def naming(source: Path | bytes) -> Iterator[None]:
    """Begin the message of every error about an image with "it", and a file's with its path."""
    try:
        yield
    except ImageError as error:
        subject = "it" if isinstance(source, bytes) else f"{source}: it"
        raise type(error)(f"{subject} {error}") from error
