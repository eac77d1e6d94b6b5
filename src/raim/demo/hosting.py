"""The demo's challenge on a real server: three teams have sent their entries, and a worker scores them."""

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template

from raim.demo.restorers import ENTRIES, Entry
from raim.demo.workplace import Workplace
from raim.files import hash_file
from raim.server.accounts import hash_password, make_team, register
from raim.server.serving import Opened, open_server
from raim.server.settings import Settings
from raim.server.storage import pieces
from raim.server.submissions import Promise, add_bytes, begin_upload, finish_upload, part_file
from raim.server.web.server import Server

DEFAULT_PORT = 8624
OPEN_DAYS = 30
CACHE = Path("work", "scores.sqlite")  # where the server's worker keeps known values
LARGEST_CACHE = 200 * 2**20

CHALLENGE = """\
# Made by `raim demo`; `raim serve .` in this folder serves it again.
schema = 1

[challenge]
id = "demo"
name = "A small restoration challenge"
tagline = "Real photographs, degraded in stated ways; three teams have entered"
profile = "$profile"
contact = "nobody: this is a demo"

[website]
description = "$description"
rules = "Register, make a team, download the inputs and submit: it is all real, on this machine only."

[[data_set]]
id = "pairs"
name = "Photographs"
kind = "paired"
folder = "."

[[phase]]
id = "feedback"
name = "Online feedback"
opens = $opens
closes = $closes
gives_out = ["pairs"]
scored = { on = "pairs", tries_per_day = 20 }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hosted:
    """The demo on a server.

    Attributes:
        opened: The server, not listening yet.
        login: Of a member of the first team.
        password: Theirs.
    """

    opened: Opened
    login: str
    password: str


def host_demo(
    workplace: Workplace,
    settings: Settings,
    *,
    profile: str,
    note: str,
    now: datetime,
    known_values: Path | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Hosted:
    """Bring the demo's challenge and its entries onto a server.

    Args:
        workplace: What `play_demo` has filled.
        settings: Of a server in the workplace's folder.
        profile: What is measured.
        note: How the images were made.
        now: When the phase opens, and the entries arrive.
        known_values: File of values that scoring has kept, so that the worker finds them; None for none.
        clock: Of the server.
    """
    write_challenge(workplace, profile=profile, note=note, now=now)
    _bring_values(workplace, known_values)
    opened = open_server(settings, clock=clock)
    password = secrets.token_urlsafe(12)
    hashed = hash_password(password)
    for entry in ENTRIES:
        _enter(opened.server, workplace, entry, now, password_hash=hashed)
    return Hosted(opened=opened, login=ENTRIES[0].file_name, password=password)


def write_challenge(workplace: Workplace, *, profile: str, note: str, now: datetime) -> None:
    """Write challenge.toml, so that the demo's folder is a challenge."""
    opens = now.astimezone(UTC).replace(microsecond=0) - timedelta(hours=1)
    closes = opens + timedelta(days=OPEN_DAYS)
    text = Template(CHALLENGE).substitute(
        profile=profile,
        description=note.replace("\\", "/").replace('"', "'"),
        opens=opens.isoformat(),
        closes=closes.isoformat(),
    )
    (workplace.folder / "challenge.toml").write_text(text, encoding="utf-8")


def _bring_values(workplace: Workplace, known_values: Path | None) -> None:
    if known_values is None or not known_values.is_file() or known_values.stat().st_size > LARGEST_CACHE:
        return
    place = workplace.folder / CACHE
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(known_values, place)


def _enter(server: Server, workplace: Workplace, entry: Entry, now: datetime, *, password_hash: str) -> None:
    """Make a team as its captain would on the pages, and send its zip."""
    path = workplace.submissions / f"{entry.file_name}.zip"
    promise = Promise(file_name=path.name, n_bytes=path.stat().st_size, sha256=hash_file(path))
    folder = server.settings.folder
    with server.database.writing() as session:
        contest = server.contest(session)
        user = register(
            session,
            now,
            login=entry.file_name,
            name=entry.name,
            password_hash=password_hash,
            has_consented=True,
        )
        member = make_team(
            session, now, challenge_id=contest.id, name=entry.name, user=user, is_approved=True
        )
        upload = begin_upload(
            session,
            now,
            contest,
            member=member,
            phase="feedback",
            kind="scored",
            promise=promise,
            note=entry.description,
        )
        key, part = upload.key, part_file(folder, upload)
    with path.open("rb") as file:
        add_bytes(part, 0, pieces(file), n_bytes=promise.n_bytes)
    finish_upload(server.database, server.storage, now, folder=folder, contest=contest, key=key)
