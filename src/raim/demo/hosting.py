"""The demo's challenge on a real server: a round and its final are over, and the next round is open.

Three teams have sent their entries to each; a worker scores those of the two rounds. The final ones were compared in
two blinded studies: one that is finished, its votes made by a program (every page says so), and one that waits for
judges.
"""

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template

from raim.challenge.phase import SubmissionKind
from raim.demo.judging import host_studies
from raim.demo.restorers import ENTRIES, DemoEntry
from raim.demo.workplace import Workplace
from raim.files import hash_file
from raim.records.submissions import NewSubmission
from raim.server.actions.accounts import register
from raim.server.actions.finalists import invite_finalists
from raim.server.actions.passwords import hash_password
from raim.server.actions.teams import make_team
from raim.server.database import Member
from raim.server.serving import Opened, open_server
from raim.server.settings import Settings
from raim.server.storage import pieces
from raim.server.submissions.restored import list_restored, note_restored
from raim.server.submissions.states import change_state
from raim.server.submissions.uploads import begin_upload, keep_file
from raim.server.web.server import WebServer

DEFAULT_PORT = 8624
OPEN_DAYS = 30
ROUND = timedelta(days=7)  # each of those that are over
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

[[award]]
id = "first"
name = "First place"

[[award]]
id = "second"
name = "Second place"

[[data_set]]
id = "pairs"
name = "Photographs"
kind = "paired"
folder = "."

[[data_set]]
id = "finals"
name = "Photographs of the final"
kind = "unpaired"
folder = "."

[[phase]]
id = "feedback"
name = "Online feedback"
opens = $feedback_opens
closes = $final_opens
gives_out = ["pairs"]
scored = { on = "pairs", tries_per_day = 20 }

[[phase]]
id = "final"
name = "Final"
opens = $final_opens
closes = $opens
open_to = "finalists"
gives_out = ["finals"]
leaderboard = "organisers"
final = { on = "finals" }

[[phase]]
id = "open-round"
name = "Open round"
opens = $opens
closes = $closes
gives_out = ["pairs"]
scored = { on = "pairs", tries_per_day = 20 }

[finalists]
count = 3
phase = "feedback"

[study]
phase = "final"
judges = 6
repeats_share = 0.2
traps = 1
training = 1
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostedDemo:
    """The demo on a server.

    Attributes:
        opened: The server, not listening yet.
        login: Of a member of the first team.
        password: Theirs.
        judge_link: Address with which the reader judges in the open study.
        study_path: Of the organiser's page of the finished study.
    """

    opened: Opened
    login: str
    password: str
    judge_link: str
    study_path: str


def host_demo(
    workplace: Workplace,
    settings: Settings,
    *,
    profile: str,
    note: str,
    now: datetime,
    known_values: Path | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> HostedDemo:
    """Bring the demo's challenge and its entries onto a server.

    Args:
        workplace: What `play_demo` has filled.
        settings: Of a server in the workplace's folder.
        profile: What is measured.
        note: How the images were made.
        now: The time; rounds and entries lie before it.
        known_values: File of values that scoring has kept, so that the worker finds them; None for none.
        clock: Of the server.
    """
    write_challenge(workplace, profile=profile, note=note, now=now)
    _bring_values(workplace, known_values)
    opened = open_server(settings, clock=clock)
    password = secrets.token_urlsafe(12)
    _enter_all(opened.server, workplace, now, password_hash=hash_password(password))
    studies = host_studies(opened.server, now)
    with opened.server.database.reading() as session:
        here = f"/c/{opened.server.challenge(session).definition.id}"
    return HostedDemo(
        opened=opened,
        login=ENTRIES[0].file_name,
        password=password,
        judge_link=f"{settings.public_url}{here}/judge/{studies.judge_token}",
        study_path=f"{here}/desk/studies/{studies.finished_id}",
    )


def write_challenge(workplace: Workplace, *, profile: str, note: str, now: datetime) -> None:
    """Write challenge.toml, so that the demo's folder is a challenge."""
    opens = now.astimezone(UTC).replace(microsecond=0) - timedelta(hours=1)
    text = Template(CHALLENGE).substitute(
        profile=profile,
        description=note.replace("\\", "/").replace('"', "'"),
        feedback_opens=(opens - 2 * ROUND).isoformat(),
        final_opens=(opens - ROUND).isoformat(),
        opens=opens.isoformat(),
        closes=(opens + timedelta(days=OPEN_DAYS)).isoformat(),
    )
    (workplace.folder / "challenge.toml").write_text(text, encoding="utf-8")


def _bring_values(workplace: Workplace, known_values: Path | None) -> None:
    if known_values is None or not known_values.is_file() or known_values.stat().st_size > LARGEST_CACHE:
        return
    place = workplace.folder / CACHE
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(known_values, place)


def _enter_all(server: WebServer, workplace: Workplace, now: datetime, *, password_hash: str) -> None:
    """Make the teams as their captains would on the pages, and send their zips to every phase."""
    members = {
        entry.file_name: _make_team(server, entry, now - ROUND * 1.5, password_hash=password_hash)
        for entry in ENTRIES
    }
    for phase, when in (("feedback", now - ROUND * 1.5), ("open-round", now - timedelta(minutes=30))):
        for entry in ENTRIES:
            _send(
                server,
                workplace,
                entry,
                member_id=members[entry.file_name],
                when=when,
                phase=phase,
                kind="scored",
            )
    with server.database.writing() as session:
        teams = [session.get_one(Member, member_id).team_id for member_id in members.values()]
        invite_finalists(session, now - ROUND, server.challenge(session), teams, actor_id=None)
    for entry in ENTRIES:
        sent = _send(
            server,
            workplace,
            entry,
            member_id=members[entry.file_name],
            when=now - ROUND / 2,
            phase="final",
            kind="final",
        )
        _accept(server, workplace, entry, sent, now - ROUND / 2)


def _make_team(server: WebServer, entry: DemoEntry, when: datetime, *, password_hash: str) -> int:
    with server.database.writing() as session:
        user = register(
            session,
            when,
            login=entry.file_name,
            name=entry.name,
            password_hash=password_hash,
            has_consented=True,
        )
        challenge_id = server.challenge(session).id
        return make_team(
            session, when, challenge_id=challenge_id, name=entry.name, user=user, is_approved=True
        ).id


def _send(
    server: WebServer,
    workplace: Workplace,
    entry: DemoEntry,
    *,
    member_id: int,
    when: datetime,
    phase: str,
    kind: SubmissionKind,
) -> int:
    path = workplace.submissions / f"{entry.file_name}.zip"
    wanted = NewSubmission(
        phase=phase,
        kind=kind,
        file_name=path.name,
        n_bytes=path.stat().st_size,
        sha256=hash_file(path),
        note=entry.description,
    )
    with server.database.writing() as session:
        member = session.get_one(Member, member_id)
        key = begin_upload(session, when, server.challenge(session), member, wanted).key
    with path.open("rb") as file:
        return keep_file(server.database, server.storage, when, key=key, chunks=pieces(file)).id


def _accept(
    server: WebServer, workplace: Workplace, entry: DemoEntry, submission_id: int, when: datetime
) -> None:
    """Take a final entry: the demo has checked this very file before it came here."""
    images = list_restored(workplace.submissions / f"{entry.file_name}.zip")
    with server.database.writing() as session:
        change_state(session, when, submission_id, "accepted")
        note_restored(session, submission_id, images)
