"""Decoding of JPEG pixels, bit for bit as libjpeg-turbo's default (accurate integer DCT, smooth chroma upsampling).

libjpeg fills what is missing with grey and only counts a warning, which Pillow, OpenCV and imagecodecs pass over;
TurboJPEG's interface (simplejpeg) reports it, so a damaged or cut-off file is an error here.

Source: ITU-T T.81, B.1.1 (markers within scans).
"""

import io
import re

import numpy as np

from raim.images.jpeg.header import END, SCAN, JpegHeader, walk_segments
from raim.images.stream import Stream, cut_off, damaged

# In coded data a byte FF is followed by 0, by a restart marker or by a fill byte; anything else is the next marker.
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Each scan is a pass over the whole picture: a small file with thousands of them would take hours.
# Progressive files have about 10, the optimisers' up to 20.
MAX_SCANS = 100


def decode_jpeg(content: bytes, header: JpegHeader) -> np.ndarray:
    """Decode to (h, w) or (h, w, 3) uint8.

    Raises:
        ImageTruncatedError: It ends early, is damaged, or has more scans than photographs have.
    """
    import simplejpeg  # type: ignore[import-untyped]  # it has stubs but no py.typed

    end = find_end(content, header.scan)
    colours = "GRAY" if header.mode == "grey" else "RGB"
    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(memoryview(content)[:end], colorspace=colours)
    except (RuntimeError, ValueError) as error:
        raise damaged(f"its pixels cannot be decoded ({error})") from error
    return pixels[..., 0] if header.mode == "grey" else pixels


def find_end(content: bytes, scan: int) -> int:
    """Find the offset after the image's end marker; telephones put previews and gain maps behind it.

    Args:
        content: The whole file.
        scan: The offset of the first scan's marker.

    Raises:
        ImageTruncatedError: There is no end marker, or there are more than MAX_SCANS scans.
    """
    stream = Stream(file=io.BytesIO(content), n_bytes=len(content))
    offset = scan
    for _ in range(MAX_SCANS + 1):
        for marker, start, n_bytes in walk_segments(stream, offset):
            if marker == END:
                return start
            if marker == SCAN:
                following = NEXT_MARKER.search(content, start + n_bytes)
                if following is None:
                    raise cut_off("its end marker", len(content) + 2, len(content))
                offset = following.start()
    raise damaged(f"it has more than {MAX_SCANS} scans")
