"""The chunks of a PNG: size and kind of its pixels, colour, orientation, and where the pixel data are.

Source: Portable Network Graphics (Third Edition), W3C 2025, sections 5 and 11; names of chunks as there.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from raim.errors import ImageError
from raim.images.colour import CLOSENESS, CODED, D65, SRGB, Space, find_space
from raim.images.exif import find_orientation, strip_prefix
from raim.images.header import Header, Span
from raim.images.picture import Mode
from raim.images.stream import Stream, damaged

N_SIGNATURE = 8
MAX_CHUNKS = 1_000_000  # 120 megapixels of 16 bits in chunks of 8 KB, the usual size, are 90,000
MAX_PROFILE = 8 << 20  # large profiles of printers are 3 MB
MAX_METADATA = 64 << 20

# Colour type -> mode, samples per pixel, allowed bit depths (section 11.2.1, table 12).
COLOUR_TYPES: dict[int, tuple[Mode, tuple[int, ...]]] = {
    0: ("grey", (1, 2, 4, 8, 16)),
    2: ("rgb", (8, 16)),
    3: ("palette", (1, 2, 4, 8)),
    4: ("grey-alpha", (8, 16)),
    6: ("rgba", (8, 16)),
}
SRGB_GAMMA = 0.45455  # 1/2.2 (section 11.3.2.2)
RGB_FULL_RANGE = [0, 1]  # of a cICP chunk (ITU-T H.273)


@dataclass(frozen=True, kw_only=True, slots=True)
class PngHeader(Header):
    """The header of a PNG.

    Attributes:
        chunks: Every chunk's content, in order.
        idat: The contents of its IDAT chunks.
        is_interlaced: Its rows come in Adam7's seven passes.
        transparent: The colour that is transparent (tRNS): one sample of a grey, three of an RGB image.
    """

    chunks: tuple[Span, ...]
    idat: tuple[Span, ...]
    is_interlaced: bool
    transparent: tuple[int, ...] | None

    @property
    def n_stored_channels(self) -> int:
        """Samples per pixel in the file; a transparent colour is no sample."""
        return self.n_channels - (self.transparent is not None)


@dataclass(kw_only=True, slots=True)
class _Found:
    """What the walk over the chunks has found so far."""

    chunks: list[Span] = field(default_factory=list)
    idat: list[Span] = field(default_factory=list)
    content: dict[bytes, bytes] = field(default_factory=dict)


# Chunks whose content is read; all others are only stepped over.
READ_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"sRGB", b"cICP", b"cHRM", b"gAMA", b"eXIf"})


def parse_png(stream: Stream) -> PngHeader:
    """Read the chunks of a PNG without unpacking its pixels.

    Raises:
        ImageError: It is animated, or of a kind that PNG does not have.
        ImageTruncatedError: It ends early, or a chunk that was read has a wrong checksum.
    """
    found = _Found()
    for name, span in _walk(stream):
        found.chunks.append(span)
        if name == b"IDAT":
            found.idat.append(span)
        elif name == b"acTL":
            raise ImageError("is an animated PNG; save one frame as an ordinary PNG")
        elif name in READ_CHUNKS and name not in found.content:
            found.content[name] = _read_content(stream, name, span)
    if not found.idat:
        raise damaged("it has no pixel data (IDAT)")
    return _make_header(found)


def _walk(stream: Stream) -> Iterator[tuple[bytes, Span]]:
    offset = N_SIGNATURE
    for position in range(MAX_CHUNKS):
        n_bytes, name = struct.unpack(">I4s", stream.read_at(offset, 8, "a chunk"))
        if (position == 0) != (name == b"IHDR"):
            raise damaged("its header (IHDR) is not the first chunk, or not alone")
        span = Span(offset=offset + 8, n_bytes=n_bytes)
        offset = span.end + 4
        if offset > stream.n_bytes:
            stream.read_at(span.offset, n_bytes + 4, f"chunk {name.decode('ascii', 'replace')}")
        yield name, span
        if name == b"IEND":
            return
    raise damaged(f"it has more than {MAX_CHUNKS:,} chunks")


def _read_content(stream: Stream, name: bytes, span: Span) -> bytes:
    if span.n_bytes > MAX_METADATA:
        raise ImageError(f"has a chunk {name.decode()} of {span.n_bytes:,} bytes; save it without metadata")
    data = stream.read_at(span.offset, span.n_bytes + 4, f"chunk {name.decode()}")
    if zlib.crc32(name + data[:-4]) != int.from_bytes(data[-4:]):
        raise damaged(f"the checksum of chunk {name.decode()} is wrong")
    return data[:-4]


def _make_header(found: _Found) -> PngHeader:
    if len(found.content[b"IHDR"]) != 13:
        raise damaged("its header (IHDR) has a wrong length")
    width, height, bit_depth, kind, packing, filtering, interlace = struct.unpack(
        ">IIBBBBB", found.content[b"IHDR"]
    )
    mode, depths = COLOUR_TYPES.get(kind, ("rgb", ()))
    if bit_depth not in depths or packing or filtering or interlace > 1:
        raise damaged(
            f"its header (IHDR) states colour type {kind}, {bit_depth} bits, compression {packing}, filter "
            f"{filtering}, interlace {interlace}, which PNG does not have"
        )
    transparent = _read_transparent(found.content.get(b"tRNS"), mode)
    if transparent is not None:
        mode = "grey-alpha" if mode == "grey" else "rgba"
    profile = _unpack_profile(found.content.get(b"iCCP"))
    cicp = found.content.get(b"cICP")
    space, warnings = _read_space(found.content)
    exif = strip_prefix(found.content[b"eXIf"]) if b"eXIf" in found.content else None
    return PngHeader(
        format="PNG",
        width=width,
        height=height,
        mode=mode,
        bit_depth=bit_depth,
        colour=None if cicp is None or space is not None else f"cICP {'/'.join(map(str, cicp[:4]))}",
        space=space,
        orientation=find_orientation(exif),
        icc_profile=None if cicp is not None else profile,  # cICP has precedence (section 11.3.2.6)
        exif=exif,
        warnings=warnings,
        chunks=tuple(found.chunks),
        idat=tuple(found.idat),
        is_interlaced=interlace == 1,
        transparent=transparent,
    )


def _read_transparent(content: bytes | None, mode: Mode) -> tuple[int, ...] | None:
    n_samples = {"grey": 1, "rgb": 3}.get(mode)
    if content is None or n_samples is None:
        return None
    if len(content) != 2 * n_samples:
        raise damaged("its transparent colour (tRNS) has a wrong length")
    return struct.unpack(f">{n_samples}H", content)


def _unpack_profile(content: bytes | None) -> bytes | None:
    """Unpack an embedded profile, never more than MAX_PROFILE of it."""
    if content is None:
        return None
    packed = content.partition(b"\0")[2][1:]  # name, 0, method
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed, MAX_PROFILE)
    except zlib.error as error:
        raise damaged(f"its colour profile cannot be unpacked ({error})") from error
    if not unpacker.eof:
        raise ImageError(
            f"has a colour profile that is cut off or over {MAX_PROFILE:,} bytes; convert it to sRGB, save without"
        )
    return profile


def _read_space(content: dict[bytes, bytes]) -> tuple[Space | None, tuple[str, ...]]:
    """Read the space that is stated without a profile (by the precedence of section 4.3), and what is doubtful."""
    if b"cICP" in content:
        primaries, transfer, *rest = (*content[b"cICP"], 0, 0)[:4]
        return (CODED.get((primaries, transfer)) if rest == RGB_FULL_RANGE else None), ()
    if b"iCCP" in content:
        return None, ()
    if b"sRGB" in content:
        return SRGB, ()
    gamma = int.from_bytes(content.get(b"gAMA", b"")) / 100_000
    is_usual = not gamma or abs(gamma - SRGB_GAMMA) <= 0.05 * SRGB_GAMMA
    space, is_known = _find_primaries(content.get(b"cHRM"))
    if space is not None and not is_usual:
        space = replace(space, name=f"{space.name} with gAMA {gamma:g}", gamma=1 / gamma)
    warnings = []
    if not is_known:
        warnings.append("its cHRM chunk states primaries that are not known; it was taken as sRGB")
    if space is None and not is_usual:
        warnings.append(f"its gAMA chunk states {gamma:g} instead of sRGB's 0.45455; it was taken as sRGB")
    return space, tuple(warnings)


def _find_primaries(chunk: bytes | None) -> tuple[Space | None, bool]:
    """Find the space of a cHRM chunk, None for sRGB's, and whether it is a known one."""
    if chunk is None or len(chunk) != 32:
        return None, chunk is None
    white_x, white_y, *primaries = (value / 100_000 for value in struct.unpack(">8I", chunk))
    is_white = max(abs(white_x - D65[0]), abs(white_y - D65[1])) <= CLOSENESS
    space = find_space(tuple(primaries)) if is_white else None
    return (None if space is SRGB else space), space is not None
