"""Reading of images: header first, then pixels of just the declared size, with nothing guessed about colour."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from raim.errors import ImageError, ImageTruncatedError
from raim.images.exif import UPRIGHT, set_upright
from raim.images.header import Header
from raim.images.inspecting import FORMATS, naming, open_stream, parse_header
from raim.images.picture import MAX_PIXELS, Format, Picture, PixelArray, Purpose
from raim.images.repair import repair, trim_scan
from raim.images.stream import damaged, make_stream

UNSTATED: tuple[Format, ...] = ("AVIF", "HEIF", "JXL")  # their headers may not state the number of channels
# Marks of a picture's brightness on HDR screens: Apple's, Adobe's (Ultra HDR), the standard's.
GAIN_MAPS = (b"hdrgainmap", b"hdr-gain-map", b"urn:iso:std:iso:ts:21496:-1")

STRAY_BEHIND = "it has stray bytes behind its pixels, which were passed over"
MOST_TRIMS = 5  # a decoder that reads ahead finds the last of the stray bytes once the others are gone


def read_image(source: Path | bytes, *, purpose: Purpose = "score", max_pixels: int = MAX_PIXELS) -> Picture:
    """Read an image.

    For "score" the pixels must mean the same to everyone: another colour profile than sRGB and an EXIF rotation are
    errors. For "restore" the rotation is applied to the pixels; the profile and the EXIF block (its orientation set
    to 1) are handed on for `write_image`, and the pixels still refer to that profile; AVIF, HEIF and JPEG XL are read,
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
        ImageError: It cannot be used as it is; the message names the mend.

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
    """Say that a gain map is left out, where a photograph of a telephone has one."""
    has_one = header.format in ("JPEG", "HEIF", "AVIF") and any(mark in content for mark in GAIN_MAPS)
    return ("its gain map, for HDR screens, was left out",) if has_one else ()


def read_repaired(content: bytes, max_pixels: int, error: ImageTruncatedError) -> tuple[Header, np.ndarray]:
    """Read a file that is damaged around its pixels, for restoring, as strictly as any once that is out of the way.

    Raises:
        ImageTruncatedError: Pixels are missing or damaged.
    """
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
    """Refuse what would change pixels silently.

    Raises:
        ImageError: The image must be mended first; the message says how.
    """
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
    """Decode the pixels as stored, alpha included: (h, w) or (h, w, channels).

    Raises:
        ImageTruncatedError: They are cut off, damaged, or of another size than the header says.
    """
    pixels = FORMATS[header.format][1](content, header)
    shape = (header.height, header.width) + ((header.n_channels,) if header.n_channels > 1 else ())
    if pixels.shape[:2] != shape[:2] or (header.format not in UNSTATED and pixels.shape != shape):
        raise damaged(f"its pixels decode to shape {pixels.shape}, its header declares {shape}")
    return pixels


def drop_alpha(pixels: np.ndarray) -> tuple[PixelArray, tuple[str, ...]]:
    """Drop an alpha channel that is opaque everywhere, saying so.

    Raises:
        ImageError: Some pixel is transparent.
    """
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
