"""Restore a data set of pairs with every built-in restorer, score all of it, and write tables and a figure.

Run: python benchmarks/baselines.py --data DIR --out OUT --date 2026-12-31 [--resume] [--write-docs docs/baselines.md]
DIR holds a folder for each scenario, with `input` and `reference`. Restored photographs, and the time and memory that
each took, are kept in OUT: a run that was stopped goes on with --resume. docs/benchmarks.md explains the figures.
"""

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raim.processes import count_cores
from restorations import Job, Store, plan_jobs, restore_all, write_whole
from results import SECTION, write_results
from scored import score_jobs
from variants import Pair, find_pairs, list_variants

SCHEMA = "raim-baselines/1"
LIBRARIES = ("raim", "ncnn", "numpy", "opencv-python-headless", "torch", "spandrel")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the pairs")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for everything")
    parser.add_argument("--date", required=True, help="of the run, for the tables")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="restorers (and chains: a,b) beside identity"
    )
    parser.add_argument("--pairs", nargs="+", metavar="NAME", help="stems of the pairs; all, if not stated")
    parser.add_argument(
        "--limit-mp",
        type=float,
        default=0.3,
        help="largest input of a large net, in megapixels after the reduction; 0.3",
    )
    parser.add_argument("--reductions", default="1,2,4", help="of restorers that enlarge; 1,2,4")
    parser.add_argument("--threads", type=int, default=count_cores(), help="of each restoration")
    parser.add_argument("--together", type=int, default=8, help="entries that are scored in one pass; 8")
    parser.add_argument("--workers", type=int, default=count_cores(), help="processes that score")
    parser.add_argument("--resume", action="store_true", help="go on with what OUT holds")
    parser.add_argument(
        "--stop-after", type=float, metavar="MINUTES", help="then begin no restoration; score what there is"
    )
    parser.add_argument(
        "--plan", action="store_true", help="say what would be done, and how long it may take"
    )
    parser.add_argument(
        "--write-docs", type=Path, metavar="F.md", help="document that gets tables and figure"
    )
    parser.add_argument(
        "--section", default=SECTION, metavar="NAME", help="of the document, between its marks; baselines"
    )
    return parser.parse_args()


def main() -> None:
    """Restore, score, write."""
    started, load = time.monotonic(), f"{os.getloadavg()[0]:.1f}"
    options = parse_options()
    pairs = choose_pairs(find_pairs(options.data), options.pairs)
    variants = list_variants(options.only, [int(part) for part in options.reductions.split(",")])
    jobs, left_out = plan_jobs(pairs, variants, options.limit_mp)
    store = Store(root=options.out)
    if options.plan:
        print_plan(jobs, left_out, store)
        return
    setting = describe_setting(options)
    open_store(store, setting, resume=options.resume)
    stop_at = None if options.stop_after is None else started + 60 * options.stop_after
    try:
        failures = restore_all(jobs, store, threads=options.threads, stop_at=stop_at)
    except KeyboardInterrupt:
        raise SystemExit(f"stopped; what is restored is kept in {store.root}: go on with --resume") from None
    done = [job for job in jobs if store.read(job.variant, job.pair) is not None]
    if not done:
        raise SystemExit("nothing has been restored yet; let it run longer")
    outcomes, scoring = score_jobs(done, pairs, store, together=options.together, workers=options.workers)
    content = {
        "schema": SCHEMA,
        "date": options.date,
        "command": describe_command(sys.argv),
        "machine": describe_machine(),
        "load_before": load,
        **setting,
        "scoring": scoring,
        "limit_mp": options.limit_mp,
        "pairs": {pair.name: pair.scenario for pair in pairs},
        "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes],
        "left_out": [[job.variant.name, job.pair.name] for job in left_out],
        "not_run": [[job.variant.name, job.pair.name] for job in jobs if job not in done],
        "failures": failures,
    }
    write_results(content, options.out, options.write_docs, section=options.section)


def choose_pairs(pairs: Sequence[Pair], names: Sequence[str] | None) -> list[Pair]:
    """Keep those that are named."""
    unknown = sorted(set(names or ()) - {pair.name for pair in pairs})
    if unknown:
        raise SystemExit(
            f"there is no pair named {', '.join(unknown)}; there are {', '.join(p.name for p in pairs)}"
        )
    return [pair for pair in pairs if names is None or pair.name in names]


def print_plan(jobs: Sequence[Job], left_out: Sequence[Job], store: Store) -> None:
    """Print, for each variant, how many restorations are wanted, done and left out, and the missing seconds."""
    print("| restorer | pairs | done | left out | s on one core, about |\n|---|---:|---:|---:|---:|")
    total = 0.0
    for variant in dict.fromkeys(job.variant for job in (*jobs, *left_out)):
        own = [job for job in jobs if job.variant == variant]
        missing = [job for job in own if store.read(variant, job.pair) is None]
        seconds = sum(job.expected_s for job in missing if not is_repeated(job, jobs))
        total += seconds
        n_out = sum(job.variant == variant for job in left_out)
        print(f"| {variant.name} | {len(own)} | {len(own) - len(missing)} | {n_out} | {seconds:.0f} |")
    print(f"\nabout {total / 3600:.1f} hours on one core, and the scoring")


def is_repeated(job: Job, jobs: Sequence[Job]) -> bool:
    """Tell whether a measured reduction takes the restoration of a stated one."""
    same = dataclasses.replace(job.variant, reduction=job.factor)
    return (
        job.variant.is_slow
        and job.variant != same
        and any(other.variant == same and other.pair == job.pair for other in jobs)
    )


def describe_setting(options: argparse.Namespace) -> dict[str, Any]:
    """Give what all restorations of a folder must have in common."""
    return {
        "data": str(options.data.resolve()),
        "threads": options.threads,
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def open_store(store: Store, setting: Mapping[str, Any], *, resume: bool) -> None:
    """Begin a folder, or go on with one that was begun with the same setting."""
    path = store.root / "setting.json"
    if not path.exists():
        write_whole(path, json.dumps(setting, indent=1) + "\n")
        return
    if not resume:
        raise SystemExit(
            f"{store.root} holds restorations of an earlier run; go on with --resume, or delete it"
        )
    before = json.loads(path.read_text(encoding="utf-8"))
    changed = [
        f"{key} was {before.get(key)}, is {setting[key]}"
        for key in setting
        if before.get(key) != setting[key]
    ]
    if changed:
        raise SystemExit(
            f"{store.root} was begun with another setting: {'; '.join(changed)}; take another folder"
        )


def describe_machine() -> str:
    """Name the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())
    return f"{model}, {count_cores()} cores"


def describe_command(arguments: Sequence[str]) -> str:
    """Give the command without what is a matter of the machine: paths keep their last part."""
    words = [Path(word).name if "/" in word and not word.startswith("-") else word for word in arguments[1:]]
    return " ".join(["python benchmarks/baselines.py", *words])


if __name__ == "__main__":
    main()
