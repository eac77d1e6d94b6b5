"""PNG files as chunks: what must not be there is taken out, and any length can be reached.

Source: W3C, "Portable Network Graphics (PNG) Specification", section 5.3 (chunks).
"""

import struct
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = (b"IHDR", b"IDAT")
# Ancillary, private, safe to copy: programs skip it.
FILLER = b"rpAd"
EMPTY_CHUNK_BYTES = 12  # of an empty chunk: length, name, CRC
END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def strip_metadata(content: bytes) -> bytes:
    """Return a PNG with nothing but its header and pixels.

    Example:
        >>> from raim.images.png import make_chunk
        >>> noted = SIGNATURE + make_chunk(b"IHDR", b"x") + make_chunk(b"tEXt", b"Team 3") + END
        >>> [name for name, _ in list_chunks(strip_metadata(noted))]
        [b'IHDR', b'IEND']
    """
    return SIGNATURE + b"".join(chunk for name, chunk in list_chunks(content) if name in KEPT) + END


def is_whole(content: bytes) -> bool:
    """Return whether bytes begin and end as a PNG does.

    Example:
        >>> is_whole(SIGNATURE + END), is_whole(SIGNATURE)
        (True, False)
    """
    return content.startswith(SIGNATURE) and content.endswith(END)


def fill_up(content: bytes, length: int) -> bytes:
    """Return a stripped PNG a stated length, at least 12 more than it has, by a chunk of zeros before its end."""
    from raim.images.png import make_chunk  # those who only read tiles load no library of images

    filler = make_chunk(FILLER, bytes(length - len(content) - EMPTY_CHUNK_BYTES))
    return content[: -len(END)] + filler + END


def list_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and bytes of each chunk."""
    place = len(SIGNATURE)
    while place + EMPTY_CHUNK_BYTES <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        end = place + EMPTY_CHUNK_BYTES + length
        yield content[place + 4 : place + 8], content[place:end]
        place = end
