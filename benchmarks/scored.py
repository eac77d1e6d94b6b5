"""The scores of restored photographs, by the command `raim score`, joined with what each restoration took."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processes import make_environment
from restorations import Job, Store
from rows import MEASURES, Outcome
from variants import Pair

RAIM = (sys.executable, "-m", "raim")
# What the scores depend on, from the command's JSON.
ABOUT = ("raim_version", "profile", "engine", "weights", "manifest_sha256")


def score_jobs(
    jobs: Sequence[Job], pairs: Sequence[Pair], store: Store, *, together: int, workers: int
) -> tuple[list[Outcome], dict[str, Any]]:
    """Score what was restored, several restorers in one pass so that each reference is computed once for them.

    Args:
        jobs: Restorations that are there.
        pairs: All pairs.
        store: Where.
        together: Restorers in one pass; its memory grows with them.
        workers: Processes.

    Returns:
        Each restoration's outcome, and what the scores depend on.
    """
    store.link_references(pairs)
    names = list(dict.fromkeys(job.variant.name for job in jobs))
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    about: dict[str, Any] = {}
    for batch in _split(names, together):
        table = score_batch(batch, store, workers)
        about = {key: table[key] for key in ABOUT}
        found |= {
            (entry["name"], image["name"]): image for entry in table["entries"] for image in entry["images"]
        }
    return [make_outcome(job, store, found[job.variant.name, job.pair.name]) for job in jobs], about


def _split(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def score_batch(names: Sequence[str], store: Store, workers: int) -> dict[str, Any]:
    """Run `raim score` on some of the folders; it shows its own progress."""
    path = store.root / "scores.json"
    command = [
        *RAIM,
        "score",
        *(str(store.root / "restored" / name) for name in names),
        str(store.root / "reference"),
        *("--manifest", str(store.root / "manifest.csv")),
        *("--json", str(path)),
        *("--workers", str(workers)),
    ]
    print(f"scoring {', '.join(names)}", flush=True)
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=make_environment(None))
    if done.returncode:
        raise SystemExit(
            f"raim score failed with exit code {done.returncode}; what is restored is kept in {store.root}"
        )
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return table


def make_outcome(job: Job, store: Store, image: Mapping[str, Any]) -> Outcome:
    """Join the score of a photograph with what its restoration took."""
    record = store.read(job.variant, job.pair)
    if record is None:
        raise ValueError(f"{job.variant.name} has not restored {job.pair.name}")
    return Outcome(
        variant=job.variant.name,
        pair=job.pair.name,
        scenario=job.pair.scenario,
        values={name: None if image[name] is None else float(image[name]) for name in MEASURES},
        unscored=image["unscored"],
        megapixels=job.pair.megapixels,
        net_megapixels=job.net_megapixels,
        reduction=job.factor if job.variant.reduction is not None else None,
        wall_s=record.wall_s,
        cpu_s=record.cpu_s,
        peak_mb=record.peak_mb,
        notes=record.notes,
        taken_from=record.taken_from,
    )
