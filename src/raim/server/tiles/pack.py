"""A pack: the tiles of every source of one image (the input, each entry, a blurred copy) in one file.

    RAIMPACK | length of the index, 4 bytes, big-endian | index, JSON | tiles

Sources of one size form a group. All tiles of one place in a group have the same number of bytes, so neither an
address nor a length tells entries apart; they lie side by side, in the group's order of sources. Level 0 is the full
size, each next level is half of it, rounded up, down to one tile.

A pack is read by ranges, without decoding anything; reading needs no image library.
"""

import functools
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from raim.errors import StorageError, UnknownNameError
from raim.server.storage import Storage, read_range
from raim.server.tiles.png import is_whole

MAGIC = b"RAIMPACK"
SCHEMA = "raim-tiles/1"
HEAD = struct.Struct(">8sI")
LARGEST_INDEX = 16 * 2**20
TILE_PX = 512
PACKED_INPUT, PACKED_BLURRED = "input", "blurred"  # names of sources beside the entries' codes
# The worker finds files that are gone by itself; see raim.server.jobs.tiling.
WAY_OUT = "delete the file, and a worker makes the tiles again"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """A picture's size in pixels on one level, and in tiles."""

    width: int
    height: int
    columns: int
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """Which tile."""

    source: str
    level: int
    column: int
    row: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceGroup:
    """Sources of one size.

    Attributes:
        sources: Their names, in the order of the file.
        levels: From the full size down.
        starts: For each level, where the tiles of each place begin, counted from the first tile of the file.
        lengths: For each level, the bytes of a tile at each place.
    """

    sources: tuple[str, ...]
    levels: tuple[Sizes, ...]
    starts: tuple[tuple[int, ...], ...]
    lengths: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackIndex:
    """What a pack holds: tiles of a side in pixels, from a first byte on; the first group has the candidates."""

    tile: int
    groups: tuple[SourceGroup, ...]
    first: int

    def group_of(self, source: str) -> SourceGroup:
        """Return the group of a source; a source that there is not is an UnknownNameError."""
        for group in self.groups:
            if source in group.sources:
                return group
        raise UnknownNameError("there is no such tile")

    def find(self, spot: Spot) -> tuple[int, int]:
        """Return where a tile begins in the file, and its length; a tile that there is not is an UnknownNameError."""
        group = self.group_of(spot.source)
        if not 0 <= spot.level < len(group.levels):
            raise UnknownNameError("there is no such tile")
        sizes = group.levels[spot.level]
        if not (0 <= spot.column < sizes.columns and 0 <= spot.row < sizes.rows):
            raise UnknownNameError("there is no such tile")
        place = spot.row * sizes.columns + spot.column
        length = group.lengths[spot.level][place]
        before = group.sources.index(spot.source) * length
        return self.first + group.starts[spot.level][place] + before, length


def measure_levels(width: int, height: int, tile: int = TILE_PX) -> tuple[Sizes, ...]:
    """Return the levels of a picture.

    Example:
        >>> [(level.width, level.height) for level in measure_levels(1201, 800)]
        [(1201, 800), (601, 400), (301, 200)]
    """
    levels = [_sizes(width, height, tile)]
    while levels[-1].columns * levels[-1].rows > 1:
        levels.append(_sizes(-(-levels[-1].width // 2), -(-levels[-1].height // 2), tile))
    return tuple(levels)


def write_head(groups: list[dict[str, Any]], tile: int = TILE_PX) -> bytes:
    """Return the beginning of a pack, of groups with `sources`, `width`, `height`, and `lengths` of tiles by level."""
    index = json.dumps({"schema": SCHEMA, "tile": tile, "groups": groups}, separators=(",", ":")).encode()
    return HEAD.pack(MAGIC, len(index)) + index


@functools.lru_cache(maxsize=256)
def read_index(storage: Storage, sha256: str) -> PackIndex:
    """Read what a pack holds; kept for the next time.

    Raises:
        StorageError: The pack is not there, or is none.
    """
    head = read_range(storage, sha256, start=0, length=HEAD.size)
    try:
        magic, length = HEAD.unpack(head)
        if magic != MAGIC or length > LARGEST_INDEX:
            raise ValueError("it does not begin as a pack does")  # noqa: TRY301
        content = read_range(storage, sha256, start=HEAD.size, length=length)
        return _parse(json.loads(content), HEAD.size + length)
    except (struct.error, ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise StorageError(f"{sha256} is no pack of tiles ({error}); {WAY_OUT}") from error


def read_tile(storage: Storage, sha256: str, spot: Spot) -> bytes:
    """Read one tile: a PNG.

    Raises:
        UnknownNameError: The pack has no such tile.
        StorageError: The pack is not there, or is damaged.
    """
    start, length = read_index(storage, sha256).find(spot)
    content = read_range(storage, sha256, start=start, length=length)
    if len(content) != length:
        raise StorageError(f"the pack {sha256} ends early; {WAY_OUT}")
    if not is_whole(content):
        raise StorageError(f"the pack {sha256} is damaged: there is no PNG at byte {start}; {WAY_OUT}")
    return content


def pack_facts(index: PackIndex) -> dict[str, Any]:
    """Return sizes as the judge's page needs them: of the candidates, and of the input."""
    candidates, own = index.groups[0], index.group_of(PACKED_INPUT)
    return {
        "tile": index.tile,
        "width": candidates.levels[0].width,
        "height": candidates.levels[0].height,
        "levels": _plain(candidates.levels),
        "input": {"width": own.levels[0].width, "height": own.levels[0].height, "levels": _plain(own.levels)},
    }


def _parse(plain: Mapping[str, Any], first: int) -> PackIndex:
    if plain["schema"] != SCHEMA:
        raise ValueError(f"its schema is {plain['schema']!r}")
    groups, start = [], 0
    for each in plain["groups"]:
        levels = measure_levels(each["width"], each["height"], plain["tile"])
        lengths = tuple(tuple(row) for row in each["lengths"])
        if [len(row) for row in lengths] != [level.columns * level.rows for level in levels]:
            raise ValueError("its tiles are not those of its size")
        starts = []
        for row in lengths:
            ends = list(accumulate((len(each["sources"]) * length for length in row), initial=start))
            starts.append(tuple(ends[:-1]))
            start = ends[-1]
        groups.append(
            SourceGroup(sources=tuple(each["sources"]), levels=levels, starts=tuple(starts), lengths=lengths)
        )
    return PackIndex(tile=plain["tile"], groups=tuple(groups), first=first)


def _sizes(width: int, height: int, tile: int) -> Sizes:
    return Sizes(width=width, height=height, columns=-(-width // tile), rows=-(-height // tile))


def _plain(levels: tuple[Sizes, ...]) -> list[dict[str, int]]:
    return [{"width": level.width, "height": level.height} for level in levels]
