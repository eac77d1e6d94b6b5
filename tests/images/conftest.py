"""Makers of images, honest and forged; Pillow and tifffile write what raim's own writers do not."""

import functools
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Forge:
    """Makes files of a small seeded picture, and takes PNGs apart and together again."""

    height, width = 40, 50

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        rows, columns = np.mgrid[: self.height, : self.width]
        smooth = np.stack([columns * 4, rows * 5, rows + columns], axis=-1) + 20
        self.rgb = (smooth + rng.integers(0, 12, smooth.shape)).clip(0, 255).astype(np.uint8)
        self.grey = self.rgb[..., 1].copy()
        self.rgb16 = (self.rgb * np.uint16(257)) ^ rng.integers(0, 256, smooth.shape, dtype=np.uint16)
        self.alpha = np.full(self.grey.shape, 255, np.uint8)

    def pillow(self, kind, pixels=None, **options) -> bytes:
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(self._or(pixels))
        file = io.BytesIO()
        image.save(file, kind, **options)
        return file.getvalue()

    def tiff(self, pixels=None, **options) -> bytes:
        import tifffile

        file = io.BytesIO()
        kind = "rgb" if self._or(pixels).ndim == 3 else "minisblack"
        tifffile.imwrite(file, self._or(pixels), **{"photometric": kind, "metadata": None, **options})
        return file.getvalue()

    @staticmethod
    def patch(tiff, tag, value) -> bytes:
        """Overwrite the first value of a tag in place."""
        import tifffile

        with tifffile.TiffFile(io.BytesIO(tiff)) as file:
            entry, order = file.pages[0].tags[tag], file.byteorder
        changed = bytearray(tiff)
        struct.pack_into(order + {3: "H", 4: "I"}[entry.dtype], changed, entry.valueoffset, value)
        return bytes(changed)

    def _or(self, pixels):
        return self.rgb if pixels is None else pixels

    @staticmethod
    def chunk(name, content) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    def chunks(self, png) -> list[tuple[bytes, bytes]]:
        found, offset = [], 8
        while offset < len(png):
            n_bytes, name = struct.unpack_from(">I4s", png, offset)
            found.append((name, png[offset + 8 : offset + 8 + n_bytes]))
            offset += 12 + n_bytes
        return found

    def join(self, chunks) -> bytes:
        return SIGNATURE + b"".join(self.chunk(*each) for each in chunks)

    def insert(self, png, name, content) -> bytes:
        """Put a chunk after the header."""
        return png[:33] + self.chunk(name, content) + png[33:]

    def png(self, size, depth, kind, rows, *, interlace=0) -> bytes:
        header = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, interlace)
        return self.join([(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])

    @staticmethod
    def exif(orientation=6, order="<", kind=3, count=1) -> bytes:
        start = b"II*\0" if order == "<" else b"MM\0*"
        value = struct.pack(order + "H", orientation).ljust(4, b"\0")
        entry = struct.pack(order + "HHI", 0x0112, kind, count) + value
        return start + struct.pack(order + "IH", 8, 1) + entry + bytes(4)

    @staticmethod
    def adobe_exif(space=65535, index=b"R03\0") -> bytes:
        """EXIF as a camera that is set to Adobe RGB writes it."""
        first = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
        own = struct.pack("<HHHIIHHIII", 2, 0xA001, 3, 1, space, 0xA005, 4, 1, 56, 0)
        return b"II*\0\x08\0\0\0" + first + own + struct.pack("<HHHI4sI", 1, 1, 2, 4, index, 0)

    @staticmethod
    @functools.cache  # it holds the time of its making
    def profile(name="sRGB") -> bytes:
        """Little CMS's own profile: sRGB, or one of another white point or space."""
        return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()

    @staticmethod
    def matrix_profile(primaries, curve, space=b"RGB ", extra=()) -> bytes:
        """An ICC profile of three primaries and one tone curve."""
        tags = [
            (name, b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in xyz)))
            for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
        ]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC", b"kTRC")] + list(extra)
        offset = 128 + 4 + 12 * len(tags)
        table, data = struct.pack(">I", len(tags)), b""
        for name, content in tags:
            table += struct.pack(">4sII", name, offset + len(data), len(content))
            data += content
        start = struct.pack(">II", 128 + len(table + data), 0) + b"\2\x10\0\0mntr" + space + b"XYZ "
        white = struct.pack(">3i", 63190, 65536, 54061)  # D50
        return start.ljust(36, b"\0") + b"acsp" + bytes(28) + white + bytes(48) + table + data


@pytest.fixture(scope="session")
def forge() -> Forge:
    return Forge()
