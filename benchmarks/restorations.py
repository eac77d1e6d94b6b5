"""Restorations that are kept in a folder with what they took, so that a run of hours can be stopped and gone on with.

OUT/restored/VARIANT/NAME.png    the restored photographs: what `raim score` reads
OUT/records/VARIANT/NAME.json    time, memory and notes of each, written after its photograph
OUT/reference/, OUT/manifest.csv links to the references, and each pair's scenario
"""

import csv
import dataclasses
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from processes import ONE_THREAD, Process, ProcessFailedError, Turn
from variants import MEASURE, Pair, Variant

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One restoration.

    Attributes:
        pair: What is restored.
        variant: By what.
        net_megapixels: What goes through the net, in 10^6 pixels; the input's own where there is no reduction.
        factor: The reduction, given or measured.
    """

    pair: Pair
    variant: Variant
    net_megapixels: float
    factor: int

    @property
    def expected_s(self) -> float:
        """Seconds on one core, by the restorer's description."""
        return self.variant.seconds_per_megapixel * self.net_megapixels


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What one restoration took.

    Attributes:
        wall_s: Seconds on the clock, reading and writing of the file not counted.
        cpu_s: Seconds of processor time.
        peak_mb: Highest resident size of the process and its children, in 10^6 bytes.
        notes: What the restorer measured and chose.
        taken_from: The variant whose restoration this is too; None if it was computed.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    notes: tuple[str, ...] = ()
    taken_from: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """The folder."""

    root: Path

    def restored(self, variant: Variant, pair: Pair) -> Path:
        """Give the path of a restored photograph."""
        return self.root / "restored" / variant.name / f"{pair.name}.png"

    def read(self, variant: Variant, pair: Pair) -> Record | None:
        """Give what a restoration took, None if it has not been made."""
        path = self._record(variant, pair)
        if not path.exists() or not self.restored(variant, pair).exists():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        return Record(**{**content, "notes": tuple(content["notes"])})

    def write(self, variant: Variant, pair: Pair, record: Record) -> None:
        """Keep what a restoration took, after its photograph is written."""
        write_whole(self._record(variant, pair), json.dumps(dataclasses.asdict(record), indent=1) + "\n")

    def _record(self, variant: Variant, pair: Pair) -> Path:
        return self.root / "records" / variant.name / f"{pair.name}.json"

    def link_references(self, pairs: Sequence[Pair]) -> None:
        """Gather the references of all scenarios in one folder, and their scenarios in a manifest."""
        folder = self.root / "reference"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for pair in pairs:
            (folder / pair.reference.name).symlink_to(pair.reference.resolve())
        with (self.root / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [("name", "scenario"), *((pair.name, pair.scenario) for pair in pairs)]
            )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def plan_jobs(
    pairs: Sequence[Pair], variants: Sequence[Variant], limit_mp: float
) -> tuple[list[Job], list[Job]]:
    """Give what is to be restored, variant by variant, and what is left out because the net's input is too large.

    The limit holds for large nets only (`Variant.is_slow`).
    """
    needs_measure = any(variant.reduction == MEASURE for variant in variants)
    measured = {pair.name: measure_factor(pair) for pair in pairs} if needs_measure else {}
    jobs = [make_job(pair, variant, measured) for variant in variants for pair in pairs]
    too_large = [job for job in jobs if job.variant.is_slow and job.net_megapixels > limit_mp]
    return [job for job in jobs if job not in too_large], too_large


def make_job(pair: Pair, variant: Variant, measured: Mapping[str, int]) -> Job:
    """Find a job's reduction and the size of its net's input."""
    factor = measured[pair.name] if variant.reduction == MEASURE else int(variant.reduction or 1)
    net = -(-pair.width // factor) * -(-pair.height // factor) / 1e6
    return Job(pair=pair, variant=variant, net_megapixels=net, factor=factor)


def measure_factor(pair: Pair) -> int:
    """Give the reduction that the restorers will measure."""
    from raim.images import read_image
    from raim.restore import Context
    from raim.restore.pixels import to_photograph
    from raim.restore.reduction import choose_factor

    return choose_factor(to_photograph(read_image(pair.input).pixels), Context())


def restore_all(jobs: Sequence[Job], store: Store, *, threads: int, stop_at: float | None) -> list[str]:
    """Make what is not there yet, one process for each variant.

    Args:
        jobs: Variant by variant.
        store: Where.
        threads: Of each restoration.
        stop_at: Reading of `time.monotonic` after which nothing further is begun.

    Returns:
        A sentence for each variant that failed.
    """
    failures = []
    for variant in dict.fromkeys(job.variant for job in jobs):
        missing = [
            job
            for job in jobs
            if job.variant == variant and store.read(variant, job.pair) is None and not take_known(job, store)
        ]
        if not missing or _is_over(stop_at):
            continue
        try:
            for job, turn in measure_jobs(missing, store, threads=threads, stop_at=stop_at):
                print(
                    f"{variant.name} {job.pair.name}: {turn.wall_s:.1f} s, {turn.peak_mb:.0f} MB", flush=True
                )
        except ProcessFailedError as error:
            failures.append(f"{variant.name}: {error}")
            print(failures[-1], flush=True)
    return failures


def _is_over(stop_at: float | None) -> bool:
    return stop_at is not None and time.monotonic() >= stop_at


def take_known(job: Job, store: Store) -> bool:
    """Take the restoration of the stated reduction where the measured one is the same and the net is slow."""
    if job.variant.reduction != MEASURE or not job.variant.is_slow:
        return False
    same = dataclasses.replace(job.variant, reduction=job.factor)
    record = store.read(same, job.pair)
    if record is None:
        return False
    target = store.restored(job.variant, job.pair)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(store.restored(same, job.pair), target)
    store.write(job.variant, job.pair, dataclasses.replace(record, taken_from=same.name))
    return True


def measure_jobs(
    jobs: Sequence[Job], store: Store, *, threads: int, stop_at: float | None
) -> Iterator[tuple[Job, Turn]]:
    """Restore in one fresh process; each result is kept before the next is begun.

    Raises:
        ProcessFailedError: If the process ends before it should.
    """
    variant = jobs[0].variant
    files = [
        (str(job.pair.input.resolve()), str(store.restored(variant, job.pair).resolve())) for job in jobs
    ]
    content = {
        "restorer": variant.restorer,
        "reduction": variant.reduction,
        "threads": threads,
        "files": files,
    }
    Path(files[0][1]).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="raim-benchmark-") as folder:
        description = Path(folder) / "jobs.json"
        description.write_text(json.dumps(content), encoding="utf-8")
        command = (sys.executable, str(HERE / "restoring_subject.py"), str(description))
        with Process(command, give_threads(threads)) as process:
            process.wait_until_ready()
            for job in jobs:
                if _is_over(stop_at):
                    return
                turn = process.take_turn()
                store.write(variant, job.pair, make_record(turn))
                yield job, turn


def make_record(turn: Turn) -> Record:
    """Keep of a turn what a restoration took."""
    return Record(wall_s=turn.wall_s, cpu_s=turn.cpu_s, peak_mb=turn.peak_mb, notes=tuple(turn.notes))


def give_threads(count: int) -> dict[str, str]:
    """Let every library take that many threads."""
    return dict.fromkeys(ONE_THREAD, str(count))
