"""Packs of lossless tiles: what judges look at, made ahead by a job and served by byte ranges."""

from raim.server.tiles.pack import (
    PACKED_BLURRED,
    PACKED_INPUT,
    PackIndex,
    Sizes,
    Spot,
    pack_facts,
    read_index,
    read_tile,
)

__all__ = [
    "PACKED_BLURRED",
    "PACKED_INPUT",
    "PackIndex",
    "Sizes",
    "Spot",
    "pack_facts",
    "read_index",
    "read_tile",
]
