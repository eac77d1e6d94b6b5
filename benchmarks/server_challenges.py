"""How fast a server of many challenges is: start, pages, lists, polls, while two processes keep it busy.

    python benchmarks/server_challenges.py                  # 20 challenges, 1,000 teams, 3,000 scored entries, SQLite
    python benchmarks/server_challenges.py --postgresql     # on a PostgreSQL that is started for it (group `test`)

Each entry has 100 images; 600 more submissions wait to be scored. Two processes of the lowest priority compute without
end meanwhile, as scoring does. Pages are asked for one after the other by a few readers, polls also as often as the
pages of 600 people ask; boards once more after each of some changes, since a change lets one be made anew; an
organiser's list from its first page to its last. The files of a checked submission are compared with those of all
others.
"""

import argparse
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import requests
from sqlalchemy import select

from raim.challenge import write_example
from raim.server.actions.logins import open_session
from raim.server.database import Challenge, Submission, Team, User, announce_change, open_database
from raim.server.jobs.flags import flag_files
from raim.server.serving import open_server
from raim.server.settings import read_settings
from raim.server.web.server import WebServer
from server_crowd import fill_board
from server_load import run_server, start_postgresql

FIRST_DAY = datetime.now(UTC).date() - timedelta(days=31)  # the phase of feedback is open
READERS = 4
WAITING = 600
CHANGES = 20
POLLS = 100  # a second: 600 tabs that ask every six


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
            n_waiting = WAITING // len(ids)
            fill_board(
                opened.server,
                options.teams // len(ids),
                entries=3,
                waiting=n_waiting,
                n_images=100,
                challenge_id=each,
            )
        administrator, waiting = make_people(opened.server)
        show("files of one compared with all", compare_files(opened.server))
        opened.server.database.engine.dispose()
        began = time.monotonic()
        with busy(2), run_server(settings, options.port, "--no-worker") as server:
            print(f"start until the first answer: {time.monotonic() - began:.1f} s")
            boards = [f"/c/{each}/leaderboard/feedback" for each in ids]
            homes = [f"/c/{each}/" for each in ids]
            for what, paths in (("first page", ["/"]), ("challenges' pages", homes), ("boards", boards)):
                ask(server.address, paths, 2 * len(paths))
                show(what, ask(server.address, paths, options.requests))
            show("board after a change", after_changes(settings.database_url, server.address, ids))
            lists = [path for each in ids for path in list_pages(server.address, each, administrator)]
            desks = [f"/c/{each}/desk" for each in ids]
            show("pages of organisers' lists", ask(server.address, lists, 400, administrator))
            show("desks", ask(server.address, desks, 400, administrator))
            show("administrators' page", ask(server.address, ["/admin"], 200, administrator))
            show("status of what waits", ask(server.address, waiting, options.requests, administrator))
            tabs = ask(server.address, waiting, options.requests, administrator, per_second=POLLS)
            show(f"the same, {POLLS} a second", tabs)


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


def make_people(server: WebServer) -> tuple[str, list[str]]:
    """Make an administrator; give who is logged in and the addresses that tell how waiting submissions stand."""
    with server.database.writing() as session:
        user = session.scalars(select(User)).first()
        if user is None:
            raise SystemExit("nobody is there")
        user.is_administrator = True
        cookie = open_session(session, server.clock(), user, hours=12)
        rows = session.execute(
            select(Challenge.slug, Submission.id)
            .join(Team, Team.challenge_id == Challenge.id)
            .join(Submission, Submission.team_id == Team.id)
            .where(Submission.state == "queued")
        )
        return cookie, [f"/c/{slug}/submissions/{number}/status" for slug, number in rows]


def compare_files(server: WebServer) -> list[float]:
    """Give the seconds that comparing the images of a submission with all others takes, as its check does."""
    seconds = []
    with server.database.reading() as session:
        for row in session.scalars(select(Submission).limit(50)):
            began = time.perf_counter()
            flag_files(session, row)
            seconds.append(time.perf_counter() - began)
    return seconds


def list_pages(address: str, slug: str, cookie: str) -> list[str]:
    """Give the addresses of all pages of an organiser's list."""
    found, page = [], ""
    while not found or page:
        path = f"/c/{slug}/desk/submissions?page={page}"
        found.append(path)
        answer = requests.get(f"{address}/api/v1{path}", cookies={"raim_session": cookie}, timeout=60)
        page = answer.json()["next_page"]
    return found


def ask(address: str, paths: list[str], n: int, cookie: str = "", *, per_second: float = 0) -> list[float]:
    """Ask for pages in turn, by a few readers; give the seconds of each answer.

    Readers are processes that compute little, since they share the processor with what is measured. They ask one after
    the other without a pause, or altogether so often a second.
    """
    shares = [(address, paths, range(k, n, READERS), cookie, per_second / READERS) for k in range(READERS)]
    with multiprocessing.Pool(READERS) as pool:
        return [each for part in pool.starmap(read, shares) for each in part]


def read(address: str, paths: list[str], numbers: range, cookie: str, per_second: float) -> list[float]:
    """Be one reader."""
    host, _, port = address.removeprefix("http://").partition(":")
    connection = HTTPConnection(host, int(port), timeout=60)
    headers = {"Cookie": f"raim_session={cookie}"} if cookie else {}
    seconds = []
    for number in numbers:
        began = time.perf_counter()
        connection.request("GET", paths[number % len(paths)], headers=headers)
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - began)
        if answer.status != HTTPStatus.OK:
            raise SystemExit(f"{paths[number % len(paths)]} is answered by {answer.status}")
        if per_second:
            time.sleep(max(0.0, 1 / per_second - seconds[-1]))
    connection.close()
    return seconds


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
