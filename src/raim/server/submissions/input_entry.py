"""The input itself as an entry: what is measured where nothing was restored. Listed on the board without a rank."""

import secrets
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Phase
from raim.errors import StateError
from raim.files import hash_file
from raim.server.actions.accounts import name_key
from raim.server.actions.teams import make_team
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Database, Image, Member, Submission, Team, Upload, User
from raim.server.storage import Storage, adopt_file, check_space, read_stored_file
from raim.server.submissions.states import change_state
from raim.server.submissions.tries import lock_team

TEAM = "The input"
README = (  # the form asks for a runtime above 0
    "runtime per image [s] : 0.001\nCPU[1] / GPU[0] : 1\nExtra Data [1] / No Extra Data [0] : 0\n"
    "Other description : the input as it was given out\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFile:
    """A file in the storage, by its SHA-256."""

    sha256: str
    n_bytes: int


def check_phase(phase: Phase, now: datetime) -> None:
    """Refuse a phase that scores nothing, or has not opened: until then its inputs are hidden.

    Raises:
        StateError: It is one.
    """
    if phase.scored is None:
        raise StateError(f"{phase.name} scores nothing, so the input would have no score there")
    if now < phase.opens:
        raise StateError(
            f"{phase.name} opens at {phase.opens:%Y-%m-%d %H:%M} UTC; enter its input after that"
        )


def keep_inputs(database: Database, storage: Storage, folder: Path, data_set_id: int) -> KeptFile:
    """Put a zip of a data set's inputs, with its readme.txt, into the storage; it is made in the server's folder.

    Raises:
        StorageError: An image is not in the storage, or there is no room.
    """
    with database.reading() as session:
        found = select(Image.input_name, Image.input_sha256, Image.input_bytes)
        images = session.execute(found.where(Image.data_set_id == data_set_id).order_by(Image.name)).all()
    check_space(storage, sum(each.input_bytes for each in images))
    with tempfile.TemporaryDirectory(dir=folder, prefix="input-") as place:
        path = Path(place, "input.zip")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo("readme.txt"), README)
            for each in images:
                with archive.open(zipfile.ZipInfo(each.input_name), "w", force_zip64=True) as entry:
                    for chunk in read_stored_file(storage, each.input_sha256):
                        entry.write(chunk)
        kept = KeptFile(sha256=hash_file(path), n_bytes=path.stat().st_size)
        adopt_file(storage, path, n_bytes=kept.n_bytes, sha256=kept.sha256)
    return kept


def enter_input(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    phase: Phase,
    kept: KeptFile,
    *,
    actor_id: int,
) -> Submission:
    """Hand in the inputs for a phase, after it has opened, whatever its deadline and tries; the check begins.

    Their team is a baseline and out of competition; who enters them first is its member.

    Raises:
        StateError: They are entered already, `check_phase` refuses the phase, or who enters is in a team of their own.
    """
    check_phase(phase, now)
    member = _find_member(session, now, challenge, actor_id)
    lock_team(session, member.team_id)  # two at once follow each other
    earlier = session.scalars(
        select(Submission).where(
            Submission.team_id == member.team_id, Submission.phase_id == challenge.phase_ids[phase.id]
        )
    )
    for each in earlier:
        if each.facts.is_taken:
            raise StateError(f"the input is entered in {phase.name} already, as submission {each.id}")
    submission = Submission(
        team_id=member.team_id,
        phase_id=challenge.phase_ids[phase.id],
        data_set_id=challenge.data_set_ids[phase.intakes["scored"].on],
        member_id=member.id,
        kind="scored",
        received_at=now,
        state_at=now,
        committed_bytes=kept.n_bytes,
        committed_sha256=kept.sha256,
        note="the input as it was given out",
        takes_try=False,
        is_out_of_competition=True,
    )
    session.add(submission)
    record_event(session, now, "enter input", submission, actor_id=actor_id)
    session.add(
        Upload(
            submission_id=submission.id,
            key=secrets.token_hex(24),
            file_name="input.zip",
            received_bytes=kept.n_bytes,
            updated_at=now,
            finished_at=now,
        )
    )
    return change_state(session, now, submission.id, "checking", actor_id=actor_id)


def _find_member(session: Session, now: datetime, challenge: CurrentChallenge, actor_id: int) -> Member:
    team = session.scalar(
        select(Team).where(Team.challenge_id == challenge.id, Team.name_key == name_key(TEAM))
    )
    if team is None:
        user = session.get_one(User, actor_id)
        member = make_team(session, now, challenge_id=challenge.id, name=TEAM, user=user, is_approved=True)
        team = session.get_one(Team, member.team_id)
        team.is_baseline = team.is_out_of_competition = True
        session.flush()
    elif not team.is_baseline:
        raise StateError(f"a team that takes part is named {TEAM!r}; mark it as a baseline if it is yours")
    return session.scalars(select(Member).where(Member.team_id == team.id).order_by(Member.id).limit(1)).one()
