"""Tiles of a study's image: time, memory and bytes of a pack, and how soon a tile is read.

    python benchmarks/study_tiles.py                       a made-up photograph of 12 megapixels, 9 entries
    python benchmarks/study_tiles.py --photograph F.jpg    a photograph, mirrored until it has 12 megapixels

Each entry is the photograph with noise of its own, as PNG; the first entry's blurred copy is packed, too. The pack is
made in a process of its own, as the job does it; its peak memory is that of the whole process, Python and libraries
included.
"""

import argparse
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from raim.files import hash_file
from raim.images import read_image, write_image
from raim.server.storage import adopt_file, open_storage
from raim.server.tiles import PACKED_INPUT, Spot, read_index, read_tile

WIDTH, HEIGHT = 4000, 3000
N_READS = 5000
MIB = 2**20


class Files(Mapping[str, bytes]):
    """Encoded images of a folder by their stems, read when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._paths = {path.stem: path for path in sorted(folder.iterdir())}

    def __getitem__(self, name: str) -> bytes:
        return self._paths[name].read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def make_photograph(path: Path | None) -> UInt8[np.ndarray, "h w 3"]:
    """Give 12 megapixels: waves, or a photograph beside its mirror images."""
    if path is None:
        y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32) / 90
        waves = np.stack([np.sin(x * k) * np.cos(y + k) for k in (1, 2, 3)], axis=-1)
        return np.clip(128 + 90 * waves, 0, 255).astype(np.uint8)
    pixels = read_image(path, purpose="restore").pixels
    if pixels.ndim != 3 or pixels.dtype != np.uint8:
        sys.exit(f"{path} is not 8-bit RGB")
    more = [(0, max(0, wanted - have)) for wanted, have in zip((HEIGHT, WIDTH), pixels.shape, strict=False)]
    return np.pad(pixels, (*more, (0, 0)), mode="symmetric")[:HEIGHT, :WIDTH]


def write_sources(
    folder: Path, photograph: UInt8[np.ndarray, "h w 3"], n_entries: int, rng: np.random.Generator
) -> None:
    """Write the input, and entries that differ from it by noise."""
    for number in range(n_entries + 1):
        name = f"e{number}" if number else PACKED_INPUT
        noise = rng.normal(0, 1 + number / 3, photograph.shape).astype(np.float32)
        write_image(folder / f"{name}.png", np.clip(np.rint(photograph + noise), 0, 255).astype(np.uint8))


def peak_mib() -> float:
    """Give the most memory that this process had so far (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def make(folder: Path, target: Path, results: multiprocessing.SimpleQueue) -> None:
    """Make the pack; tell seconds, and MiB before and at most."""
    from raim.server.tiles.packing import make_pack

    before = peak_mib()
    begun = time.perf_counter()
    make_pack(Files(folder), target, blurred_from="e1")
    seconds = time.perf_counter() - begun
    results.put((seconds, before, peak_mib()))


def time_reads(url: str, pack: Path, *, rng: random.Random) -> None:
    """Read tiles by chance from a storage, and print how long that takes."""
    storage, sha256, n_bytes = open_storage(url), hash_file(pack), pack.stat().st_size
    adopt_file(storage, pack, n_bytes=n_bytes, sha256=sha256)
    group = read_index(storage, sha256).groups[0]
    spots = [
        Spot(source=source, level=level, column=column, row=row)
        for source in group.sources
        for level, sizes in enumerate(group.levels)
        for column in range(sizes.columns)
        for row in range(sizes.rows)
    ]
    taken, read = [], 0
    for spot in rng.choices(spots, k=N_READS):
        begun = time.perf_counter()
        read += len(read_tile(storage, sha256, spot))
        taken.append(1000 * (time.perf_counter() - begun))
    share = statistics.quantiles(taken, n=100)
    print(
        f"{url.partition(':')[0]}: {N_READS} of {len(spots)} tiles, {read / N_READS / 1024:.0f} KiB each: "
        f"median {share[49]:.2f} ms, 99 % {share[98]:.2f} ms, most {max(taken):.2f} ms"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photograph", type=Path)
    parser.add_argument("--entries", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        sources, pack = Path(place, "sources"), Path(place, "pack")
        sources.mkdir()
        write_sources(sources, make_photograph(options.photograph), options.entries, np.random.default_rng(1))
        sent = sum(path.stat().st_size for path in sources.iterdir())
        context = multiprocessing.get_context("spawn")
        results = context.SimpleQueue()
        process = context.Process(target=make, args=(sources, pack, results))
        process.start()
        seconds, before, most = results.get()
        process.join()
        print(
            f"{options.entries} entries, input, blurred copy of {WIDTH}x{HEIGHT}: {seconds:.1f} s, "
            f"{seconds / (options.entries + 2):.2f} s each; memory {before:.0f} MiB before, at most {most:.0f} MiB; "
            f"PNG as sent {sent / MIB:.0f} MiB, pack {pack.stat().st_size / MIB:.0f} MiB"
        )
        time_reads(Path(place, "files").as_uri(), pack, rng=random.Random(1))  # noqa: S311 - which tiles


if __name__ == "__main__":
    main()
