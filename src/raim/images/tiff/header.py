"""The pages of a TIFF: size and kind of the pixels of its only page, and where they are.

Source: TIFF Revision 6.0 (Adobe, 1992), sections 3 to 8, 14 and 15 for the tags; Adobe Photoshop TIFF Technical
Notes (2002) for Deflate; ICC.1:2022 annex B.5 for the profile.
"""

from dataclasses import dataclass

from raim.errors import ImageError
from raim.images.exif import ORIENTATIONS, UPRIGHT
from raim.images.header import Header, Span
from raim.images.picture import Mode
from raim.images.stream import Stream, damaged
from raim.images.tiff.directory import (
    Directory,
    Layout,
    Order,
    read_directory,
    read_layout,
    read_number,
    read_value_bytes,
    read_values,
)

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 254, 256, 257, 258, 259, 262, 266
STRIPS, ORIENTATION, SAMPLES, STRIP_ROWS, STRIP_BYTES, PLANAR, PREDICTOR = 273, 274, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, SAMPLE_FORMAT = 322, 323, 324, 325, 339
EXIF, PROFILE = 34665, 34675

NOT_A_PAGE = 0b101  # subfile type: a reduced copy or a transparency mask of another page
MAX_PAGES = 64
COMPRESSIONS = {1: "none", 5: "lzw", 8: "deflate", 32946: "deflate", 32773: "packbits"}
MODES: dict[int, Mode] = {0: "grey", 1: "grey", 2: "rgb", 3: "palette", 5: "cmyk"}
KINDS = {6: "YCbCr", 8: "CIE L*a*b*", 32803: "raw sensor data", 34892: "linear raw data"}
EVERY_ROW = 2**32 - 1  # rows per strip where the tag is missing
SMALL_TILE = 1 << 20  # pixels; a tile may be larger than a small image


@dataclass(frozen=True, kw_only=True, slots=True)
class TiffHeader(Header):
    """The header of a TIFF with one page.

    Attributes:
        order: "<" little endian, ">" big endian.
        compression: "none", "lzw", "deflate" or "packbits".
        is_differenced: Samples are stored as differences from their left neighbours (predictor 2).
        is_inverted: Grey with 0 as white.
        n_planes: Samples of a pixel stand together (1) or in this many planes of one sample each.
        block_width: Width of a tile, or of the image.
        block_height: Height of a tile, or of a strip.
        is_tiled: Blocks are tiles, all of the same size; strips end with the image.
        blocks: Where the strips or tiles are, row by row, plane by plane.
    """

    order: Order
    compression: str
    is_differenced: bool
    is_inverted: bool
    n_planes: int
    block_width: int
    block_height: int
    is_tiled: bool
    blocks: tuple[Span, ...]


def parse_tiff(stream: Stream) -> TiffHeader:
    """Read the directory of a TIFF without unpacking its pixels.

    Raises:
        ImageError: It has several pages, or is of a kind that is not read.
        ImageTruncatedError: It ends early, or contradicts itself.
    """
    layout = read_layout(stream)
    page = _find_page(stream, layout)
    width, height = read_number(stream, page, WIDTH), read_number(stream, page, HEIGHT)
    mode, n_samples = _read_mode(stream, page)
    bit_depth = _read_depth(stream, page, n_samples)
    n_planes = n_samples if read_number(stream, page, PLANAR, 1) == 2 else 1
    is_tiled = TILE_WIDTH in page.entries
    block = _read_block_size(stream, page, (width, height), is_tiled=is_tiled)
    profile = read_value_bytes(stream, page, PROFILE) if PROFILE in page.entries else None
    return TiffHeader(
        format="TIFF",
        width=width,
        height=height,
        mode=mode,
        bit_depth=bit_depth,
        orientation=_read_orientation(stream, page),
        icc_profile=profile,
        warnings=("the EXIF data of a TIFF are not kept",) if EXIF in page.entries else (),
        order=layout.order,
        compression=_read_compression(stream, page),
        is_differenced=_read_predictor(stream, page),
        is_inverted=read_number(stream, page, PHOTOMETRIC) == 0,
        n_planes=n_planes,
        block_width=block[0],
        block_height=block[1],
        is_tiled=is_tiled,
        blocks=_read_blocks(
            stream, page, n_planes * _count_blocks((width, height), block), is_tiled=is_tiled
        ),
    )


def _find_page(stream: Stream, layout: Layout) -> Directory:
    pages: list[Directory] = []
    seen: set[int] = set()
    offset = layout.first
    while offset and offset not in seen and len(seen) < MAX_PAGES:
        seen.add(offset)
        directory = read_directory(stream, layout, offset)
        if not read_number(stream, directory, SUBFILE, 0) & NOT_A_PAGE:
            pages.append(directory)
        offset = directory.next_offset
    if len(pages) > 1 or offset:
        raise ImageError(f"is a TIFF of {len(pages)} pages or more; save the one that counts as its own file")
    if not pages:
        raise damaged("it has no page")
    return pages[0]


def _read_mode(stream: Stream, page: Directory) -> tuple[Mode, int]:
    kind = read_number(stream, page, PHOTOMETRIC)
    if kind not in MODES:
        name = KINDS.get(kind, f"of kind {kind}")
        raise ImageError(f"is a TIFF whose pixels are {name}, expected grey or RGB; save it as RGB")
    mode = MODES[kind]
    n_plain = {"rgb": 3, "cmyk": 4}.get(mode, 1)
    n_samples = read_number(stream, page, SAMPLES, 1)
    if mode in ("grey", "rgb") and n_samples == n_plain + 1:
        return ("grey-alpha" if mode == "grey" else "rgba"), n_samples
    if n_samples != n_plain:
        raise ImageError(
            f"has {n_samples} samples per pixel, {mode} has {n_plain}; save it as plain RGB or grey"
        )
    return mode, n_samples


def _read_depth(stream: Stream, page: Directory, n_samples: int) -> int:
    depths = set(read_values(stream, page, BITS)) or {1}
    formats = set(read_values(stream, page, SAMPLE_FORMAT)) or {1}
    if len(depths) != 1 or not depths <= {8, 16} or formats != {1}:
        kind = "unsigned" if formats == {1} else "signed or floating-point"
        raise ImageError(
            f"has {n_samples} {kind} samples of {sorted(depths)} bits; save it with unsigned samples of 8 or 16 bits"
        )
    return depths.pop()


def _read_compression(stream: Stream, page: Directory) -> str:
    number = read_number(stream, page, COMPRESSION, 1)
    if number not in COMPRESSIONS or read_number(stream, page, FILL_ORDER, 1) != 1:
        raise ImageError(
            f"is a TIFF with compression {number}; save it with Deflate, LZW, PackBits or none, or as PNG"
        )
    return COMPRESSIONS[number]


def _read_predictor(stream: Stream, page: Directory) -> bool:
    number = read_number(stream, page, PREDICTOR, 1)
    if number not in (1, 2):
        raise ImageError(f"is a TIFF with predictor {number}, expected 1 or 2; save it again, or as PNG")
    return number == 2


def _read_orientation(stream: Stream, page: Directory) -> int:
    value = read_number(stream, page, ORIENTATION, UPRIGHT)
    return value if value in ORIENTATIONS else UPRIGHT


def _read_block_size(
    stream: Stream, page: Directory, size: tuple[int, int], *, is_tiled: bool
) -> tuple[int, int]:
    width, height = size
    if is_tiled:
        block = (read_number(stream, page, TILE_WIDTH), read_number(stream, page, TILE_HEIGHT))
        if block[0] * block[1] > max(SMALL_TILE, 4 * width * height):
            raise damaged(f"its tiles of {block[0]}x{block[1]} are larger than its {width}x{height} pixels")
    else:
        block = (width, min(height, read_number(stream, page, STRIP_ROWS, EVERY_ROW)))
    if min(*block, width, height) < 1:
        raise damaged(f"it is {width}x{height} pixels in blocks of {block[0]}x{block[1]}")
    return block


def _count_blocks(size: tuple[int, int], block: tuple[int, int]) -> int:
    return -(-size[0] // block[0]) * -(-size[1] // block[1])


def _read_blocks(stream: Stream, page: Directory, n_blocks: int, *, is_tiled: bool) -> tuple[Span, ...]:
    offsets = read_values(stream, page, TILES if is_tiled else STRIPS)
    lengths = read_values(stream, page, TILE_BYTES if is_tiled else STRIP_BYTES)
    if not len(offsets) == len(lengths) == n_blocks:
        raise damaged(f"it needs {n_blocks} blocks, it has {len(offsets)} offsets and {len(lengths)} lengths")
    return tuple(Span(offset=a, n_bytes=n) for a, n in zip(offsets, lengths, strict=True))
