"""Decoding of TIFF pixels, block by block into memory of just the declared size.

Every strip or tile must unpack to exactly its own bytes: a directory that lies about its strips is an error, and
nothing larger than the image is ever allocated.

Source: TIFF Revision 6.0 (Adobe, 1992), sections 9, 13, 14 and 15.
"""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8

from raim.images.codec import load_codecs
from raim.images.header import Span
from raim.images.stream import cut_off, damaged
from raim.images.tiff.header import TiffHeader

Bytes = UInt8[np.ndarray, " _"]


def decode_tiff(content: bytes, header: TiffHeader) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), uint8 or uint16.

    Raises:
        ImageTruncatedError: A strip or tile is cut off, damaged, or of another size than declared.
    """
    dtype = np.uint8 if header.bit_depth == 8 else np.uint16
    pixels = np.empty((header.height, header.width, header.n_channels), dtype)
    n_samples = 1 if header.n_planes > 1 else header.n_channels
    n_block = header.block_width * header.block_height * n_samples * pixels.itemsize
    # One block's memory serves all; one byte more than is expected shows a block that holds too much.
    scratch = np.empty(n_block + 1, np.uint8)
    for span, (plane, top, left) in zip(header.blocks, _walk_blocks(header), strict=True):
        target = pixels[top : top + header.block_height, left : left + header.block_width]
        if header.n_planes > 1:
            target = target[..., plane : plane + 1]
        _decode_block(_find_block(content, span), header, target, scratch)
    if header.is_inverted:
        pixels = np.invert(pixels, out=pixels)
    return pixels[..., 0] if header.n_channels == 1 else pixels


def _walk_blocks(header: TiffHeader) -> Iterator[tuple[int, int, int]]:
    """Give plane, first row and first column of the blocks in the order of the file."""
    for plane in range(header.n_planes):
        for top in range(0, header.height, header.block_height):
            for left in range(0, header.width, header.block_width):
                yield plane, top, left


def _find_block(content: bytes, span: Span) -> memoryview:
    if span.end > len(content):
        raise cut_off("a block of pixels", span.end, len(content))
    return memoryview(content)[span.offset : span.end]


def _decode_block(packed: memoryview, header: TiffHeader, target: np.ndarray, scratch: Bytes) -> None:
    """Decode one block into its place; a tile's part outside the image is dropped."""
    height = header.block_height if header.is_tiled else target.shape[0]
    shape = (height, header.block_width, target.shape[2])
    stored = np.dtype(target.dtype).newbyteorder(header.order)
    expected = math.prod(shape) * stored.itemsize
    data = (
        packed
        if header.compression == "none"
        else _unpack(packed, header.compression, scratch[: expected + 1])
    )
    if len(data) != expected:
        raise damaged(f"a block of pixels has {len(data)} bytes, the declared size needs {expected}")
    samples = np.frombuffer(data, stored).reshape(shape).astype(target.dtype, copy=False)
    if header.is_differenced:
        samples = load_codecs().delta_decode(samples, axis=1)  # modulo 2^8 or 2^16, as stored
    target[...] = samples[: target.shape[0], : target.shape[1]]


def _unpack(packed: memoryview, compression: str, out: Bytes) -> memoryview:
    """Unpack one block, into no more memory than is given; what comes back may be shorter."""
    codecs = load_codecs()
    unpack = {
        "lzw": codecs.lzw_decode,
        "deflate": codecs.deflate_decode,
        "packbits": codecs.packbits_decode,
    }[compression]
    try:
        return memoryview(unpack(packed, out=out))
    except (RuntimeError, ValueError) as error:
        raise damaged(f"a block of pixels cannot be unpacked ({error})") from error
