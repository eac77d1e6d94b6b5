"""Reading of images: header first, then pixels of just the declared size, with nothing guessed about colour."""

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images.colour import ADOBE_RGB, SRGB, describe_profile, is_srgb, is_usable, make_profile
from raim.images.exif import UPRIGHT, is_adobe_rgb, is_readable, set_upright
from raim.images.header import N_SNIFFED, Header, Stream, damaged, find_format, make_stream
from raim.images.jpeg import decode_jpeg, parse_jpeg
from raim.images.newer_formats import decode_avif, decode_heif, decode_jxl, parse_avif, parse_heif, parse_jxl
from raim.images.picture import MAX_PIXELS, Format, ImageInfo, Picture, PixelArray, PixelMode, Purpose
from raim.images.png import decode_png, parse_png
from raim.images.repair import repair, trim_scan
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
GREY: tuple[PixelMode, ...] = ("grey", "grey-alpha")
UNSTATED: tuple[Format, ...] = ("AVIF", "HEIF", "JXL")  # their headers may not state the number of channels
# Marks of a picture's brightness on HDR screens: Apple's, Adobe's (Ultra HDR), the standard's.
GAIN_MAPS = (b"hdrgainmap", b"hdr-gain-map", b"urn:iso:std:iso:ts:21496:-1")
STRAY_BEHIND = "it has stray bytes behind its pixels, which were passed over"
MOST_TRIMS = 5  # a decoder that reads ahead finds the last of the stray bytes once the others are gone


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
    """Read and check the header of an image of any format."""
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
        warning = f"its colour space, {header.colour}, is not known and was not kept"
        return replace(header, warnings=(*header.warnings, warning))
    if space is None and is_adobe_rgb(header.exif):
        space = ADOBE_RGB
    if space in (None, SRGB) or header.mode in GREY:
        return header
    warnings = (
        *header.warnings,
        f"its colour space, {space.name}, is stated without a profile; one was added",
    )
    return replace(header, colour=space.name, icc_profile=make_profile(space), warnings=warnings)


@contextmanager
def open_stream(source: Path | bytes) -> Iterator[Stream]:
    """Open a regular file, or bytes, for bounded reading."""
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


def read_image(source: Path | bytes, *, purpose: Purpose = "score", max_pixels: int = MAX_PIXELS) -> Picture:
    """Read an image.

    For "score" the pixels must mean the same to everyone: another colour profile than sRGB and an EXIF rotation are
    errors. For "restore" the rotation is applied to the pixels; the profile and the EXIF block (its orientation set
    to 1) are passed on for `write_image`, and the pixels still refer to that profile; AVIF, HEIF and JPEG XL are read,
    too, and what is damaged around the pixels is passed over with a warning, as long as all of them are there.
    Palette, CMYK and transparent images are errors for both; an opaque alpha channel is dropped with a warning.

    Args:
        source: A file, or its content.
        purpose: "score" or "restore".
        max_pixels: The most pixels that are accepted; checked before anything is decoded.

    Returns:
        Pixels (h, w, 3) RGB or (h, w) grey, uint8 or, of 16-bit files, uint16, with warnings.

    Raises:
        ImageTooLargeError: The declared size is over the limit.
        ImageTruncatedError: The file is cut off, damaged, or holds another size than it declares.
        ImageError: It cannot be used as it is; the message names the way out.

    Example:
        >>> import numpy as np, tempfile
        >>> from raim.images import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder) / "red.png", np.array([[[255, 0, 0]]], np.uint8))
        ...     read_image(Path(folder) / "red.png").pixels
        array([[[255,   0,   0]]], dtype=uint8)
    """
    with naming(source), open_stream(source) as stream:
        try:
            header = parse_header(stream, max_pixels, purpose)
            check_usable(header, purpose)
            content = (
                source if isinstance(source, bytes) else stream.read_at(0, stream.n_bytes, "its content")
            )
            stored = decode(content, header)
        except ImageTruncatedError as error:
            if purpose == "score":
                raise
            content = stream.read_at(0, stream.n_bytes, "its content")
            header, stored = read_repaired(content, max_pixels, error)
        pixels, warnings = drop_alpha(stored)
        if purpose == "score":
            return Picture(pixels=np.ascontiguousarray(pixels), warnings=header.warnings + warnings)
        return Picture(
            pixels=turn_upright(pixels, header.orientation),
            warnings=header.warnings + warnings + find_gain_map(content, header),
            icc_profile=header.icc_profile,
            exif=set_upright(header.exif),
        )


def find_gain_map(content: bytes, header: Header) -> tuple[str, ...]:
    """Return a warning that a gain map is left out, where a photograph of a telephone has one."""
    has_one = header.format in ("JPEG", "HEIF", "AVIF") and any(mark in content for mark in GAIN_MAPS)
    return ("its gain map, for HDR screens, was left out",) if has_one else ()


def read_repaired(content: bytes, max_pixels: int, error: ImageTruncatedError) -> tuple[Header, np.ndarray]:
    """Read a file that is damaged around its pixels, for restoring, as strictly as any once that is out of the way."""
    repaired, warnings = repair(content, error)
    header = parse_header(make_stream(repaired), max_pixels, "restore")
    check_usable(header, "restore")
    for _ in range(MOST_TRIMS):
        try:
            pixels = decode(repaired, header)
        except ImageTruncatedError as left:
            repaired, warnings = trim_scan(repaired, left), (*warnings, STRAY_BEHIND)
        else:
            return replace(header, warnings=(*dict.fromkeys(warnings), *header.warnings)), pixels
    raise error


def check_usable(header: Header, purpose: Purpose) -> None:
    """Refuse what would change pixels silently."""
    if header.mode == "palette":
        raise ImageError(
            "has a palette instead of plain pixels; convert it to RGB (or grey) and save it again"
        )
    if header.mode == "cmyk":
        raise ImageError("has CMYK pixels; convert it to RGB and save it again")
    if purpose == "restore":
        return
    if header.colour is not None:
        raise ImageError(
            f"is in another colour space than sRGB ({header.colour}); convert its pixels to sRGB and save it "
            "without a profile"
        )
    if header.orientation != UPRIGHT:
        raise ImageError(
            f"carries an EXIF rotation (orientation {header.orientation}); rotate its pixels and save it without "
            "EXIF, or with orientation 1"
        )


def decode(content: bytes, header: Header) -> np.ndarray:
    """Decode the pixels as stored, alpha included: (h, w) or (h, w, channels)."""
    pixels = FORMATS[header.format][1](content, header)
    shape = (header.height, header.width) + ((header.n_channels,) if header.n_channels > 1 else ())
    if pixels.shape[:2] != shape[:2] or (header.format not in UNSTATED and pixels.shape != shape):
        raise damaged(f"its pixels decode to shape {pixels.shape}, its header declares {shape}")
    return pixels


def drop_alpha(pixels: np.ndarray) -> tuple[PixelArray, tuple[str, ...]]:
    """Drop an alpha channel that is opaque everywhere, saying so."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels, ()
    n_transparent = int(np.count_nonzero(pixels[..., -1] != np.iinfo(pixels.dtype).max))
    if n_transparent:
        raise ImageError(
            f"has {n_transparent:,} transparent pixels; flatten it onto a background and save it without alpha"
        )
    plain = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return plain, ("its opaque alpha channel was dropped",)


def turn_upright(pixels: PixelArray, orientation: int) -> Shaped[np.ndarray, "rows columns *channels"]:
    """Turn and mirror pixels as an EXIF orientation says (CIPA DC-008, section 4.6.5).

    Example:
        >>> turn_upright(np.array([[1, 2], [3, 4]], np.uint8), 6)
        array([[3, 1],
               [4, 2]], dtype=uint8)
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
