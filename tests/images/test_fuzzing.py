"""Damaged, cut, lying and oversized files of every format, by the thousand, seeded.

Whatever the file, there is a picture within the limit or an `ImageError`; never another exception, a crash, a hang or
more memory than the limit allows. Each format runs in a process of its own with a limit of memory, so that a crash of
a C library is a failed test and not the end of the run.
"""

import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from raim.errors import ImageError
from raim.images import encode_image, inspect_image, read_image

MAX_PIXELS = 1_000_000
N_FILES = 1500
N_MEMORY = 30 << 20  # a picture of the limit, RGBA, 16 bits, with what decoding it takes
N_ADDRESS_SPACE = 3 << 30
BYTES = (b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1", b"\1\0\0\0")


def make_samples(forge) -> dict[str, list[bytes]]:
    """Make honest files of every arrangement that a decoder may see."""
    rgba = np.dstack([forge.rgb, forge.alpha])
    metadata = {"icc_profile": forge.profile(), "exif": forge.exif(6)}
    progressive = {"progressive": True, "subsampling": "4:2:0"}
    return {
        "png": [
            encode_image(forge.rgb, ".png", **metadata),
            encode_image(forge.rgb16, ".png"),
            forge.pillow("PNG", rgba),
            forge.pillow("PNG", Image.fromarray(forge.rgb).quantize(7)),
            forge.png((50, 40), 8, 0, forge.rgb.tobytes()[:2500], interlace=1),
            forge.insert(encode_image(forge.rgb, ".png"), b"tRNS", bytes(6)),
        ],
        "jpeg": [
            encode_image(forge.rgb, ".jpg", **metadata),
            forge.pillow("JPEG", **progressive),
            forge.pillow("JPEG", forge.grey, restart_marker_blocks=1),
            forge.pillow("JPEG", Image.fromarray(forge.rgb).convert("CMYK")),
        ],
        "webp": [
            encode_image(forge.rgb, ".webp", **metadata),
            encode_image(forge.rgb, ".webp", quality=100),
            forge.pillow("WEBP", np.dstack([forge.rgb, forge.grey])),
        ],
        "tiff": [
            encode_image(forge.rgb16, ".tif", **metadata),
            forge.tiff(compression="lzw", predictor=True, byteorder=">"),
            forge.tiff(compression="packbits", rowsperstrip=3),
            forge.tiff(tile=(16, 16), bigtiff=True),
            forge.pillow("TIFF", rgba),
        ],
    }


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip, overwrite, cut, insert and remove at a few places; half of them within the header."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        size = max(1, len(changed) if rng.random() < 0.5 else min(len(changed), 120))
        place = int(rng.integers(size))
        match rng.integers(6):
            case 0:
                changed[place : place + 1] = bytes([content[place % len(content)] ^ (1 << rng.integers(8))])
            case 1:
                changed[place : place + 1] = bytes([rng.integers(256)])
            case 2:
                changed[place : place + 4] = BYTES[rng.integers(len(BYTES))]
            case 3:
                del changed[place : place + rng.integers(1, 60)]
            case 4:
                changed[place:place] = changed[: rng.integers(1, 60)]
            case _ if rng.random() < 0.3:
                del changed[place:]
    return (
        correct_checksums(changed)
        if content.startswith(b"\x89PNG") and rng.random() < 0.7
        else bytes(changed)
    )


def correct_checksums(png: bytearray) -> bytes:
    """Make a PNG's checksums right, so that the damage reaches what lies behind them."""
    offset = 8
    while offset + 12 <= len(png):
        end = offset + 8 + int.from_bytes(png[offset : offset + 4])
        if end + 4 > len(png):
            break
        png[end : end + 4] = zlib.crc32(png[offset + 4 : end]).to_bytes(4)
        offset = end + 4
    return bytes(png)


def fuzz(kind: str, forge, seed: int) -> tuple[int, int]:
    """Read mutated files; count how many were read and how many refused."""
    rng = np.random.default_rng(seed)
    samples = make_samples(forge)[kind]
    n_read = n_refused = 0
    tracemalloc.start()
    for _ in range(N_FILES):
        content = mutate(samples[rng.integers(len(samples))], rng)
        tracemalloc.reset_peak()
        refusal = "it "
        try:
            info = inspect_image(content, max_pixels=MAX_PIXELS)
            picture = read_image(content, purpose="restore", max_pixels=MAX_PIXELS)
            n_read += 1
            assert sorted(picture.pixels.shape[:2]) == sorted((info.height, info.width))
            assert info.width * info.height <= MAX_PIXELS
        except ImageError as error:
            n_refused += 1
            refusal = str(error)
        assert refusal.startswith("it ")
        assert tracemalloc.get_traced_memory()[1] < N_MEMORY
    return n_read, n_refused


def main() -> None:
    import resource

    from conftest import Forge

    resource.setrlimit(resource.RLIMIT_AS, (N_ADDRESS_SPACE, N_ADDRESS_SPACE))
    counts = fuzz(sys.argv[1], Forge(), int(sys.argv[2]))
    sys.stdout.write(f"{counts[0]} {counts[1]}")


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff"])
def test_a_spoiled_file_is_read_or_refused_and_nothing_else(kind, request):
    from patience import PATIENCE_S  # not found by this file where it is the program

    command = [sys.executable, __file__, kind, "20240512"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr[-3000:]
    n_read, n_refused = map(int, done.stdout.split())
    assert n_read + n_refused == N_FILES
    assert n_read > 20  # the mutations are not all found at the door
    assert n_refused > 500
    assert "warning" not in done.stderr.lower()  # nothing writes past Python's own streams


def test_random_bytes_behind_a_signature_are_refused():
    rng = np.random.default_rng(11)
    signatures = (
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"II*\0",
        b"MM\0*",
        b"II+\0",
        b"RIFF\x64\0\0\0WEBP",
        b"",
    )
    for _ in range(400):
        content = signatures[rng.integers(len(signatures))] + rng.bytes(int(rng.integers(0, 200)))
        with pytest.raises(ImageError):
            read_image(content, max_pixels=MAX_PIXELS)


if __name__ == "__main__":
    main()
