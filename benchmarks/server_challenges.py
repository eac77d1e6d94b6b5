"""How fast a server of many challenges is: start, first page, boards, while two processes keep the processor busy.

    python benchmarks/server_challenges.py                  # 20 challenges, 1,000 teams, 3,000 scored entries, SQLite
    python benchmarks/server_challenges.py --postgresql     # on a PostgreSQL that is started for it (group `test`)

Two processes of the lowest priority compute without end meanwhile, as scoring does. Pages are asked for one after the
other by a few readers; then again after each of some changes, since a change lets one board be made anew.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import requests
from sqlalchemy import select

from raim.challenge import write_example
from raim.server.database import Challenge, announce_change, open_database
from raim.server.serving import open_server
from raim.server.settings import read_settings
from server_crowd import fill_board
from server_load import run_server, start_postgresql

FIRST_DAY = datetime.now(UTC).date() - timedelta(days=31)  # the phase of feedback is open
READERS = 4
CHANGES = 20


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--postgresql", action="store_true", help="start one (of the group `test`)")
    parser.add_argument("--database", help="PostgreSQL; SQLite without")
    parser.add_argument("--port", type=int, default=8767)
    parser.add_argument("--challenges", type=int, default=20)
    parser.add_argument("--teams", type=int, default=1000, help="in all")
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent, start_postgresql(options):
        ids = [f"challenge-{number}" for number in range(options.challenges)]
        for each in ids:
            write_example(
                Path(parent, each), first_day=FIRST_DAY, rng=np.random.default_rng(1), challenge_id=each
            )
        given = {"RAIM_DATABASE_URL": options.database} if options.database else {}
        settings = read_settings({"RAIM_KEEP_FREE_BYTES": "0"} | given, folder=Path(parent))
        opened = open_server(settings)
        for each in ids:
            fill_board(opened.server, options.teams // len(ids), entries=3, challenge_id=each)
        opened.server.database.engine.dispose()
        began = time.monotonic()
        with busy(2), run_server(settings, options.port) as server:
            print(f"start until the first answer: {time.monotonic() - began:.1f} s")
            boards = [f"/c/{each}/leaderboard/feedback" for each in ids]
            homes = [f"/c/{each}/" for each in ids]
            for what, paths in (("first page", ["/"]), ("challenges' pages", homes), ("boards", boards)):
                ask(server.address, paths, 2 * len(paths))
                show(what, ask(server.address, paths, options.requests))
            show("board after a change", after_changes(settings.database_url, server.address, ids))


@contextmanager
def busy(n: int) -> Iterator[None]:
    """Let processes of the lowest priority compute meanwhile."""
    command = ["nice", "-n", "19", sys.executable, "-c", "while True: sum(range(10**6))"]
    started = [subprocess.Popen(command) for _ in range(n)]
    try:
        yield
    finally:
        for each in started:
            each.kill()


def ask(address: str, paths: list[str], n: int) -> list[float]:
    """Ask for pages in turn, by a few readers; give the seconds of each answer."""

    def read(numbers: range) -> list[float]:
        seconds = []
        with requests.Session() as session:
            for number in numbers:
                began = time.perf_counter()
                answer = session.get(address + paths[number % len(paths)], timeout=60)
                seconds.append(time.perf_counter() - began)
                answer.raise_for_status()
        return seconds

    with ThreadPoolExecutor(READERS) as pool:
        return [
            each for part in pool.map(read, [range(k, n, READERS) for k in range(READERS)]) for each in part
        ]


def after_changes(url: str, address: str, ids: list[str]) -> list[float]:
    """Give the seconds of the first answer of a board after each of some changes of its challenge."""
    database, seconds = open_database(url), []
    for number in range(CHANGES):
        slug = ids[number % len(ids)]
        with database.writing() as session:
            announce_change(
                session, session.scalars(select(Challenge.id).where(Challenge.slug == slug)).one()
            )
        seconds += ask(address, [f"/c/{slug}/leaderboard/feedback"], 1)
    database.engine.dispose()
    return seconds


def show(what: str, seconds: list[float]) -> None:
    """Print the median, 99 % and the longest."""
    ninety_nine = statistics.quantiles(seconds, n=100)[98] if len(seconds) > 1 else seconds[0]
    print(
        f"| {what} | {len(seconds)} | {statistics.median(seconds) * 1e3:.0f} ms | {ninety_nine * 1e3:.0f} ms | "
        f"{max(seconds) * 1e3:.0f} ms |",
        flush=True,
    )


if __name__ == "__main__":
    main()
