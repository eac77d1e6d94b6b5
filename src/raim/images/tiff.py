"""TIFF: its only page as tifffile reads the directory, decoding block by block, and encoding.

Every strip or tile must unpack to exactly its own bytes: a directory that lies about its strips is an error, and
nothing larger than the image is ever allocated.

Source: TIFF Revision 6.0 (Adobe, 1992), sections 3 to 9 and 13 to 15; Adobe Photoshop TIFF Technical Notes (2002) for
Deflate; ICC.1:2022 annex B.5 for the profile.
"""

import functools
import io
import itertools
import logging
import math
import struct
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from raim.errors import ImageError, InputError
from raim.images.exif import ORIENTATIONS, UPRIGHT, is_readable, join_directories, read_tiff_exif
from raim.images.header import (
    UNREADABLE,
    Bytes,
    Header,
    Span,
    Stream,
    cut_off,
    damaged,
    decoding,
    load_codecs,
)
from raim.images.picture import PixelArray, PixelMode

Tags = dict[int, tuple[int, ...]]

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, ORIENTATION, SAMPLES, STRIP_ROWS, STRIP_BYTES, PLANAR, PREDICTOR = 273, 274, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, SAMPLE_FORMAT = 322, 323, 324, 325, 339
EXIF, PROFILE = 34665, 34675
NUMBERS = frozenset(
    {
        WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIPS, ORIENTATION, SAMPLES, STRIP_ROWS,
        STRIP_BYTES, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, SAMPLE_FORMAT,
    }
)  # fmt: skip
FRACTIONS = frozenset({5, 10, 11, 12})  # types
NOT_A_PAGE = 0b101  # subfile type: a reduced copy or a transparency mask of another page
MAX_PAGES = 64
COMPRESSIONS = {1: "none", 5: "lzw", 8: "deflate", 32946: "deflate", 32773: "packbits"}
MODES: dict[int, PixelMode] = {0: "grey", 1: "grey", 2: "rgb", 3: "palette", 5: "cmyk"}
KINDS = {6: "YCbCr", 8: "CIE L*a*b*", 32803: "raw sensor data", 34892: "linear raw data"}
SMALL_TILE = 1 << 20  # pixels; a tile may be larger than a small image
N_STRIP = 1 << 20  # bytes before packing; small enough that a reader needs no second image in memory
LEVEL = 6  # of Deflate


@dataclass(frozen=True, kw_only=True, slots=True)
class TiffHeader(Header):
    """The header of a TIFF with one page."""

    order: Literal["<", ">"]  # "<" little endian, ">" big endian
    compression: str  # "none", "lzw", "deflate" or "packbits"
    is_differenced: bool  # samples are stored as differences from their left neighbours (predictor 2)
    is_inverted: bool  # grey with 0 as white
    n_planes: int  # samples of a pixel stand together (1) or in this many planes of one sample each
    block_width: int  # width of a tile, or of the image
    block_height: int  # height of a tile, or of a strip
    is_tiled: bool  # blocks are tiles, all of the same size; strips end with the image
    blocks: tuple[Span, ...]  # where the strips or tiles are, row by row, plane by plane


@functools.cache
def _load_tifffile() -> Any:
    """Import tifffile, whose complaints are not printed: what matters of them is found otherwise."""
    import tifffile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    return tifffile


def parse_tiff(stream: Stream) -> TiffHeader:
    """Read the directory of a TIFF without unpacking its pixels."""
    stream.file.seek(0)
    try:
        file = _load_tifffile().TiffFile(stream.file, name="")
        page = _find_page(stream, file)
        return _make_header(stream, file, page)
    except ImageError:
        raise
    except Exception as error:  # tifffile raises all kinds
        raise damaged(f"its TIFF directory cannot be read ({error})") from error


def _find_page(stream: Stream, file: Any) -> Any:
    """Find the page that is no reduced copy and no mask of another."""
    listed = list(itertools.islice(file.pages, MAX_PAGES))
    pages = [page for page in listed if not page.subfiletype & NOT_A_PAGE]
    if len(pages) > 1 or len(listed) == MAX_PAGES:
        raise ImageError(f"is a TIFF of {len(pages)} pages or more; save the one that counts as its own file")
    if not pages:
        raise damaged("it has no page")
    last = stream.read_at(file.pages.next_page_offset, file.tiff.offsetsize, "a directory")
    if any(last):
        raise damaged("its last directory leads to another, which is not there")
    return pages[0]


def _read_tags(stream: Stream, file: Any, page: Any) -> Tags:
    """Whole numbers of the tags that matter; tifffile passes over those that it cannot read."""
    start, size = page.offset + file.tiff.tagnosize, file.tiff.tagsize
    (count,) = struct.unpack(
        file.tiff.tagnoformat, stream.read_at(page.offset, start - page.offset, "a directory")
    )
    table = stream.read_at(start, count * size, "a directory")
    present = {struct.unpack_from(f"{file.byteorder}H", table, size * i)[0] for i in range(count)}
    tags = {}
    for tag in present & NUMBERS:
        entry = page.tags.get(tag)
        value = None if entry is None or entry.dtype in FRACTIONS else entry.value
        numbers = tuple(value) if isinstance(value, tuple | bytes) else (value,)
        if not all(isinstance(number, int) for number in numbers):
            raise damaged(f"its TIFF tag {tag} cannot be read, or has no whole numbers")
        tags[tag] = numbers
    if PROFILE in present:
        tags[PROFILE] = ()  # it is no number
    return tags


def _make_header(stream: Stream, file: Any, page: Any) -> TiffHeader:
    tags = _read_tags(stream, file, page)
    size = _number(tags, WIDTH), _number(tags, HEIGHT)
    profile = page.tags.valueof(PROFILE)
    mode, n_samples = _read_mode(tags)
    n_planes = n_samples if _number(tags, PLANAR, 1) == 2 else 1
    is_tiled = TILE_WIDTH in tags
    block = _read_block_size(tags, size, is_tiled=is_tiled)
    n_blocks = n_planes * -(-size[0] // block[0]) * -(-size[1] // block[1])
    orientation = _number(tags, ORIENTATION, UPRIGHT)
    predictor = _number(tags, PREDICTOR, 1)
    if predictor not in (1, 2):
        raise ImageError(f"is a TIFF with predictor {predictor}, expected 1 or 2; save it again, or as PNG")
    has_exif = bool(page.tags.valueof(EXIF))
    exif = read_tiff_exif(stream.file) if has_exif else None
    return TiffHeader(
        format="TIFF",
        width=size[0],
        height=size[1],
        mode=mode,
        bit_depth=_read_depth(tags, n_samples),
        orientation=orientation if orientation in ORIENTATIONS else UPRIGHT,
        icc_profile=profile if isinstance(profile, bytes) else None if PROFILE not in tags else UNREADABLE,
        exif=exif,
        warnings=("its EXIF data cannot be read and were left out",) if has_exif and exif is None else (),
        order=file.byteorder,
        compression=_read_compression(tags),
        is_differenced=predictor == 2,
        is_inverted=_number(tags, PHOTOMETRIC) == 0,
        n_planes=n_planes,
        block_width=block[0],
        block_height=block[1],
        is_tiled=is_tiled,
        blocks=_read_blocks(tags, n_blocks, is_tiled=is_tiled),
    )


def _number(tags: Tags, tag: int, default: int | None = None) -> int:
    values = tags.get(tag, ())
    if not values and default is None:
        raise damaged(f"its TIFF tag {tag} is missing")
    return values[0] if values else default or 0


def _read_mode(tags: Tags) -> tuple[PixelMode, int]:
    kind = _number(tags, PHOTOMETRIC)
    if kind not in MODES:
        name = KINDS.get(kind, f"of kind {kind}")
        raise ImageError(f"is a TIFF whose pixels are {name}, expected grey or RGB; save it as RGB")
    mode = MODES[kind]
    n_plain = {"rgb": 3, "cmyk": 4}.get(mode, 1)
    n_samples = _number(tags, SAMPLES, 1)
    if mode in ("grey", "rgb") and n_samples == n_plain + 1:
        return ("grey-alpha" if mode == "grey" else "rgba"), n_samples
    if n_samples != n_plain:
        raise ImageError(
            f"has {n_samples} samples per pixel, {mode} has {n_plain}; save it as plain RGB or grey"
        )
    return mode, n_samples


def _read_depth(tags: Tags, n_samples: int) -> int:
    depths = set(tags.get(BITS, ())) or {1}
    formats = set(tags.get(SAMPLE_FORMAT, ())) or {1}
    if len(depths) != 1 or not depths <= {8, 16} or formats != {1}:
        kind = "unsigned" if formats == {1} else "signed or floating-point"
        raise ImageError(
            f"has {n_samples} {kind} samples of {sorted(depths)} bits; save it with unsigned samples of 8 or 16 bits"
        )
    return depths.pop()


def _read_compression(tags: Tags) -> str:
    number = _number(tags, COMPRESSION, 1)
    if number not in COMPRESSIONS or _number(tags, FILL_ORDER, 1) != 1:
        raise ImageError(
            f"is a TIFF with compression {number}; save it with Deflate, LZW, PackBits or none, or as PNG"
        )
    return COMPRESSIONS[number]


def _read_block_size(tags: Tags, size: tuple[int, int], *, is_tiled: bool) -> tuple[int, int]:
    width, height = size
    if is_tiled:
        block = (_number(tags, TILE_WIDTH), _number(tags, TILE_HEIGHT))
        if block[0] * block[1] > max(SMALL_TILE, 4 * width * height):
            raise damaged(f"its tiles of {block[0]}x{block[1]} are larger than its {width}x{height} pixels")
    else:
        block = (width, min(height, _number(tags, STRIP_ROWS, height)))
    if min(*block, width, height) < 1:
        raise damaged(f"it is {width}x{height} pixels in blocks of {block[0]}x{block[1]}")
    return block


def _read_blocks(tags: Tags, n_blocks: int, *, is_tiled: bool) -> tuple[Span, ...]:
    offsets = tags.get(TILES if is_tiled else STRIPS, ())
    lengths = tags.get(TILE_BYTES if is_tiled else STRIP_BYTES, ())
    if not len(offsets) == len(lengths) == n_blocks:
        raise damaged(f"it needs {n_blocks} blocks, it has {len(offsets)} offsets and {len(lengths)} lengths")
    return tuple(Span(offset=a, n_bytes=n) for a, n in zip(offsets, lengths, strict=True))


def decode_tiff(content: bytes, header: TiffHeader) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), uint8 or uint16."""
    dtype = np.uint8 if header.bit_depth == 8 else np.uint16
    pixels = np.empty((header.height, header.width, header.n_channels), dtype)
    n_samples = 1 if header.n_planes > 1 else header.n_channels
    n_block = header.block_width * header.block_height * n_samples * pixels.itemsize
    # One block's memory serves all; one byte more than is expected shows a block that holds too much.
    scratch = np.empty(n_block + 1, np.uint8)
    tops, lefts = range(0, header.height, header.block_height), range(0, header.width, header.block_width)
    places = itertools.product(range(header.n_planes), tops, lefts)
    for span, (plane, top, left) in zip(header.blocks, places, strict=True):
        if span.end > len(content):
            raise cut_off("a block of pixels", span.end, len(content))
        target = pixels[top : top + header.block_height, left : left + header.block_width]
        if header.n_planes > 1:
            target = target[..., plane : plane + 1]
        _decode_block(memoryview(content)[span.offset : span.end], header, target, scratch)
    if header.is_inverted:
        pixels = np.invert(pixels, out=pixels)
    return pixels[..., 0] if header.n_channels == 1 else pixels


def _decode_block(packed: memoryview, header: TiffHeader, target: np.ndarray, scratch: Bytes) -> None:
    """Decode one block into its place, by no more memory than is given; a tile's part outside the image is dropped."""
    height = header.block_height if header.is_tiled else target.shape[0]
    shape = (height, header.block_width, target.shape[2])
    stored = np.dtype(target.dtype).newbyteorder(header.order)
    expected = math.prod(shape) * stored.itemsize
    data = packed
    if header.compression != "none":
        unpack = getattr(load_codecs(), f"{header.compression}_decode")
        with decoding("a block of pixels"):
            data = memoryview(unpack(packed, out=scratch[: expected + 1]))
    if len(data) != expected:
        raise damaged(f"a block of pixels has {len(data)} bytes, the declared size needs {expected}")
    samples = np.frombuffer(data, stored).reshape(shape).astype(target.dtype, copy=False)
    if header.is_differenced:
        samples = load_codecs().delta_decode(samples, axis=1)  # modulo 2^8 or 2^16, as stored
    target[...] = samples[: target.shape[0], : target.shape[1]]


def encode_tiff(pixels: PixelArray, icc_profile: bytes | None, exif: bytes | None) -> bytes:
    """Encode pixels without loss: Deflate of differences (predictor 2).

    An EXIF block is itself a TIFF structure whose offsets count from its start. So the image is appended to that block,
    and its directory takes in the block's first one: every offset stays true.
    """
    if exif is not None and not is_readable(exif):
        raise InputError("the EXIF block has no TIFF header, or no directory; write without it")
    file = io.BytesIO(b"" if exif is None else exif + bytes(len(exif) % 2))
    is_colour = pixels.ndim == 3
    try:
        with _load_tifffile().TiffWriter(file, append="force" if exif is not None else False) as writer:
            writer.write(
                pixels,
                photometric="rgb" if is_colour else "minisblack",
                planarconfig="contig" if is_colour else None,
                compression="adobe_deflate",
                compressionargs={"level": LEVEL},
                predictor=True,
                rowsperstrip=max(1, min(pixels.shape[0], N_STRIP // pixels[0].nbytes)),
                iccprofile=icc_profile,
                metadata=None,
                software=False,
                maxworkers=1,
            )
    except (ValueError, struct.error) as error:
        raise InputError(f"these pixels cannot be written as TIFF ({error}); write a PNG") from error
    return file.getvalue() if exif is None else join_directories(file.getvalue())
