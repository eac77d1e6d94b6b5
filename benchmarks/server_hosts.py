"""raim on many machines: two web hosts behind a proxy, PostgreSQL, S3 and three workers, which fail in turn under load.

    python benchmarks/server_hosts.py faults --times 3     needs root, Caddy, s3fs and localbucket (both of PyPI)
    python benchmarks/server_hosts.py pace                 submissions an hour with 1, 2 and 3 workers

The machines are network namespaces (hosts.py). Teams hand in, ask how it stands and open pages, while everything on a
host is killed with SIGKILL and started again, cables are cut, and half of the hosts run another version for a while.
In the end each submission that a team knows is accepted has to be there with its very bytes, scored once, with the
numbers of `raim score` on one machine.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from farm import NAMES, OWN, WEB, WORKERS, Farm, Plan, copy_source
from hosts import NoHostsError, make_hosts
from raim import __version__

OTHER_VERSION = "0.1.99"
AWAY_S = 5.0
LONGEST_S = 600.0
CUT_S = 20.0
SILENT_S = 75.0  # longer than a worker may be silent
COUNTED_S = 1.5  # PostgreSQL tells its counters once a second
IDLE_S = 15.0
VERSION_S = 20.0  # to come up, and do something
Fault = tuple[str, Callable[[], None]]


def main() -> None:
    """Run what is asked for; the exit status is the number of rounds with a fault."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["faults", "pace"])
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--storage", choices=["s3", "folder"], default="s3")
    parser.add_argument("--keep", type=Path, help="where the hosts' logs are kept")
    options = parser.parse_args()
    try:
        if options.what == "pace":
            measure_pace(options.storage)
        else:
            sys.exit(sum(bool(run_faults(options)) for _ in range(options.times)))
    except NoHostsError as error:
        sys.exit(str(error))


@contextmanager
def open_farm(plan: Plan, keep: Path | None = None) -> Iterator[Farm]:
    """Make all hosts, with nothing that runs on them yet."""
    with tempfile.TemporaryDirectory(prefix="raim-farm-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        (folder / "logs").mkdir()
        try:
            with make_hosts(NAMES, folder / "logs") as hosts:
                yield Farm(hosts, folder, plan)
        finally:
            if keep is not None:
                shutil.copytree(folder / "logs", keep, dirs_exist_ok=True)


def run_faults(options: argparse.Namespace) -> list[str]:
    """Let everything fail once under load; give what was wrong."""
    with open_farm(Plan(storage=options.storage), options.keep) as farm:
        found = play_round(farm, list_faults(farm))
    for answer, count in sorted(found["answers"].items()):
        print(f"          {count:5} {answer}")
    for fault in found["faults"]:
        print(f"          {fault}")
    faults: list[str] = found["faults"]
    return faults


def play_round(farm: Farm, faults: Sequence[Fault], *, workers: int = len(WORKERS)) -> dict[str, Any]:
    """Let teams take part while one thing after the other fails; give what was found in the end (farm_teams.py)."""
    began, begins = time.monotonic(), time.time()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    tell(f"load average {os.getloadavg()[0]:.1f}; the hosts start")
    farm.start_all(workers)
    teams = farm.begin("play")
    wait_for_scores(farm, 1)
    for what, fault in faults:
        tell(what)
        fault()
    tell("nothing fails any more")
    (farm.folder / "enough").touch()
    farm.expect("play", teams)
    farm.wait_for_database()
    farm.act("check")
    found: dict[str, Any] = json.loads((farm.folder / "checked.json").read_text(encoding="utf-8"))
    tell(f"{found['accepted']} accepted, {found['not reported']} more rows, {len(found['faults'])} faults; "
         f"longest time without a page {found['gap_s']:.1f} s, until {found['gap_ends'] - begins:.0f} s")  # fmt: skip
    return found


def kill(farm: Farm, host: str) -> Fault:
    """Return the fault that everything on a host is killed, and started again."""

    def fail() -> None:
        farm.hosts.kill(host)
        time.sleep(AWAY_S)
        farm.start(host)
        time.sleep(AWAY_S)

    return f"{host} is killed, and started again", fail


def unplug(farm: Farm, host: str, seconds: float) -> Fault:
    """Return the fault that nobody reaches a host for some time."""

    def fail() -> None:
        farm.hosts.cut(host)
        time.sleep(seconds)
        farm.hosts.repair(host)
        time.sleep(AWAY_S)

    return f"the cable of {host} is cut for {seconds:g} s", fail


def change(farm: Farm, hosts: Sequence[str], source: Path, version: str) -> Fault:
    """Return that some hosts go on with another version; the last is a worker, which says which it is."""

    def do() -> None:
        for host in hosts:
            farm.hosts.stop(host)
            farm.start(host, source=source)
        asked = "SELECT name || ' ' || version FROM worker_heartbeat WHERE stopped_at IS NULL"
        expected = f"{hosts[-1]} {version}"
        wait_until(lambda: expected in farm.read(asked), f"it is not {expected}", farm)
        time.sleep(VERSION_S)

    return f"{' and '.join(hosts)} run version {version}", do


def list_faults(farm: Farm) -> list[Fault]:
    """Return what fails, one after the other."""
    other = copy_source(farm.folder / "other", OTHER_VERSION)
    some = WEB[1], WORKERS[2]
    hosts = (WORKERS[0], WEB[0], "database", *(["s3"] if farm.plan.storage == "s3" else []))
    return [
        *(kill(farm, host) for host in hosts),
        change(farm, some, other, OTHER_VERSION),
        unplug(farm, WORKERS[1], SILENT_S),
        unplug(farm, WEB[0], CUT_S),
        unplug(farm, "database", CUT_S),
        change(farm, some, OWN, __version__),
    ]


def wait_for_scores(farm: Farm, n: int) -> None:
    """Wait until some submissions are scored."""
    wait_until(lambda: count_scored(farm) >= n, f"{n} are not scored", farm)


def wait_until(condition: Callable[[], bool], otherwise: str, farm: Farm) -> None:
    """Wait for something that comes in time, or end with what the last worker has printed."""
    end = time.monotonic() + LONGEST_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{otherwise}; the end of a worker's log:\n{farm.log(WORKERS[-1])}")
        time.sleep(0.2)


def count_scored(farm: Farm) -> int:
    """Count what is scored."""
    return int((farm.read("SELECT count(*) FROM submission WHERE state = 'scored'") or [0])[0])


def measure_pace(storage: str) -> None:
    """Print how many submissions an hour 1, 2 and 3 workers score, of those that wait, and what the database does."""
    plan = Plan(teams=6, each=6, open=7, storage=storage)  # none waits until others are scored
    in_all = plan.teams * plan.each
    print(
        "| workers | submissions an hour | images an hour | commits, and log, a submission | commits a second, idle |"
    )
    print("|---:|---:|---:|---:|---:|")
    for n_workers in range(1, len(WORKERS) + 1):
        with open_farm(plan) as farm:
            farm.start_all(workers=0)
            farm.expect("play", farm.begin("play"))
            for host in WORKERS[:n_workers]:
                farm.start(host)
            wait_for_scores(farm, in_all // 3)  # by then each has compiled what it compiles
            begun, scored = read_counters(farm), count_scored(farm)
            wait_for_scores(farm, in_all)
            before = read_counters(farm)
            seconds, commits, log_bytes = subtract(before, begun)
            done = in_all - scored
            time.sleep(IDLE_S)
            idle_s, idle, _ = subtract(read_counters(farm), before)
        hourly = done / seconds * 3600
        cost = f"{commits / done:.0f}, {log_bytes / done / 1000:.0f} kB"
        print(
            f"| {n_workers} | {hourly:.0f} | {hourly * plan.images:.0f} | {cost} | {idle / idle_s:.1f} |",
            flush=True,
        )
    print(f"load average at the end {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")


def read_counters(farm: Farm) -> tuple[float, ...]:
    """Return seconds of a clock, PostgreSQL's commits and the bytes of its log so far."""
    time.sleep(COUNTED_S)
    counted = (
        "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'",
        "SELECT wal_bytes FROM pg_stat_wal",
    )
    return time.monotonic(), *(float(farm.read(each)[0]) for each in counted)


def subtract(after: Sequence[float], before: Sequence[float]) -> tuple[float, ...]:
    """Return what has come between two readings."""
    return tuple(late - early for late, early in zip(after, before, strict=True))


if __name__ == "__main__":
    main()
