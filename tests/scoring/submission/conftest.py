"""Builders of submissions, honest and hostile."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

README = (
    "runtime per image [s] : 10.43\n"
    "CPU[1] / GPU[0] : 0\n"
    "Extra Data [1] / No Extra Data [0] : 1\n"
    "Other description : a test\n"
)


class Forge:
    """Makes images, folders and zips in a temporary folder, and damages zips byte by byte."""

    readme = README

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def image(self, width=16, height=12, mode="RGB", kind="PNG", **options) -> bytes:
        rng = np.random.default_rng(7)
        pixels = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)
        file = io.BytesIO()
        pixels.save(file, kind, **options)
        return file.getvalue()

    def image16(self, width=16, height=12) -> bytes:
        import imagecodecs

        pixels = np.random.default_rng(7).integers(0, 65536, (height, width, 3), dtype=np.uint16)
        return imagecodecs.png_encode(pixels)

    def files(self, *stems: str) -> dict[str, bytes]:
        """One PNG per stem and the readme."""
        return {**{f"{stem}.png": self.image() for stem in stems}, "readme.txt": README.encode()}

    def write_folder(self, name: str, files: dict[str, bytes]) -> Path:
        for path, content in files.items():
            target = self.folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return self.folder / name

    def write_zip(self, files, name="team.zip", method=zipfile.ZIP_DEFLATED) -> Path:
        """Write (name or ZipInfo, content) pairs, or a dict, as a zip."""
        pairs = files.items() if isinstance(files, dict) else files
        path = self.folder / name
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, content in pairs:
                archive.writestr(member, content, method)
        return path

    def patch(self, path: Path, index: int, *, central=None, local=None) -> Path:
        """Overwrite header fields of one member: {offset in the header: bytes}."""
        data = bytearray(path.read_bytes())
        row = self.row(data, index)
        header = struct.unpack_from("<L", data, row + 42)[0]
        for start, fields in ((row, central or {}), (header, local or {})):
            for offset, value in fields.items():
                data[start + offset : start + offset + len(value)] = value
        path.write_bytes(data)
        return path

    @staticmethod
    def row(data: bytes, index: int) -> int:
        """Find where one row of the table of members starts."""
        at = struct.unpack_from("<L", data, data.rfind(b"PK\x05\x06") + 16)[0]
        for _ in range(index):
            at += 46 + sum(struct.unpack_from("<3H", data, at + 28))
        return at


@pytest.fixture
def forge(tmp_path) -> Forge:
    return Forge(tmp_path)
