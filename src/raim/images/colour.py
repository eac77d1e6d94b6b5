"""Colour spaces: whether a profile means sRGB, profiles of spaces that are stated by numbers, conversion to sRGB.

Many profiles are sRGB under many names (HP's of 1998, those of cameras, telephones, browsers), so bytes and names tell
nothing. Little CMS measures a grid of colours by the profile and by sRGB: where no colour differs visibly, it is sRGB,
whatever curves or tables it is written with.

Source: ICC.1:2022; IEC 61966-2-1 (sRGB); Adobe RGB (1998) Color Image Encoding, section 4.3; SMPTE EG 432-1 (P3).
"""

import functools
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from raim.errors import ImageError
from raim.images.picture import PixelArray

# Of CIE L*a*b* (1976). sRGB profiles with rounded primaries, or curves of 16 samples, stay below 1; EBU's primaries are
# off by 5, a plain gamma of 2.2 by 6.5 (grey: 3.3), Display P3 by 35, Adobe RGB by 50.
TOLERANCE = 2.0
MAX_PROFILE = 8 << 20  # large profiles of printers are 3 MB
KINDS = {b"RGB ": "rgb", b"GRAY": "gray"}  # a profile's colour space, as Little CMS expects it
BUILT_IN = "RGB built-in"  # what Little CMS calls what it makes
MADE = bytes.fromhex("07cc 0001 0001 0000 0000 0000")  # the date in a profile, always the same


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """An RGB space."""

    name: str
    primaries: tuple[float, ...]  # x and y of red, green and blue; white is D65
    gamma: float | None = None  # of its tone curve; None for sRGB's


SRGB = Space(name="sRGB", primaries=(0.64, 0.33, 0.30, 0.60, 0.15, 0.06))
ADOBE_RGB = Space(name="Adobe RGB", primaries=(0.64, 0.33, 0.21, 0.71, 0.15, 0.06), gamma=563 / 256)
DISPLAY_P3 = Space(name="Display P3", primaries=(0.68, 0.32, 0.265, 0.69, 0.15, 0.06))
D65 = (0.3127, 0.3290)
CLOSENESS = 0.005  # of x and y: writers round them to 3 decimals and more
CODED = {(1, 13): SRGB, (12, 13): DISPLAY_P3}  # by primaries and transfer of ITU-T H.273
UNSPECIFIED, PQ, HLG = 2, 16, 18
OF_VIDEO = (1, 6)  # transfers of BT.709 and BT.601, which are shown with sRGB's


@functools.lru_cache(maxsize=8)
def is_srgb(profile: bytes) -> bool:
    """Whether an ICC profile, of colour or grey, means what sRGB means."""
    kind = KINDS.get(profile[16:20])
    if kind is None or len(profile) > MAX_PROFILE:
        return False
    try:
        differences = _measure_grid(profile, kind) - _measure_srgb(kind)
    except ValueError:
        return False
    return bool((differences**2).sum(axis=-1).max() <= TOLERANCE**2)


def is_usable(profile: bytes, *, is_grey: bool) -> bool:
    """Whether pixels, grey or of colour, can be converted from a profile."""
    black = np.zeros((1, 1) if is_grey else (1, 1, 3), np.uint8)
    try:
        convert_to_srgb(black, profile)
    except ImageError:
        return False
    return len(profile) <= MAX_PROFILE


def describe_profile(profile: bytes) -> str:
    """Name that a profile carries, as far as it is printable ASCII."""
    from PIL import ImageCms

    try:
        text = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (OSError, ImageCms.PyCMSError):
        return "its colour profile cannot be read"
    printable = "".join(letter for letter in text if " " <= letter <= "~").strip()
    return printable[:60] or "unnamed"


def find_space(primaries: tuple[float, ...]) -> Space | None:
    """Find the space whose primaries, x and y of red, green and blue, are those."""
    for space in (SRGB, ADOBE_RGB, DISPLAY_P3):
        if np.allclose(primaries, space.primaries, rtol=0, atol=CLOSENESS):
            return space
    return None


def find_coded(primaries: int, transfer: int) -> Space | None:
    """Find the space that HEIF and AVIF files name by codes of ITU-T H.273; None, which is read as sRGB, for others."""
    if transfer in (PQ, HLG):
        name = "PQ" if transfer == PQ else "HLG"
        raise ImageError(f"has HDR pixels ({name}); save it for an ordinary screen (SDR)")
    return CODED.get((primaries, 13 if transfer in (UNSPECIFIED, *OF_VIDEO) else transfer))


@functools.cache
def make_profile(space: Space) -> bytes:
    """Make the ICC profile of a space; the same bytes at any time."""
    import imagecodecs

    codes = np.linspace(0.0, 1.0, 1024)
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    curve = (linear * 65535).round().astype(np.uint16)
    tone = {"transferfunction": curve} if space.gamma is None else {"gamma": space.gamma}
    made = imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=space.primaries, **tone)
    named = made.replace(BUILT_IN.encode("utf-16-be"), space.name.ljust(len(BUILT_IN)).encode("utf-16-be"))
    return named[:24] + MADE + named[36:]


def convert_to_srgb(pixels: PixelArray, icc_profile: bytes) -> PixelArray:
    """Convert pixels, of 8 or 16 bits, colour or grey, from a profile to sRGB, as viewers do (perceptual intent).

    Raises:
        ImageError: The profile cannot be used for these pixels.

    Example:
        >>> grey = np.full((1, 2, 3), 128, np.uint8)
        >>> convert_to_srgb(grey, make_profile(SRGB))[0, 0]
        array([128, 128, 128], dtype=uint8)
    """
    kind = "gray" if pixels.ndim == 2 else "rgb"
    try:
        converted = _transform(pixels, icc_profile, kind, "srgb", outcolorspace="rgb")
    except ValueError as error:
        raise ImageError(
            f"its colour profile cannot be used ({error}); convert its pixels to sRGB and save it again"
        ) from error
    # Grey stays grey: its three channels are equal.
    return np.ascontiguousarray(converted[..., 0] if kind == "gray" else converted)


def _transform(pixels: np.ndarray, profile: bytes, kind: str, target: str, **options: Any) -> np.ndarray:
    """Convert to a space of Little CMS's; ValueError where the profile is none of this kind, or is damaged."""
    import imagecodecs

    try:
        return imagecodecs.cms_transform(
            pixels, profile, imagecodecs.cms_profile(target), colorspace=kind, **options
        )
    except (imagecodecs.CmsError, TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _measure_grid(profile: bytes, kind: str) -> Float64[np.ndarray, "1 _ 3"]:
    """CIE L*a*b* of every grey of 8 bits and, of colour, of 9 x 9 x 9 colours."""
    import imagecodecs

    greys = np.arange(256, dtype=np.uint16)[None] * np.uint16(257)
    steps = np.linspace(0, 65535, 9).round().astype(np.uint16)
    colours = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    grid = greys if kind == "gray" else np.concatenate([np.stack([greys] * 3, axis=-1), colours], axis=1)
    exact = imagecodecs.CMS.FLAGS.NOOPTIMIZE
    return _transform(grid, profile, kind, "lab4", outcolorspace="lab", outdtype=np.float64, flags=exact)


@functools.cache
def _measure_srgb(kind: str) -> Float64[np.ndarray, "1 _ 3"]:
    """Its greys' L*a*b* are those of its grey curve, too."""
    import imagecodecs

    grid = _measure_grid(imagecodecs.cms_profile("srgb"), "rgb")
    return grid[:, :256] if kind == "gray" else grid
