"""What every format's header comes down to; each format adds where its pixels are."""

from dataclasses import dataclass

from raim.images.colour import Space
from raim.images.picture import Format, Mode

UNREADABLE = (
    b""  # in place of a profile that is there and damaged: an error for scoring, left out for restoring
)


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
    """A checked header.

    Attributes:
        format: Name of the format.
        width: In pixels, as stored.
        height: In pixels, as stored.
        mode: The kind of its samples.
        bit_depth: Bits per sample.
        space: The colour space that it states otherwise than by a profile.
        colour: The name of its colour space if that is not sRGB, else None.
        orientation: The EXIF orientation, 1 to 8.
        icc_profile: The embedded ICC profile.
        exif: The EXIF block without prefix.
        warnings: What the reader of the image should know.
    """

    format: Format
    width: int
    height: int
    mode: Mode
    bit_depth: int
    space: Space | None = None
    colour: str | None = None
    orientation: int = 1
    icc_profile: bytes | None = None
    exif: bytes | None = None
    warnings: tuple[str, ...] = ()

    @property
    def n_channels(self) -> int:
        """Samples per pixel that the pixels come with."""
        return {"grey": 1, "grey-alpha": 2, "rgb": 3, "rgba": 4, "palette": 1, "cmyk": 4}[self.mode]
