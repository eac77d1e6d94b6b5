"""Entering the demo's challenge as a team does: restore every input, pack the zip with its readme.txt."""

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from raim.data import Manifest
from raim.demo.restorers import DemoEntry, Pixels, resize_input
from raim.images import read_image, write_image
from raim.scoring.submission import Readme, format_readme, open_images

Stopwatch = Callable[[], float]

# A zip keeps the time of each file; a fixed one makes the same submission the same bytes.
ZIP_TIME = (2024, 1, 1, 0, 0, 0)
SHORTEST_S = 0.001


def write_entry(
    entry: DemoEntry,
    path: Path,
    inputs: Path,
    manifest: Manifest,
    *,
    clock: Stopwatch,
    on_image: Callable[[], None],
) -> None:
    """Write the submission of one entry.

    Args:
        entry: What restores.
        path: The zip to write.
        inputs: Folder of the inputs.
        manifest: States the size of each restored image.
        clock: Gives seconds; the readme states the mean time per image.
        on_image: Called after each image.
    """
    rows = manifest.by_name()
    seconds = 0.0
    images = open_images(inputs)
    with zipfile.ZipFile(path, "w") as archive:
        for stem, member in images.items():
            pixels = read_image(member.read_bytes()).pixels
            started = clock()
            restored = entry.restore(_to_size(pixels, rows[stem].width, rows[stem].height))
            seconds += clock() - started
            _add(archive, f"{stem}.png", _encode_png(restored))
            on_image()
        readme = Readme(
            runtime_s=max(SHORTEST_S, round(seconds / len(images), 3)),
            is_on_cpu=True,
            has_extra_data=False,
            description=entry.description,
        )
        _add(archive, "readme.txt", format_readme(readme).encode())


def _to_size(pixels: Pixels, width: int | None, height: int | None) -> Pixels:
    if width is None or height is None:
        return pixels
    return resize_input(pixels, width, height)


def _encode_png(pixels: Pixels) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "restored.png")
        write_image(path, pixels)
        return path.read_bytes()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), content)  # stored: PNG is packed already
