"""What a deadline does to a server: many requests in one moment, and how long a small one (/robots.txt) then waits.

    python benchmarks/server_bursts.py                  # on SQLite
    python benchmarks/server_bursts.py --postgresql     # on a PostgreSQL that is started for it (group `test`)

Each burst is sent by as many threads at once, three times in a row: calls of the API with tokens that were not used for
long, so that each has something to write down; a team's list of submissions; and the download of a data set.
"""

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests
from sqlalchemy import update

from raim.server.database import ApiToken, Database, open_database
from raim.server.settings import read_settings
from server_load import HERE, fill, make_challenge, run_server, start_postgresql

API = f"/api/v1{HERE}"
# (what, path, how many at once)
BURSTS = (
    ("API calls, tokens not used for long", f"{API}/team", 30),
    ("a team's submissions", f"{API}/submissions", 40),
    ("downloads of a data set", f"{API}/data-sets/feedback-pairs/inputs.zip", 20),
)
ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a burst; times in milliseconds."""

    codes: Counter[int]
    slowest: float
    health: float


def main() -> None:
    """Run the bursts and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--postgresql", action="store_true", help="start one (of the group `test`)")
    parser.add_argument("--database", help="PostgreSQL; SQLite without")
    parser.add_argument("--port", type=int, default=8766)
    parser.add_argument("--teams", type=int, default=40)
    parser.add_argument(
        "--pairs", type=int, default=60, help="of 1 megapixel, in the data set that is downloaded"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent, start_postgresql(options):
        folder = Path(parent, "challenge")
        make_challenge(folder, pairs=options.pairs)
        settings = read_settings(
            {"RAIM_KEEP_FREE_BYTES": "0", "RAIM_PUBLIC_URL": f"http://127.0.0.1:{options.port}"}
            | ({"RAIM_DATABASE_URL": options.database} if options.database else {}),
            folder=folder,
        )
        tokens = fill(settings, teams=options.teams, uploads=options.teams)
        database = open_database(settings.database_url)
        print(
            "| burst | at once | answers | slowest | slowest /robots.txt meanwhile |\n|---|---:|---|---:|---:|"
        )
        with run_server(settings, options.port) as server:
            for what, path, n in BURSTS:
                for _ in range(ROUNDS):
                    age_tokens(database)
                    done = send(server.address, path, tokens, n)
                    codes = ", ".join(f"{count} x {code}" for code, count in sorted(done.codes.items()))
                    print(
                        f"| {what} | {n} | {codes} | {done.slowest:.0f} ms | {done.health:.0f} ms |",
                        flush=True,
                    )
        database.engine.dispose()


def age_tokens(database: Database) -> None:
    """Let all tokens look as if they were never used."""
    with database.writing() as session:
        session.execute(update(ApiToken).values(last_used_at=None))


def send(address: str, path: str, tokens: Sequence[str], n: int) -> Outcome:
    """Send n requests in one moment, and ask for /robots.txt all the while."""
    start, stop, waits = threading.Barrier(n + 1), threading.Event(), []

    def ask(token: str) -> tuple[int, float]:
        start.wait()
        began = time.perf_counter()
        answer = requests.get(
            address + path, headers={"Authorization": f"Bearer {token}"}, timeout=60, allow_redirects=False
        )
        return answer.status_code, 1000 * (time.perf_counter() - began)

    def watch() -> None:
        session = requests.Session()
        session.get(f"{address}/robots.txt", timeout=60)
        start.wait()
        while not stop.is_set():
            began = time.perf_counter()
            session.get(f"{address}/robots.txt", timeout=60).raise_for_status()
            waits.append(1000 * (time.perf_counter() - began))
            stop.wait(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(n) as pool:
        answers = [job.result() for job in [pool.submit(ask, tokens[i % len(tokens)]) for i in range(n)]]
    stop.set()
    watcher.join()
    return Outcome(
        codes=Counter(code for code, _ in answers),
        slowest=max(wait for _, wait in answers),
        health=max(waits),
    )


if __name__ == "__main__":
    main()
