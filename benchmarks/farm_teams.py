"""What happens on the teams' host of a farm: a challenge is made, teams take part, all that came of it is checked.

    python farm_teams.py prepare|play|check FOLDER ADDRESS TEAMS EACH IMAGES OPEN

`play` goes on until each team has handed in all, or two and the file `enough` is there; `played.json` and
`checked.json` tell what was seen.
"""

import hashlib
import json
import os
import sys
import threading
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import requests
from sqlalchemy import select

from raim.client import Server as Remote
from raim.client import submit
from raim.errors import RaimError
from raim.images import read_image, write_image
from raim.scoring import score_folders
from raim.server.actions.tokens import make_api_token
from raim.server.database import AuditEvent, EntryResult, Member, Result, Submission, User, open_database
from raim.server.serving import open_server
from raim.server.settings import read_settings
from raim.server.storage import open_storage, read_stored_file
from server_crowd import fill_board
from server_load import HERE, README, make_challenge, wait_until_ready

PAGES = (f"{HERE}/", f"{HERE}/leaderboard", f"{HERE}/rules")
REFERENCES = Path("data/feedback-pairs/reference")
ENDED = ("scored", "refused", "failed", "withdrawn", "abandoned", "accepted")
LONGEST_S = 600.0
SIDE = 208  # pixels, the fewest for every measure of raim-2024
PAUSE_S, WAIT_S = 0.5, 5.0
AT_LEAST = 2  # submissions of each team
TRIES = "tries_per_day = 5, tries_in_all = 60"


@dataclass(frozen=True, kw_only=True, slots=True)
class Teams:
    """Where and who: a folder that all hosts see, the server's address, and the numbers of the farm's plan."""

    folder: Path
    address: str
    teams: int
    each: int
    images: int
    open: int

    def archive(self, team: int, number: int) -> Path:
        """Give where a team's zip lies."""
        return self.folder / f"archives/{team}-{number}.zip"


def prepare(given: Teams) -> None:
    """Make the challenge, teams with tokens, and what they hand in: the references with noise of their own."""
    challenge = given.folder / "challenge"
    make_challenge(challenge, pairs=given.images, side=SIDE)
    toml = challenge / "challenge.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace(TRIES, TRIES.replace("5", "1000")), encoding="utf-8")
    opened = open_server(read_settings(os.environ, folder=challenge))
    fill_board(opened.server, given.teams, entries=0)
    with opened.server.database.writing() as session:
        users = session.scalars(select(User).join(Member, Member.user_id == User.id).order_by(User.id)).all()
        tokens = [make_api_token(session, opened.server.clock(), user, name="benchmark") for user in users]
    opened.server.database.engine.dispose()
    (given.folder / "tokens.json").write_text(json.dumps(tokens), encoding="utf-8")
    (given.folder / "archives").mkdir()
    references = [read_image(path).pixels for path in sorted((challenge / REFERENCES).iterdir())]
    for team in range(given.teams):
        for number in range(given.each):
            _write_archive(given.archive(team, number), references, np.random.default_rng([team, number]))


def _write_archive(path: Path, references: list[Any], rng: np.random.Generator) -> None:
    made = path.with_suffix(".png")
    with zipfile.ZipFile(path, "w") as archive:
        for number, pixels in enumerate(references):
            noisy = np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
            write_image(made, noisy)
            archive.write(made, f"{number:04d}.png")
        archive.writestr("readme.txt", README)
    made.unlink()


@dataclass(slots=True)
class Seen:
    """What was seen: accepted submissions with their zips, answers by what was asked, the longest time without a page.

    `gap_s` are its seconds, `gap_ends` when it ended, by the machine's clock.
    """

    accepted: dict[int, Path] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    gap_s: float = 0.0
    gap_ends: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, answer: object) -> None:
        """Count an answer."""
        with self.lock:
            self.answers[f"{what}: {answer}"] += 1


def play(given: Teams) -> None:
    """Be all teams, and somebody who opens a page each second."""
    wait_until_ready(given.address)
    tokens = json.loads((given.folder / "tokens.json").read_text(encoding="utf-8"))
    seen, end = Seen(), threading.Event()
    with ThreadPoolExecutor(given.teams + 1) as pool:
        watching = pool.submit(watch, given, seen, end)
        for job in [pool.submit(be_team, given, seen, team, token) for team, token in enumerate(tokens)]:
            job.result()
        end.set()
        watching.result()
    record = {
        "accepted": {key: str(path) for key, path in seen.accepted.items()},
        "answers": seen.answers,
        "gap_s": seen.gap_s,
        "gap_ends": seen.gap_ends,
    }
    (given.folder / "played.json").write_text(json.dumps(record), encoding="utf-8")


def watch(given: Teams, seen: Seen, end: threading.Event) -> None:
    """Open a page each second, and find the longest time in which none came."""
    last = time.time()
    with requests.Session() as session:
        while not end.wait(1.0):
            answer = get(session, given.address + PAGES[0])
            seen.note("page a second", answer.status_code if answer is not None else "none")
            if answer is not None and answer.ok:
                now = time.time()
                if now - last > seen.gap_s:
                    seen.gap_s, seen.gap_ends = now - last, now
                last = now


def be_team(given: Teams, seen: Seen, team: int, token: str) -> None:
    """Hand in one zip after the other, ask how they stand, open pages."""
    remote = Remote(url=given.address, token=token, challenge=HERE.rpartition("/")[2])
    waiting: list[int] = []
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        for number in range(given.each):
            if number >= AT_LEAST and (given.folder / "enough").exists():
                return
            path = given.archive(team, number)
            waiting.append(hand_in(remote, path, seen))
            with seen.lock:
                seen.accepted[waiting[-1]] = path
            while True:
                look(given, session, seen, waiting)
                if len(waiting) < given.open or (given.folder / "enough").exists():
                    break


def hand_in(remote: Remote, path: Path, seen: Seen) -> int:
    """Hand in a zip, again and again until it is accepted; give its number."""
    end = time.monotonic() + LONGEST_S
    while True:
        try:
            found = submit(remote, path, kind="scored").id
        except RaimError as error:
            seen.note("hand in", type(error).__name__)
            if time.monotonic() > end:
                raise
            time.sleep(1)
        else:
            seen.note("hand in", "accepted")
            return found


def look(given: Teams, session: requests.Session, seen: Seen, waiting: list[int]) -> None:
    """Open each page, and ask for each submission that waits; those that have ended wait no more."""
    for path in PAGES:
        answer = get(session, given.address + path)
        seen.note("page", answer.status_code if answer is not None else "none")
        time.sleep(PAUSE_S)
    for number in list(waiting):
        answer = get(session, f"{given.address}/api/v1{HERE}/submissions/{number}/status")
        seen.note("status", answer.status_code if answer is not None else "none")
        if answer is not None and answer.ok and answer.json()["state"] in ENDED:
            waiting.remove(number)


def get(session: requests.Session, url: str) -> requests.Response | None:
    """Ask once; nothing if there is no answer."""
    try:
        return session.get(url, timeout=WAIT_S)
    except requests.RequestException:
        return None


def check(given: Teams) -> None:
    """Wait until all has ended, then find what is not as it has to be."""
    settings = read_settings(os.environ, folder=given.folder / "challenge")
    database, storage = open_database(settings.database_url), open_storage(settings.storage_url)
    played = json.loads((given.folder / "played.json").read_text(encoding="utf-8"))
    accepted = {int(key): Path(path) for key, path in played["accepted"].items()}
    begun, end = time.monotonic(), time.monotonic() + LONGEST_S
    while True:
        with database.reading() as session:
            open_ones = session.scalars(select(Submission.id).where(Submission.state.not_in(ENDED))).all()
        if not open_ones or time.monotonic() > end:
            break
        time.sleep(0.5)
    faults = [f"submission {number} has not ended" for number in open_ones]
    with database.reading() as session:
        rows = {row.id: row for row in session.scalars(select(Submission))}
        scores: dict[int, list[float | None]] = {number: [] for number in rows}
        for number, score in session.execute(select(EntryResult.submission_id, EntryResult.score)):
            scores[number].append(score)
        n_results = Counter(session.scalars(select(Result.submission_id)))
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "change state")).all()
        n_scored = Counter(each.subject_id for each in events if each.details.get("after") == "scored")
    names = list(map(str, accepted))
    table = score_folders(list(accepted.values()), given.folder / "challenge" / REFERENCES, names=names)
    alone = {int(entry.name): entry.mean["score"] for entry in table.entries}
    for number, path in accepted.items():
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        found = [
            "is lost" if number not in rows else "",
            f"is {rows[number].state}" if number in rows and rows[number].state != "scored" else "",
            "has other bytes" if b"".join(read_stored_file(storage, sha256)) != content else "",
            f"was scored {n_scored[number]} times" if n_scored[number] != 1 else "",
            f"has {n_results[number]} results" if n_results[number] != given.images else "",
        ]
        is_same = scores.get(number) == [alone[number]]
        found.append("" if is_same else f"has {scores.get(number)}, alone {alone[number]}")
        faults += [f"submission {number} {what}" for what in found if what]
    unknown = sorted(rows.keys() - accepted.keys())
    record = {
        "accepted": len(accepted),
        "not reported": len(unknown),
        "faults": faults,
        **{name: played[name] for name in ("answers", "gap_s", "gap_ends")},
        "drained_s": time.monotonic() - begun,
    }
    (given.folder / "checked.json").write_text(json.dumps(record), encoding="utf-8")
    database.engine.dispose()


ACTS = {"prepare": prepare, "play": play, "check": check}

if __name__ == "__main__":
    what, place, address, *numbers = sys.argv[1:]
    names = ("teams", "each", "images", "open")
    ACTS[what](Teams(folder=Path(place), address=address, **dict(zip(names, map(int, numbers), strict=True))))
