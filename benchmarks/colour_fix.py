"""What `--colour-fix` is worth: pairs restored by several restorers, each as it is, with adain and with wavelet.

Run: python benchmarks/colour_fix.py --data DIR --out OUT --date 2026-12-31 [--write-docs docs/restorers.md]
DIR is as for baselines.py. Each pair is restored once, in OUT, and its colours are fixed from that: the command goes on
where it was stopped. All is scored by `raim score`; the table has SCORE and PSNR of the pairs, and how far the restored
is from its input in the mean of each channel.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from baselines import describe_machine
from documents import write_section
from raim.images import read_image, write_image
from raim.restore import Restorer, find_restorer, restore
from raim.restore.descriptor import Context, Photograph
from raim.restore.finish import COLOUR_FIXES
from variants import Pair, find_pairs

RESTORERS = ("real-esrgan-x4plus/4", "realsr-df2k-x4/4", "dat-light-x2/2", "ffdnet", "nlm")
NONE = "none"
FIXES = (NONE, *COLOUR_FIXES)
SECTION = "colour-fix"


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the pairs")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for everything")
    parser.add_argument("--date", required=True, help="of the run, for the table")
    parser.add_argument(
        "--restorers", nargs="+", default=RESTORERS, metavar="NAME[/R]", help="R: the reduction"
    )
    parser.add_argument("--limit-mp", type=float, default=0.3, help="largest input, in megapixels; 0.3")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write-docs", type=Path, metavar="F.md", help="document that gets the table")
    return parser.parse_args()


def main() -> None:
    """Restore, fix, score, write."""
    options = parse_options()
    pairs = [pair for pair in find_pairs(options.data) if pair.megapixels <= options.limit_mp]
    link_references(pairs, options.out)
    rows = []
    for name in options.restorers:
        casts = [list(restore_pair(pair, name, options.out, options.threads)) for pair in pairs]
        scores = score(name, options.out, options.threads)
        rows.append(format_row(name, scores, np.mean(casts, axis=0)))
        print(rows[-1], flush=True)
    report = format_report(rows, pairs, options)
    (options.out / "colour-fix.md").write_text(report, encoding="utf-8")
    print(f"\n{report}")
    if options.write_docs is not None:
        write_section(options.write_docs, SECTION, report)


def find(name: str) -> Restorer:
    """Give the restorer of `NAME` or `NAME/REDUCTION`, at scale 1."""
    bare, _, reduction = name.partition("/")
    return find_restorer(bare, reduction=int(reduction) if reduction else None)


def folder_of(name: str, fix: str, out: Path) -> Path:
    """Give the folder of what a restorer gives with a colour fix."""
    return out / name.replace("/", "-r") / fix


def restore_pair(pair: Pair, name: str, out: Path, threads: int) -> Iterator[float]:
    """Restore a pair, fix its colours, and give for each fix how far the channels' means are from the input, of 255."""
    image = read_image(pair.input, purpose="restore").pixels
    bare = folder_of(name, NONE, out) / f"{pair.name}.png"
    if not bare.exists():
        bare.parent.mkdir(parents=True, exist_ok=True)
        write_image(bare, restore(image, find(name), guard=False, threads=threads).pixels)
    restored = (read_image(bare).pixels / 255).astype(np.float32)
    for fix in FIXES:
        path = folder_of(name, fix, out) / bare.name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            write_image(path, restore(image, give(restored), colour_fix=fix, guard=False).pixels)
        pixels = read_image(path).pixels
        yield float(np.abs(np.atleast_1d((pixels.astype(np.float64) - image).mean(axis=(0, 1)))).mean())


def give(restored: Photograph) -> Restorer:
    """Make a restorer that gives what another has made."""

    def compute(_image: Photograph, _context: Context) -> Photograph:
        return restored if restored.ndim == 3 else restored[..., None].repeat(3, axis=2)

    return Restorer(name="made", purpose="of an earlier run", compute=compute)


def link_references(pairs: Sequence[Pair], out: Path) -> None:
    """Gather the references in one folder."""
    folder = out / "reference"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for pair in pairs:
        (folder / pair.reference.name).symlink_to(pair.reference.resolve())
    with (out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("name", "scenario"), *((pair.name, pair.scenario) for pair in pairs)])


def score(name: str, out: Path, workers: int) -> Mapping[str, Mapping[str, float]]:
    """Give the means of each fix, by `raim score`."""
    path = out / f"{name.replace('/', '-r')}.json"
    command = [sys.executable, "-m", "raim", "score"]
    command += [str(folder_of(name, fix, out)) for fix in FIXES]
    command += [str(out / "reference"), "--manifest", str(out / "manifest.csv"), "--json", str(path)]
    subprocess.run([*command, "--workers", str(workers)], check=True, stdout=subprocess.DEVNULL)
    table = json.loads(path.read_text(encoding="utf-8"))
    return {entry["name"]: entry["mean"] for entry in table["entries"]}


def format_row(name: str, scores: Mapping[str, Mapping[str, float]], casts: Sequence[float]) -> str:
    """Write a line of the table."""
    bare, _, reduction = name.partition("/")
    label = f"{bare}, reduced by {reduction}" if reduction else bare
    cells = [
        f"{scores[fix]['score']:.1f} ({scores[fix]['psnr']:.2f}) {cast:.1f}"
        for fix, cast in zip(FIXES, casts, strict=True)
    ]
    return f"| {label} | {' | '.join(cells)} |"


def format_report(rows: Sequence[str], pairs: Sequence[Pair], options: argparse.Namespace) -> str:
    """Write when and how, and the table."""
    head = f"| restorer | {' | '.join(FIXES)} |\n|---|{'---:|' * len(FIXES)}"
    about = (
        f"{options.date}, {describe_machine()}, {len(pairs)} pairs of up to {options.limit_mp:g} megapixels "
        "(`python benchmarks/colour_fix.py`): SCORE of the profile `raim-2024`, (PSNR, dB), and how far the mean of a "
        "channel is from that of the input, of 255."
    )
    return "\n".join([about, "", head, *rows]) + "\n"


if __name__ == "__main__":
    main()
