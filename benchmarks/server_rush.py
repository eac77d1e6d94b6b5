"""How a server holds when everybody comes at once: the last ten minutes before a deadline, and the opening of a phase.

    python benchmarks/server_rush.py deadline                 # on SQLite
    python benchmarks/server_rush.py opening --postgresql     # on a PostgreSQL that is started for it (group `test`)

`deadline`: 200 teams open pages, begin uploads of 50 MB and send their first 4 MB, and ask how their submissions
stand; 30 programs with tokens that were not used for long call the API; a minute of it. `opening`: 200 readers begin
to download a data set of 1 GB in one moment and go on for 120 s, while others open pages; what ten of the readers get
is compared with the file, byte by byte. The file of 1 GB is put in place of the data set's own zip.

Who asks runs in processes of their own, on the same processor. Two processes of the lowest priority compute
meanwhile, as scoring does.
"""

import argparse
import contextlib
import hashlib
import mmap
import multiprocessing
import os
import selectors
import socket
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import requests
from sqlalchemy import select

from raim.errors import NotReadyError
from raim.server.actions.logins import open_session
from raim.server.database import Member, User, open_database
from raim.server.jobs.bundles import find_bundle
from raim.server.settings import Settings, read_settings
from server_bursts import age_tokens
from server_challenges import busy, show
from server_load import HERE, Running, fill, make_challenge, open_server, run_server, start_postgresql

API = f"/api/v1{HERE}"
DATA_SET = "feedback-pairs"
SET_BYTES = 10**9
COMPARED = 10
UPLOAD_BYTES = 50 * 10**6
FIRST_BYTES = 4 * 2**20
PAGES = (f"{HERE}/", f"{HERE}/leaderboard", f"{HERE}/rules")
Times = list[tuple[str, int, float]]  # (what, status, seconds)


def main() -> None:
    """Run one of the two and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["deadline", "opening"])
    parser.add_argument("--postgresql", action="store_true", help="start one (of the group `test`)")
    parser.add_argument("--database", help="PostgreSQL; SQLite without")
    parser.add_argument("--port", type=int, default=8768)
    parser.add_argument("--teams", type=int, default=200, help="or readers")
    parser.add_argument("--seconds", type=float, help="60 of a deadline, 120 of an opening")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent, start_postgresql(options):
        folder = Path(parent, "challenge")
        make_challenge(folder, pairs=4)
        given = {"RAIM_KEEP_FREE_BYTES": "0", "RAIM_PUBLIC_URL": f"http://127.0.0.1:{options.port}"}
        given |= {"RAIM_DATABASE_URL": options.database} if options.database else {}
        settings = read_settings(given, folder=folder)
        tokens = fill(settings, teams=options.teams, uploads=options.teams)
        run = last_minutes if options.what == "deadline" else opening
        with run_server(settings, options.port) as server, busy(2):
            run(server, settings, tokens, options.seconds or (60 if options.what == "deadline" else 120))
            print(f"memory of the web process: {server.highest / 2**20:.0f} MiB at most")


def last_minutes(server: Running, settings: Settings, tokens: list[str], seconds: float) -> None:
    """Let teams do what they do before a deadline."""
    database = open_database(settings.database_url)
    age_tokens(database)
    database.engine.dispose()
    end = time.monotonic() + seconds
    with multiprocessing.Pool(2) as pool:
        halves = [pool.apply_async(be_teams, (server.address, tokens[part::2], end, 15)) for part in (0, 1)]
        show_times([each for half in halves for each in half.get()])


def be_teams(address: str, tokens: list[str], end: float, n_programs: int) -> Times:
    """Be some teams, and some programs, until a moment of the monotonic clock; give what each request took."""
    times: Times = []

    def ask(
        session: requests.Session, what: str, method: str, path: str, **options: object
    ) -> requests.Response:
        began = time.perf_counter()
        answer = session.request(method, address + path, timeout=60, allow_redirects=False, **options)  # type: ignore[arg-type]
        times.append((what, answer.status_code, time.perf_counter() - began))
        return answer

    def be_team(number: int) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {tokens[number]}"
        time.sleep(0.1 * (number % 100))
        begun = begin(session, number)
        while time.monotonic() < end:
            for path in PAGES:
                ask(session, "pages", "GET", path)
                time.sleep(2)
            ask(session, "status", "GET", f"{API}/submissions/{begun}/status")
            time.sleep(2)

    def begin(session: requests.Session, number: int) -> int:
        digest = hashlib.sha256(tokens[number].encode()).hexdigest()
        wanted = {
            "phase": "feedback",
            "kind": "scored",
            "file_name": "a.zip",
            "n_bytes": UPLOAD_BYTES,
            "sha256": digest,
        }
        started = ask(session, "begin an upload", "POST", f"{API}/submissions", json=wanted).json()
        first = os.urandom(FIRST_BYTES)
        headers = {
            "Upload-Offset": "0",
            "Content-Type": "application/offset+octet-stream",
            "Tus-Resumable": "1.0.0",
        }
        ask(session, "the first 4 MB", "PATCH", started["upload"]["url"], data=first, headers=headers)
        found: int = started["submission"]["id"]
        return found

    def be_program(number: int) -> None:
        headers = {"Authorization": f"Bearer {tokens[number]}"}
        while time.monotonic() < end:
            with requests.Session() as session:
                session.headers.update(headers)
                ask(session, "API calls", "GET", f"{API}/team")
            time.sleep(5)

    with ThreadPoolExecutor(len(tokens) + n_programs) as pool:
        jobs = [pool.submit(be_team, number) for number in range(len(tokens))]
        jobs += [pool.submit(be_program, number % len(tokens)) for number in range(n_programs)]
        for job in jobs:
            job.result()
    return times


def log_in(settings: Settings) -> list[str]:
    """Give what browsers that are logged in send, of each person."""
    database = open_database(settings.database_url)
    now = datetime.now(UTC)
    with database.writing() as session:
        users = session.scalars(select(User).join(Member, Member.user_id == User.id).order_by(User.id)).all()
        cookies = [open_session(session, now, user, hours=12) for user in users]
    database.engine.dispose()
    return cookies


def opening(server: Running, settings: Settings, tokens: list[str], seconds: float) -> None:
    """Let readers download in one moment, and others open pages meanwhile."""
    path = bundle_of(settings)
    with path.open("wb") as file:
        for _ in range(SET_BYTES // 10**6):
            file.write(os.urandom(10**6))
    ours, theirs = multiprocessing.Pipe()
    given = (theirs, server.address, log_in(settings), path, seconds)
    reader = multiprocessing.Process(target=download, args=given)
    reader.start()
    times: Times = []
    watchers = [threading.Thread(target=open_pages, args=(server.address, times, seconds)) for _ in range(4)]
    for each in watchers:
        each.start()
    n_bytes, n_wrong, codes = ours.recv()
    for each in watchers:
        each.join()
    reader.join()
    print(f"{len(tokens)} downloads: answers {dict(codes)}, {n_bytes / seconds / 1e6:.0f} MB a second in all, "
          f"{n_wrong} wrong bytes in {COMPARED} of them")  # fmt: skip
    show_times(times)


def bundle_of(settings: Settings) -> Path:
    """Wait until the server has made the zip of the data set, and give where it lies."""
    opened = open_server(settings).server
    try:
        while True:
            with contextlib.suppress(NotReadyError), opened.database.reading() as session:
                row_id = opened.challenge(session).data_set_ids[DATA_SET]
                return find_bundle(session, settings.folder, row_id, "input")
            time.sleep(1)
    finally:
        opened.database.engine.dispose()


def download(pipe: Connection, address: str, cookies: list[str], path: Path, seconds: float) -> None:
    """Read a download of each person until the time is over; tell bytes, wrong bytes, status codes."""
    host, _, port = address.removeprefix("http://").partition(":")
    end, chosen = time.monotonic() + seconds, selectors.DefaultSelector()
    for number, cookie in enumerate(cookies):
        line = socket.create_connection((host, int(port)))
        line.sendall(
            f"GET {HERE}/data-sets/{DATA_SET}/inputs.zip HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Cookie: raim_session={cookie}\r\n\r\n".encode()
        )
        line.setblocking(False)
        chosen.register(line, selectors.EVENT_READ, {"number": number, "head": b"", "got": 0})
    total, wrong, codes = 0, 0, Counter[str]()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        while (left := end - time.monotonic()) > 0 and chosen.get_map():
            for key, _ in chosen.select(left):
                state, chunk = key.data, key.fileobj.recv(2**20)  # type: ignore[union-attr]
                if not chunk:
                    chosen.unregister(key.fileobj)
                    continue
                if b"\r\n\r\n" not in state["head"]:
                    state["head"] += chunk
                    head, found, chunk = state["head"].partition(b"\r\n\r\n")
                    if not found:
                        continue
                    codes[head.split(b" ")[1].decode()] += 1
                start = state["got"]
                state["got"] = start + len(chunk)
                total += len(chunk)
                if state["number"] < COMPARED and whole[start : start + len(chunk)] != chunk:
                    wrong += len(chunk)
    pipe.send((total, wrong, codes))


def open_pages(address: str, times: Times, seconds: float) -> None:
    """Open pages, one after the other, a second apart."""
    end = time.monotonic() + seconds
    with requests.Session() as session:
        while time.monotonic() < end:
            for path in PAGES:
                began = time.perf_counter()
                code = session.get(address + path, timeout=60).status_code
                times.append(("pages", code, time.perf_counter() - began))
                time.sleep(0.3)


def show_times(times: Times) -> None:
    """Print how long each kind of request took, and what was answered."""
    print("| what | requests | median | 99 % | longest |\n|---|---:|---:|---:|---:|")
    for what in dict.fromkeys(what for what, _, _ in times):
        show(what, [seconds for each, _, seconds in times if each == what])
        codes = Counter(code for each, code, _ in times if each == what)
        print(f"  answers to {what}: {dict(codes)}")


if __name__ == "__main__":
    main()
