"""Reading an image: 8 or 16 bits, sRGB, upright, opaque, or a clear refusal.

Decoders (docs/images.md has the measurements): imagecodecs' libpng for PNG, tifffile for 16-bit TIFF, Pillow for the
rest. JPEG comes out bit for bit as libjpeg-turbo's default.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Shaped, UInt8, UInt16
from PIL import Image

from raim.errors import ImageError, ImageTruncatedError
from raim.images.info import MAX_PIXELS, ImageInfo, describe, opened, read_content

Pixels = (
    UInt8[np.ndarray, "h w 3"]
    | UInt8[np.ndarray, "h w"]
    | UInt16[np.ndarray, "h w 3"]
    | UInt16[np.ndarray, "h w"]
)
PixelArray = Shaped[np.ndarray, "..."]  # before it is known, or brought, to be `Pixels`
Purpose = Literal["score", "restore"]

_ALPHA = {"rgba": 4, "grey-alpha": 2}
# What is done with an image of this mode, whatever the purpose: (what it is, the mend).
_REFUSED = {
    "palette": ("has a colour table (palette)", "convert it to RGB"),
    "cmyk": ("is CMYK, made for print", "convert it to sRGB"),
    "other": ("holds pixels of a kind that raim does not read", "convert it to 8- or 16-bit RGB or grey"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A decoded image.

    Attributes:
        pixels: (h, w, 3) RGB or (h, w) grey, uint8 or uint16, C-contiguous.
        warnings: What was dropped on the way.
        icc_profile: The embedded colour profile, to be kept beside the pixels of a restored photograph.
        exif: The EXIF block, with the orientation set upright.
    """

    pixels: Pixels
    warnings: tuple[str, ...] = ()
    icc_profile: bytes | None = None
    exif: bytes | None = None


def read_image(source: Path | bytes, *, purpose: Purpose = "score", max_pixels: int = MAX_PIXELS) -> Picture:
    """Read an image.

    Args:
        source: A path, or the file's bytes.
        purpose: "score" refuses what would change pixels silently: a colour profile other than sRGB, a rotation.
            "restore" turns the image upright and hands profile and EXIF on.
        max_pixels: More pixels are refused before they are decoded.

    Raises:
        ImageError: If it cannot be used as it is; the message names the mend.
        ImageTooLargeError: If it states more than `max_pixels`.
        ImageTruncatedError: If it is damaged or ends early.

    Example:
        >>> import tempfile
        >>> from raim.images import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder, "a.png"), np.full((2, 3, 3), 40_000, np.uint16))
        ...     read_image(Path(folder, "a.png")).pixels[0, 0].tolist()
        [40000, 40000, 40000]
    """
    content = read_content(source)
    try:
        with opened(content, max_pixels=max_pixels) as image:
            info = describe(image, content)
            _check(info, purpose)
            pixels = _decode(image, content, info)
            _check_decoded(pixels, info)
    except ImageError as error:
        if isinstance(source, Path):
            raise type(error)(f"{source.name}: {error}") from error
        raise
    pixels, warnings = _drop_alpha(pixels, info)
    if purpose == "score":
        return Picture(pixels=np.ascontiguousarray(pixels), warnings=warnings)
    return Picture(
        pixels=np.ascontiguousarray(turn_upright(pixels, info.orientation)),
        warnings=warnings,
        icc_profile=info.icc_profile,
        exif=info.exif,
    )


def turn_upright(pixels: PixelArray, orientation: int) -> PixelArray:
    """Undo an EXIF orientation (1 to 8; others count as 1).

    Source: EXIF 2.32, tag 0x0112, table of row and column origins.

    Example:
        >>> turn_upright(np.array([[1, 2, 3]], np.uint8), 6).tolist()
        [[1], [2], [3]]
    """
    if orientation >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return pixels


def _check(info: ImageInfo, purpose: Purpose) -> None:
    if info.mode in _REFUSED:
        what, mend = _REFUSED[info.mode]
        raise ImageError(f"it {what}; {mend}")
    if info.bit_depth > 16:
        raise ImageError(f"it has {info.bit_depth} bits a channel; convert it to 8 or 16 bits")
    if purpose == "restore":
        return
    if info.has_icc:
        raise ImageError(
            "it embeds a colour profile other than sRGB; convert it to sRGB and save it without a profile"
        )
    if info.orientation != 1:
        raise ImageError(
            f"its EXIF orientation is {info.orientation}, so viewers turn it; turn its pixels and remove the tag"
        )


def _decode(image: Image.Image, content: bytes, info: ImageInfo) -> PixelArray:
    if info.format == "PNG" and info.bit_depth >= 8:
        return _decode_png(content)
    if info.format == "TIFF" and info.bit_depth == 16:
        return _decode_tiff(content)
    image.load()
    if info.mode == "grey" and image.mode != "L":
        image = image.convert("L")
    if info.mode in _ALPHA and "transparency" in image.info:
        image = image.convert("RGBA" if info.mode == "rgba" else "LA")
    return np.asarray(image)


def _decode_png(content: bytes) -> PixelArray:
    import imagecodecs

    return imagecodecs.png_decode(content)


def _decode_tiff(content: bytes) -> PixelArray:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages[0]
        ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if not ends or min(page.databytecounts) < 1 or max(ends) > len(content):
            raise ImageTruncatedError(
                "its pixel data reach beyond the end of the file; export or copy it again"
            )
        if page.compression == 1 and sum(page.databytecounts) < page.nbytes:
            raise ImageTruncatedError("it holds fewer pixels than it states; export or copy it again")
        return page.asarray(maxworkers=1)


def _check_decoded(pixels: PixelArray, info: ImageInfo) -> None:
    """Refuse pixels that are not what the header stated."""
    channels = {"grey": (), "rgb": (3,), "grey-alpha": (2,), "rgba": (4,)}[info.mode]
    expected = (info.height, info.width, *channels)
    if pixels.shape != expected or pixels.dtype not in (np.uint8, np.uint16):
        raise ImageTruncatedError(
            f"its header states {expected}, its data decode to {pixels.shape} {pixels.dtype}; export it again"
        )


def _drop_alpha(pixels: PixelArray, info: ImageInfo) -> tuple[Pixels, tuple[str, ...]]:
    if info.mode not in _ALPHA:
        return pixels, ()
    alpha = pixels[..., -1]
    if alpha.min() < np.iinfo(alpha.dtype).max:
        raise ImageError(
            "it is transparent in places; save it without an alpha channel, on the background you want"
        )
    colours = pixels[..., 0] if info.mode == "grey-alpha" else pixels[..., :3]
    return colours, ("its alpha channel is opaque everywhere and was dropped",)
