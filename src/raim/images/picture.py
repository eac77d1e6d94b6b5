"""The records of an image: what its header says, and its pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8, UInt16

Format = Literal["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "HEIF", "JXL"]
PixelMode = Literal["grey", "grey-alpha", "rgb", "rgba", "palette", "cmyk"]
Purpose = Literal["score", "restore"]

PixelArray = (
    UInt8[np.ndarray, "h w"]
    | UInt8[np.ndarray, "h w 3"]
    | UInt16[np.ndarray, "h w"]
    | UInt16[np.ndarray, "h w 3"]
)

# Above the 108 megapixels of today's largest telephone cameras; 360 MB of decoded 8-bit RGB.
MAX_PIXELS = 120_000_000
SWAPPED = 5  # EXIF orientations from here on lie on their side


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageInfo:
    """What the header of an image says.

    Attributes:
        format: The format of the content, whatever the file's suffix says.
        width: In pixels, as stored (before an EXIF rotation).
        height: In pixels, as stored.
        mode: The kind of its samples. "rgba" and "grey-alpha" also stand for a transparent colour of a PNG.
        bit_depth: Bits per sample as stored: 8 or 16; 1, 2 or 4 for some grey and palette PNGs.
        has_icc: The file states another colour space than sRGB, by an ICC profile or a PNG's cICP chunk.
        orientation: The EXIF orientation, 1 (upright) to 8; 1 if none is stated.
        n_bytes: Size of the file.
    """

    format: Format
    width: int
    height: int
    mode: PixelMode
    bit_depth: int
    has_icc: bool
    orientation: int
    n_bytes: int

    @property
    def upright_size(self) -> tuple[int, int]:
        """Height and width as the image is looked at, after its EXIF rotation."""
        stored = (self.height, self.width)
        return stored if self.orientation < SWAPPED else (self.width, self.height)


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A decoded image.

    Attributes:
        pixels: (h, w, 3) RGB or (h, w) grey, uint8 in [0, 255] or uint16 in [0, 65535], C-contiguous.
        warnings: What was done to the image that its owner may want to know, one sentence each.
        icc_profile: For purpose "restore", the embedded ICC profile, which the pixels still refer to.
        exif: For purpose "restore", the EXIF block (a TIFF structure, no prefix), its orientation set to 1.
    """

    pixels: PixelArray
    warnings: tuple[str, ...] = ()
    icc_profile: bytes | None = None
    exif: bytes | None = None


ReadImage = Callable[..., Picture]  # as `read_image`, of the content of a file
