"""Time the decoders that raim could use, on synthetic photographs of 12 megapixels: the reason for its choice.

Run: python benchmarks/decoders.py [--size 4000x3000] [--runs 5]
Decoders that are not installed are left out. One thread; the best of the runs, in milliseconds.
"""

import argparse
import importlib.util
import io
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

Decoder = Callable[[bytes], object]


def make_photograph(width: int, height: int, dtype: str) -> np.ndarray:
    """Make a picture with the spectrum and the noise of a photograph: (h, w, 3) uint8 or uint16."""
    rng = np.random.default_rng(0)
    picture = np.zeros((height, width, 3))
    for octave in range(8):
        coarse = rng.standard_normal((2 ** (octave + 1), 2 ** (octave + 1), 3)) / 2**octave
        rows = np.linspace(0, coarse.shape[0] - 1, height).round().astype(int)
        columns = np.linspace(0, coarse.shape[1] - 1, width).round().astype(int)
        picture += coarse[rows][:, columns]
    picture = (picture - picture.min()) / np.ptp(picture) * 250 + rng.normal(0, 1.5, picture.shape)
    eight = picture.clip(0, 255).astype(np.uint8)
    return eight if dtype == "uint8" else (picture.clip(0, 255) * 257).astype(np.uint16)


def encode(pixels: np.ndarray) -> dict[str, bytes]:
    """Write the picture in every format that holds its depth."""
    import imagecodecs
    import tifffile

    tiff = io.BytesIO()
    tifffile.imwrite(tiff, pixels, photometric="rgb", compression="deflate", rowsperstrip=64)
    files = {"PNG": imagecodecs.png_encode(pixels, level=6), "TIFF": tiff.getvalue()}
    if pixels.dtype == np.uint8:
        for name, options in (("JPEG", {"quality": 95}), ("WEBP", {"lossless": True})):
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, name, **options)
            files[name] = buffer.getvalue()
    return files


def find_decoders() -> dict[str, dict[str, Decoder]]:
    """Give for each library what it decodes with, format -> function."""
    import imagecodecs
    import tifffile

    def pillow(data: bytes) -> object:
        return np.asarray(Image.open(io.BytesIO(data)))

    found: dict[str, dict[str, Decoder]] = {
        "Pillow": dict.fromkeys(("PNG", "TIFF", "JPEG", "WEBP"), pillow),
        "imagecodecs": {
            "PNG": imagecodecs.png_decode,
            "JPEG": imagecodecs.jpeg8_decode,
            "WEBP": imagecodecs.webp_decode,
            "TIFF": lambda data: tifffile.imread(io.BytesIO(data), maxworkers=1),
        },
        "imagecodecs spng": {"PNG": imagecodecs.spng_decode},
    }
    if importlib.util.find_spec("cv2"):
        import cv2

        cv2.setNumThreads(1)

        def opencv(data: bytes) -> object:
            return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1].copy()

        found["OpenCV"] = dict.fromkeys(("PNG", "TIFF", "JPEG", "WEBP"), opencv)
    if importlib.util.find_spec("pyvips"):
        import pyvips

        def vips(data: bytes) -> object:
            return pyvips.Image.new_from_buffer(data, "", access="sequential").numpy()

        found["libvips"] = dict.fromkeys(("PNG", "TIFF", "JPEG", "WEBP"), vips)
    return found


def time_ms(decode: Decoder, data: bytes, pixels: np.ndarray, runs: int) -> str:
    """Time one decoder, saying so where it does not give the pixels that were written."""
    try:
        decoded = np.asarray(decode(data))
        best = min(_time_once(decode, data) for _ in range(runs))
    except Exception as error:  # noqa: BLE001 - a decoder that cannot is a result
        return f"fails ({type(error).__name__})"
    is_exact = decoded.shape == pixels.shape and decoded.dtype == pixels.dtype
    return f"{best * 1000:.0f}" + ("" if is_exact else f" (as {decoded.dtype} {decoded.shape})")


def _time_once(decode: Decoder, data: bytes) -> float:
    start = time.perf_counter()
    decode(data)
    return time.perf_counter() - start


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="4000x3000")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    decoders = find_decoders()
    print("| file | " + " | ".join(decoders) + " |")
    print("|---|" + "---|" * len(decoders))
    for dtype in ("uint8", "uint16"):
        pixels = make_photograph(width, height, dtype)
        for name, data in encode(pixels).items():
            cells = [
                time_ms(formats[name], data, pixels, options.runs) if name in formats else "-"
                for formats in decoders.values()
            ]
            print(f"| {name} {pixels.dtype.itemsize * 8} bit | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
