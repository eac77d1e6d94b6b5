"""What a checkout of raim makes of 3,000 photographs, valid and spoiled: for comparing two of them.

    PYTHONPATH=OLD/src python benchmarks/reading_corpus.py write old.json
    PYTHONPATH=NEW/src python benchmarks/reading_corpus.py write new.json
    python benchmarks/reading_corpus.py compare old.json new.json

A third of the files is as cameras and editors write them; the others are spoiled: bits flipped, bytes cut, inserted,
removed, overwritten, mostly in the header. Pillow and tifffile write them, so that they are the same for every
checkout. A verdict is the SHA-256 of the pixels, or the class of the error with what it says.
"""

import argparse
import hashlib
import io
import json
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 40, 50
SHARE_VALID = 1 / 3
EXTREMES = (b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1", b"\1\0\0\0")
MAX_PIXELS = 1_000_000
PURPOSES = ("score", "restore")
MOST_SHOWN = 30


def make_exif(orientation: int) -> bytes:
    """Make an EXIF block that states an orientation."""
    return b"Exif\0\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0x0112, 3, 1, orientation, 0)


def make_files() -> dict[str, list[bytes]]:
    """Make valid files of every arrangement that a reader may see, by format."""
    import imagecodecs
    import tifffile

    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    smooth = np.stack([columns * 4, rows * 5, rows + columns], axis=-1) + 20
    rgb = (smooth + rng.integers(0, 12, smooth.shape)).clip(0, 255).astype(np.uint8)
    deep = rgb.astype(np.uint16) * np.uint16(257)
    opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    image = Image.fromarray(rgb)
    made = [imagecodecs.cms_profile("srgb"), imagecodecs.cms_profile("adobergb")]
    profiles = [
        profile[:24] + bytes(12) + profile[36:] for profile in made
    ]  # without the time of their making

    def pillow(name: str, source: Image.Image = image, **options: object) -> bytes:
        file = io.BytesIO()
        source.save(file, name, **options)
        return file.getvalue()

    def tiff(pixels: np.ndarray, **options: object) -> bytes:
        file = io.BytesIO()
        kind = "rgb" if pixels.ndim == 3 else "minisblack"
        tifffile.imwrite(
            file, pixels, **{"photometric": kind, "metadata": None, "software": False, **options}
        )
        return file.getvalue()

    modes = {mode: image.convert(mode) for mode in ("L", "LA", "P", "CMYK", "1")}
    metadata = [{"icc_profile": profile} for profile in profiles]
    metadata += [{"exif": make_exif(orientation)} for orientation in (1, 6)]
    jpeg = [
        {},
        {"progressive": True, "subsampling": "4:2:0"},
        {"restart_marker_blocks": 1},
        {"keep_rgb": True},
    ]
    packed = [(packing, flag) for packing in ("deflate", "lzw") for flag in (False, True)]
    return {
        "jpeg": [pillow("JPEG", **options) for options in jpeg + metadata]
        + [pillow("JPEG", modes[mode]) for mode in ("L", "CMYK")],
        "png": [pillow("PNG", **options) for options in [{}, *metadata]]
        + [pillow("PNG", modes[mode]) for mode in ("L", "LA", "P", "1")]
        + [pillow("PNG", Image.fromarray(opaque)), pillow("PNG", Image.fromarray(deep[..., 0]))],
        "webp": [pillow("WEBP", **options) for options in [{}, {"lossless": True}, *metadata]],
        "tiff": [tiff(rgb, compression=packing, predictor=flag) for packing, flag in packed]
        + [tiff(deep, byteorder=order) for order in "<>"]
        + [tiff(deep, tile=(16, 16), bigtiff=True), tiff(rgb, rowsperstrip=3, compression="packbits")]
        + [tiff(np.moveaxis(deep, 2, 0).copy(), planarconfig="separate"), tiff(rgb[..., 0], rowsperstrip=7)]
        + [tiff(rgb, iccprofile=profile) for profile in profiles]
        + [pillow("TIFF", modes[mode]) for mode in ("LA", "P", "CMYK", "1")]
        + [pillow("TIFF", Image.fromarray(opaque)), tiff(rgb, extratags=[(274, "H", 1, 3, True)])],
        "other": [
            pillow("GIF"),
            pillow("BMP"),
            b"",
            b"no image",
            pillow("PNG", save_all=True, append_images=[image]),
        ],
    }


def spoil(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip, overwrite, cut, insert and remove at a few places; half of them within the header."""
    changed = bytearray(content or b"empty")
    for _ in range(rng.choice([1, 1, 2, 5])):
        size = max(1, len(changed) if rng.random() < 0.5 else min(len(changed), 120))
        place = int(rng.integers(size))
        if not changed:
            break
        match rng.integers(7):
            case 0:
                changed[place : place + 1] = bytes([changed[place % len(changed)] ^ (1 << rng.integers(8))])
            case 1:
                changed[place : place + 1] = bytes([rng.integers(256)])
            case 2:
                changed[place : place + 4] = EXTREMES[rng.integers(len(EXTREMES))]
            case 3:
                del changed[place : place + rng.integers(1, 60)]
            case 4:
                changed[place:place] = changed[: rng.integers(1, 60)]
            case 5:
                changed += bytes(int(rng.integers(1, 300)))
            case _ if rng.random() < 0.4:
                del changed[place:]
    is_png = content.startswith(b"\x89PNG")
    return set_checksums(changed) if is_png and rng.random() < 0.7 else bytes(changed)


def set_checksums(png: bytearray) -> bytes:
    """Make a PNG's checksums right, so that the damage reaches what lies behind them."""
    offset = 8
    while offset + 12 <= len(png):
        end = offset + 8 + int.from_bytes(png[offset : offset + 4])
        if end + 4 > len(png):
            break
        png[end : end + 4] = zlib.crc32(png[offset + 4 : end]).to_bytes(4)
        offset = end + 4
    return bytes(png)


def make_corpus(n: int, seed: int, kinds: tuple[str, ...] = ()) -> Iterator[tuple[str, bytes]]:
    """Make n files, by names that say what they are; of some formats only, if named."""
    files = {kind: made for kind, made in make_files().items() if not kinds or kind in kinds}
    rng = np.random.default_rng(seed)
    for place in range(n):
        kind = list(files)[place % len(files)]
        which = int(rng.integers(len(files[kind])))
        is_valid = rng.random() < SHARE_VALID
        content = files[kind][which] if is_valid else spoil(files[kind][which], rng)
        yield f"{place:05} {kind}-{which} {'valid' if is_valid else 'spoiled'}", content


def read_verdict(content: bytes, purpose: str) -> str:
    """Read a file and say what came of it."""
    from raim.errors import ImageError
    from raim.images import read_image

    try:
        picture = read_image(content, purpose=purpose, max_pixels=MAX_PIXELS)
    except ImageError as error:
        return f"{type(error).__name__}: {error}"
    pixels = np.ascontiguousarray(picture.pixels)
    return f"{pixels.dtype} {pixels.shape} {hashlib.sha256(pixels.tobytes()).hexdigest()[:16]}"


def compare(old: dict[str, dict[str, str]], new: dict[str, dict[str, str]], purpose: str) -> int:
    """Print where two checkouts differ; give the number of files that one reads and the other refuses, or otherwise."""
    differences = []
    for name, verdict in old.items():
        before, after = verdict[purpose], new[name][purpose]
        was_read, is_read = ("uint" in before[:4], "uint" in after[:4])
        if was_read != is_read or (is_read and before != after):
            differences.append(f"{name}\n    {before[:150]}\n    {after[:150]}")
    counts = Counter(name.split()[2] for name in old)
    print(f"{purpose}: {len(old)} files ({dict(counts)}), {len(differences)} differ")
    print("\n".join(differences[:MOST_SHOWN]))
    return len(differences)


def main() -> int:
    """Write the verdicts of this checkout, or compare those of two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write")
    write.add_argument("file", type=Path)
    write.add_argument("--n", type=int, default=3000)
    write.add_argument("--seed", type=int, default=1)
    write.add_argument("--kinds", nargs="*", default=())
    two = commands.add_parser("compare")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    given = parser.parse_args()
    if given.command == "write":
        verdicts = {
            name: {purpose: read_verdict(content, purpose) for purpose in PURPOSES}
            for name, content in make_corpus(given.n, given.seed, tuple(given.kinds))
        }
        given.file.write_text(json.dumps(verdicts, indent=1))
        return 0
    old, new = (json.loads(path.read_text()) for path in (given.old, given.new))
    differing = compare(old, new, "score")
    compare(old, new, "restore")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
