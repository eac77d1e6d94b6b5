"""Making PNG chunks.

Source: PNG (Third Edition), section 5.3.
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def make_chunk(name: bytes, content: bytes) -> bytes:
    """Make a chunk: length, name, content, checksum.

    Example:
        >>> make_chunk(b"IEND", b"").hex()
        '0000000049454e44ae426082'
    """
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))
