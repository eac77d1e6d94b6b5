"""Time the decoders that raim could use on synthetic photographs: the reason for its choice (docs/images.md).

Run: python benchmarks/decoders.py [--size 4000x3000] [--runs 5]
Each decoder gets each file in a process of its own with one thread. Printed are the best of the runs in milliseconds of
processor time (so that other work on the machine counts little) and the peak resident memory that decoding added, in MB
(Linux). Decoders that are not installed are left out. "differs" marks pixels other than those that were encoded (of
lossy files: other than Pillow's).
"""

import argparse
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Decoder = Callable[[bytes], np.ndarray]
PACKAGES = {
    "raim": "raim",
    "Pillow": "PIL",
    "OpenCV": "cv2",
    "imagecodecs": "imagecodecs",
    "tifffile": "tifffile",
    "simplejpeg": "simplejpeg",
    "libvips": "pyvips",
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "VIPS_CONCURRENCY": "1", "OPENCV_FOR_THREADS_NUM": "1"}


def make_photograph(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Make a picture with about the spectrum (1/f) and the noise of a photograph: (h, w, 3) uint16."""
    picture = np.zeros((height, width, 3), np.float32)
    for octave in range(1, 10):
        coarse = rng.standard_normal((2**octave + 1, 2**octave + 1, 3)) / 2**octave
        picture += _stretch(_stretch(coarse, height).swapaxes(0, 1), width).swapaxes(0, 1)
    picture = (picture - picture.min()) / np.ptp(picture) * 65535
    picture += rng.normal(0, 300, picture.shape)  # about one step of 8 bits
    return picture.clip(0, 65535).astype(np.uint16)


def _stretch(values: np.ndarray, length: int) -> np.ndarray:
    """Interpolate linearly along the first axis."""
    place = np.linspace(0, len(values) - 1, length)
    left = np.minimum(place.astype(int), len(values) - 2)
    share = (place - left).astype(np.float32)[:, None, None]
    return values[left] * (1 - share) + values[left + 1] * share


def write_files(folder: Path, width: int, height: int) -> list[Path]:
    """Write the photograph in every format and depth, and its pixels beside each, for comparing."""
    from PIL import Image

    from raim.images import encode_image

    sixteen = make_photograph(width, height, np.random.default_rng(0))
    eight = (sixteen // 257).astype(np.uint8)
    jpeg, progressive = io.BytesIO(), io.BytesIO()
    Image.fromarray(eight).save(jpeg, "JPEG", quality=95)
    Image.fromarray(eight).save(progressive, "JPEG", quality=95, progressive=True)
    files = {
        "PNG 8 bit.png": encode_image(eight, ".png"),
        "PNG 16 bit.png": encode_image(sixteen, ".png"),
        "TIFF 8 bit.tif": encode_image(eight, ".tif"),
        "TIFF 16 bit.tif": encode_image(sixteen, ".tif"),
        "WebP lossless.webp": encode_image(eight, ".webp", quality=100),
        "WebP lossy.webp": encode_image(eight, ".webp", quality=90),
        "JPEG.jpg": jpeg.getvalue(),
        "JPEG progressive.jpg": progressive.getvalue(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        is_lossy = "JPEG" in name or "lossy" in name
        true = np.asarray(Image.open(folder / name)) if is_lossy else sixteen if "16" in name else eight
        np.save(folder / f"{name}.npy", true)
    return [folder / name for name in files]


def load_decoder(library: str, suffix: str) -> Decoder | None:
    """Give a library's decoder of a format, None if it has none."""
    return {
        "raim": _load_raim,
        "Pillow": _load_pillow,
        "OpenCV": _load_opencv,
        "imagecodecs": _load_imagecodecs,
        "tifffile": _load_tifffile,
        "simplejpeg": _load_simplejpeg,
        "libvips": _load_libvips,
    }[library](suffix)


def _load_raim(_suffix: str) -> Decoder:
    from raim.images import read_image

    return lambda data: read_image(data).pixels


def _load_pillow(_suffix: str) -> Decoder:
    from PIL import Image

    return lambda data: np.asarray(Image.open(io.BytesIO(data)))


def _load_opencv(_suffix: str) -> Decoder:
    import cv2

    cv2.setNumThreads(1)
    flags = cv2.IMREAD_UNCHANGED
    return lambda data: np.ascontiguousarray(cv2.imdecode(np.frombuffer(data, np.uint8), flags)[..., ::-1])


def _load_imagecodecs(suffix: str) -> Decoder:
    import imagecodecs

    return {
        ".png": imagecodecs.png_decode,
        ".jpg": imagecodecs.jpeg8_decode,
        ".webp": imagecodecs.webp_decode,
        ".tif": imagecodecs.tiff_decode,
    }[suffix]


def _load_tifffile(suffix: str) -> Decoder | None:
    import tifffile

    return (lambda data: tifffile.imread(io.BytesIO(data), maxworkers=1)) if suffix == ".tif" else None


def _load_simplejpeg(suffix: str) -> Decoder | None:
    import simplejpeg

    return simplejpeg.decode_jpeg if suffix == ".jpg" else None


def _load_libvips(_suffix: str) -> Decoder:
    import pyvips

    return lambda data: pyvips.Image.new_from_buffer(data, "", access="sequential").numpy()


def measure(library: str, path: Path, runs: int) -> dict[str, object]:
    """Decode one file with one library in this process."""
    decode = load_decoder(library, path.suffix)
    if decode is None:
        return {}
    data = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of what came before
    before = _peak_mb()
    times = []
    for _ in range(runs):
        start = time.process_time()
        pixels = decode(data)
        times.append(time.process_time() - start)
    added = _peak_mb() - before
    true = np.load(f"{path}.npy", mmap_mode="r")
    return {
        "ms": min(times) * 1000,
        "mb": added,
        "same": pixels.dtype == true.dtype and np.array_equal(pixels, true),
    }


def _peak_mb() -> float:
    """Read the process's peak resident memory (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure_apart(library: str, path: Path, runs: int) -> str:
    """Measure in a process of its own and format the cell of the table."""
    command = [sys.executable, __file__, "--one", library, str(path), "--runs", str(runs)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **ONE_THREAD}
    )
    if done.returncode:
        return "fails"
    result = json.loads(done.stdout)
    if not result:
        return "-"
    return f"{result['ms']:.0f} ms, {result['mb']:.0f} MB" + ("" if result["same"] else ", differs")


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="4000x3000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--one", nargs=2, metavar=("LIBRARY", "FILE"), help="measure one in this process, as JSON"
    )
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], Path(options.one[1]), options.runs)))
        return
    width, height = (int(side) for side in options.size.split("x"))
    libraries = [name for name, package in PACKAGES.items() if importlib.util.find_spec(package)]
    print("| file | " + " | ".join(libraries) + " |")
    print("|---|" + "---|" * len(libraries))
    with tempfile.TemporaryDirectory() as folder:
        for path in write_files(Path(folder), width, height):
            cells = [measure_apart(library, path, options.runs) for library in libraries]
            print(f"| {path.stem} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
