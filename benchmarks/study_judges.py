"""Eighteen judges at once: how soon a vote is stored, how soon a trial is there, while all of them look and vote.

    python benchmarks/study_judges.py                     18 judges, 9 entries, 12-megapixel photographs, on SQLite
    python benchmarks/study_judges.py --postgresql        the same on a PostgreSQL that is started for it
    python benchmarks/study_judges.py --browser           also one judge in Chromium: time to a shown trial, memory
    python benchmarks/study_judges.py --kill              also kills the server in the middle and counts the votes

A server is started as `raim serve` starts it; its worker makes the tiles. Judges speak the protocol of the judge's
page: the trial, the tiles that a screen of 1920x1080 shows (the whole picture of ten viewers, then three at 1:1), the
vote, a change of every fifth vote. They think for `--think` seconds between trials, out of step.
"""

import argparse
import contextlib
import io
import multiprocessing
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import requests
from sqlalchemy import func, select

from raim.challenge import StudyRule, write_example
from raim.images import write_image
from raim.server.database import Judge, Study, StudyImage, Vote
from raim.server.serving import open_server
from raim.server.settings import Settings, read_settings
from raim.server.study.building import build_study, propose_study
from raim.server.study.closing import open_study
from raim.server.study.judges import invite_judge
from raim.server.web.server import WebServer
from server_load import HERE, Running, run_server, start_postgresql
from study_browser import judge_in_browser
from study_teams import enter_finalists

TILES_WAIT_S = 1800
VIEW_PX = (620, 420)  # of one of ten viewers on a screen of 1920x1080
LARGE_PX = (640, 900)  # of one of three at 1:1
SCREEN = {
    "window_width": 1920,
    "window_height": 1000,
    "screen_width": 1920,
    "screen_height": 1080,
    "pixel_ratio": 1.0,
    "zoom_percent": 100,
    "colour_depth": 24,
    "gamut": "srgb",
    "has_mouse": True,
    "dark_patches": [8, 8],
    "bright_patches": [8, 8],
    "colours_right": True,
}


@dataclass
class Measured:
    """Seconds of every request, by what it was for."""

    vote: list[float] = field(default_factory=list)
    trial: list[float] = field(default_factory=list)
    tile: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def main() -> None:
    """Run the benchmark and print its tables."""
    options = read_options()
    with tempfile.TemporaryDirectory(dir=options.folder) as parent, start_postgresql(options):
        folder = Path(parent, "challenge")
        make_challenge(folder, options)
        settings = read_settings(
            {"RAIM_KEEP_FREE_BYTES": "0", "RAIM_PUBLIC_URL": f"http://127.0.0.1:{options.port}"}
            | ({"RAIM_DATABASE_URL": options.database} if options.database else {}),
            folder=folder,
        )
        server = open_server(settings).server
        study_id = make_study(server, options)
        with run_server(settings, options.port) as running:
            wait_for_tiles(server, study_id)
            links = open_and_invite(server, study_id, options.judges + 1)
            judge_all(running, links[1:], options)
            if options.browser:
                begin(running.address, links[0])
                judge_in_browser(running, links[0])
        if options.kill:
            judge_through_a_kill(settings, server, study_id, options)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="PostgreSQL; SQLite without")
    parser.add_argument("--postgresql", action="store_true", help="start one (of the group `test`)")
    parser.add_argument("--folder", type=Path, help="where to work; needs a few gigabytes")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--judges", type=int, default=18)
    parser.add_argument("--entries", type=int, default=9)
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--width", type=int, default=4000)
    parser.add_argument("--height", type=int, default=3000)
    parser.add_argument("--think", type=float, default=4.0, help="mean seconds between trials")
    parser.add_argument("--browser", action="store_true", help="also in Chromium")
    parser.add_argument("--kill", action="store_true", help="also with a kill in the middle")
    return parser.parse_args()


def make_challenge(folder: Path, options: argparse.Namespace) -> None:
    """Write the example challenge, its final open now, with large photographs."""
    rng = np.random.default_rng(2024)
    first = datetime.now(UTC).date() - timedelta(days=47)
    write_example(folder, first_day=first, rng=rng)
    place = folder / "data" / "final-unpaired"
    rows = ["name,issue,width,height"]
    for old in (place / "input").iterdir():
        old.unlink()
    for number in range(options.images):
        pixels = draw_photograph(rng, options.width, options.height)
        write_image(place / "input" / f"{number:04d}.jpg", pixels)
        rows.append(f"{number:04d},texture,{options.width},{options.height}")
    (place / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def draw_photograph(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Draw something that compresses about as photographs do: soft shapes with fine grain."""
    coarse = rng.integers(30, 225, (height // 100 + 2, width // 100 + 2, 3)).astype(np.float32)
    soft = np.kron(coarse, np.ones((100, 100, 1), np.float32))[:height, :width]
    soft += rng.normal(0, 2, (height, width, 1)).astype(np.float32)
    return np.clip(np.rint(soft), 0, 255).astype(np.uint8)


def make_study(server: WebServer, options: argparse.Namespace) -> int:
    """Enter finalists and build the study of their images."""
    inputs = server.settings.folder / "data" / "final-unpaired" / "input"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(inputs.iterdir()):
            archive.write(path, path.name)
    enter_finalists(server, options.entries, packed.getvalue())
    now = server.clock()
    with server.database.writing() as session:
        challenge = server.challenge(session)
        proposal = propose_study(session, challenge, challenge.definition.phase("final"))
        rule = StudyRule(phase="final", judges=options.judges)
        study = build_study(
            session, now, challenge, proposal, title="Benchmark", rule=rule, seed=2024, actor_id=None
        )
        return study.id


def wait_for_tiles(server: WebServer, study_id: int) -> None:
    """Wait for the worker's job, and say how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < TILES_WAIT_S:
        with server.database.reading() as session:
            rows = session.execute(
                select(StudyImage.pack_bytes, StudyImage.error).where(StudyImage.study_id == study_id)
            ).all()
        faults = [error for _, error in rows if error]
        if faults:
            raise SystemExit(f"tiles could not be made: {faults[0]}")
        if all(n_bytes for n_bytes, _ in rows):
            size = sum(n_bytes for n_bytes, _ in rows)
            print(f"tiles of {len(rows)} images: {time.monotonic() - began:.0f} s, {size / 1e6:.0f} MB")
            return
        time.sleep(0.5)
    raise SystemExit("the tiles did not come")


def open_and_invite(server: WebServer, study_id: int, n_judges: int) -> list[str]:
    """Open the study and give the judges' links."""
    now = server.clock()
    with server.database.writing() as session:
        study = session.get_one(Study, study_id)
        if study.state == "draft":
            open_study(session, now, study, actor_id=None)
        return [
            invite_judge(session, now, study, name=f"Judge {number}", actor_id=None)[1]
            for number in range(n_judges)
        ]


def judge_all(running: Running, links: list[str], options: argparse.Namespace) -> None:
    """Let all judges vote at once, and print what they waited for."""
    measured, running.highest = Measured(), 0
    began = time.monotonic()
    # A process each, as browsers are: threads of one Python would wait for each other.
    with ProcessPoolExecutor(len(links), mp_context=multiprocessing.get_context("fork")) as pool:
        waiting = [
            pool.submit(judge, running.address, link, seed, options) for seed, link in enumerate(links)
        ]
        for each in waiting:
            found = each.result()
            for name in ("vote", "trial", "tile", "shown", "failures"):
                getattr(measured, name).extend(getattr(found, name))
    print(
        f"{len(links)} judges at once, {options.entries} candidates, {options.width}x{options.height}: ",
        end="",
    )
    print(
        f"{len(measured.vote)} votes in {time.monotonic() - began:.0f} s, {len(measured.failures)} failures"
    )
    for name in ("vote", "trial", "tile", "shown"):
        print_times(name, getattr(measured, name))
    for failure in sorted(set(measured.failures)):
        print(f"  failed: {failure}")
    print(f"  memory of the web process: {running.highest / 2**20:.0f} MiB at most")


def print_times(name: str, seconds: list[float]) -> None:
    """Print the distribution of times."""
    if len(seconds) < 2:
        return
    cuts = statistics.quantiles(seconds, n=100)
    print(
        f"  {name:6s} n {len(seconds):6d}  median {cuts[49] * 1e3:7.1f} ms  95 % {cuts[94] * 1e3:7.1f} ms  "
        f"99 % {cuts[98] * 1e3:7.1f} ms  longest {max(seconds) * 1e3:7.1f} ms"
    )


def judge(address: str, link: str, seed: int, options: argparse.Namespace) -> Measured:
    """Do what a judge's browser does, from the link to the last vote; give what was waited for."""
    measured = Measured()
    rng = random.Random(seed)  # noqa: S311 - a simulation
    session = begin(address, link)
    position, total = 1, 1
    while position <= total:
        time.sleep(rng.uniform(0.5, 1.5) * options.think)
        began = time.perf_counter()
        trial = ask(
            session, f"{address}/api/v1{HERE}/judging/trials/voting/{position}", measured, "trial"
        ).json()
        total = trial["total"]
        look(session, address, trial, measured)
        measured.shown.append(time.perf_counter() - began)
        for _ in range(2 if position % 5 == 0 else 1):
            labels = [each["label"] for each in trial["candidates"]]
            body = {
                "choice": rng.sample(labels, trial["n_picks"]),
                "ratings": {},
                "reasons": {},
                "regions": [],
                "seconds": 3.0,
            }
            url = f"{address}/api/v1{HERE}/judging/trials/voting/{position}"
            ask(session, url, measured, "vote", method="POST", json=body)
        position += 1
    return measured


def begin(address: str, link: str) -> requests.Session:
    """Open a judge's link as a browser does; give the session."""
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    session.post(f"{address}{HERE}/judge/{link}", timeout=60)
    session.post(f"{address}/api/v1{HERE}/judging/screen", json=SCREEN, timeout=60).raise_for_status()
    session.post(f"{address}{HERE}/judging/instructions", timeout=60)
    return session


def look(session: requests.Session, address: str, trial: dict, measured: Measured) -> None:
    """Load the tiles of the first view: the whole picture everywhere, then three candidates at 1:1."""
    image, tile = trial["image"], trial["image"]["tile"]
    whole = next(
        number
        for number, level in reversed(list(enumerate(image["levels"])))
        if level["width"] >= VIEW_PX[0] or level["height"] >= VIEW_PX[1] or number == 0
    )
    sources = [trial["input"]["tiles"], *(each["tiles"] for each in trial["candidates"])]
    wanted = [(source, whole, *place) for source in sources for place in places(image["levels"][whole], tile)]
    across, down = (-(-length // tile) for length in LARGE_PX)
    wanted += [
        (each["tiles"], 0, column, row)
        for each in trial["candidates"][:3]
        for column in range(min(across, -(-image["width"] // tile)))
        for row in range(min(down, -(-image["height"] // tile)))
    ]
    for source, level, column, row in wanted:
        ask(session, f"{address}{source}/{level}/{column}_{row}.png", measured, "tile")


def places(level: dict, tile: int) -> list[tuple[int, int]]:
    """Give the tiles of a level."""
    return [
        (column, row)
        for column in range(-(-level["width"] // tile))
        for row in range(-(-level["height"] // tile))
    ]


def ask(
    session: requests.Session,
    url: str,
    measured: Measured,
    what: str,
    *,
    method: str = "GET",
    **options: object,
) -> requests.Response:
    """Ask, and remember how long it took."""
    began = time.perf_counter()
    answer = session.request(method, url, timeout=60, **options)
    getattr(measured, what).append(time.perf_counter() - began)
    if not answer.ok:
        measured.failures.append(f"{what} {answer.status_code}: {answer.text[:200]}")
    return answer


def judge_through_a_kill(
    settings: Settings, server: WebServer, study_id: int, options: argparse.Namespace
) -> None:
    """Kill the server while everybody votes, start it again, and count that every confirmed vote is there."""
    links = open_and_invite(server, study_id, options.judges)
    confirmed: list[tuple[str, int]] = []
    lock, stop = threading.Lock(), threading.Event()

    def vote_on(link: str) -> None:
        session = None
        position, total = 1, 1
        while position <= total and not stop.is_set():
            try:
                if session is None:
                    session = begin(f"http://127.0.0.1:{options.port}", link)
                url = f"http://127.0.0.1:{options.port}/api/v1{HERE}/judging/trials/voting/{position}"
                trial = session.get(url, timeout=60).json()
                body = {
                    "choice": [trial["candidates"][0]["label"]],
                    "ratings": {},
                    "reasons": {},
                    "regions": [],
                }
                total = trial["total"]
                answer = session.post(url, json=body | {"seconds": 1.0}, timeout=60)
                answer.raise_for_status()
            except (requests.RequestException, KeyError, ValueError):
                time.sleep(0.3)
                continue
            with lock:
                confirmed.append((link, position))
            position += 1
            time.sleep(0.05)

    with server.database.reading() as session:
        before = session.scalar(select(func.count(Vote.id))) or 0
        n_judges = session.scalar(select(func.count(Judge.id)).where(Judge.study_id == study_id))
    with ThreadPoolExecutor(len(links)) as pool:
        with run_server(settings, options.port) as running:
            waiting = [pool.submit(vote_on, link) for link in links]
            while len(confirmed) < 2 * len(links):
                time.sleep(0.01)
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
            at_kill = len(confirmed)
        with run_server(settings, options.port):
            for each in waiting:
                with contextlib.suppress(requests.RequestException):
                    each.result()
    with server.database.reading() as session:
        after = session.scalar(select(func.count(func.distinct(Vote.trial_id)))) or 0
    print(
        f"kill -9 in the middle: {at_kill} votes confirmed before, {len(confirmed)} after the restart, ",
        end="",
    )
    print(f"{after} trials with a vote in the database ({before} rows before, {n_judges} judges)")


if __name__ == "__main__":
    sys.exit(main())
