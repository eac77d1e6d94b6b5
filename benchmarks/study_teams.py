"""Finalists for a server: teams whose final submissions are accepted, written as registering and sending would."""

import hashlib

from raim.server.auditing import record_event
from raim.server.database import Finalist, Member, Submission, Team, Upload, User
from raim.server.storage import local_path, put_file
from raim.server.submissions.restored import list_restored, note_restored
from raim.server.web.server import WebServer


def enter_finalists(server: WebServer, n_teams: int, packed: bytes, *, phase: str = "final") -> None:
    """Write finalists, all of whom have sent the same zip.

    Args:
        server: Opened.
        n_teams: How many.
        packed: The zip.
        phase: Id of the phase that takes finals.
    """
    sha256 = hashlib.sha256(packed).hexdigest()
    put_file(server.storage, [packed], n_bytes=len(packed), sha256=sha256)
    path = local_path(server.storage, sha256)
    places = [] if path is None else list_restored(path)
    with server.database.writing() as session:
        challenge = server.challenge(session)
        record, now = challenge.definition.phase(phase), server.clock()
        for number in range(1, n_teams + 1):
            login = f"u{number}"
            user = User(login=login, login_key=login, name=login, password_hash="x", created_at=now)  # noqa: S106
            team = Team(challenge_id=challenge.id, name=f"Team {number}", name_key=f"team {number}")
            team.state, team.created_at = "approved", now
            session.add_all([user, team])
            session.flush()
            member = Member(challenge_id=challenge.id, team_id=team.id, user_id=user.id, joined_at=now)
            session.add(member)
            session.flush()
            decides = challenge.phase_ids[challenge.definition.finalists.phase]
            session.add(Finalist(phase_id=decides, team_id=team.id, position=number, invited_at=now))
            submission = Submission(
                team_id=team.id,
                phase_id=challenge.phase_ids[phase],
                data_set_id=challenge.data_set_ids[record.final.on],
                member_id=member.id,
                kind="final",
                state="accepted",
                received_at=now,
                state_at=now,
                committed_bytes=len(packed),
                committed_sha256=sha256,
                takes_try=True,
            )
            session.add(submission)
            session.flush()
            note_restored(session, submission.id, places)
            session.add(
                Upload(
                    submission_id=submission.id,
                    key=f"{number:048d}",
                    file_name="final.zip",
                    received_bytes=len(packed),
                    updated_at=now,
                    finished_at=now,
                )
            )
        record_event(session, now, "fill", None, actor_id=None)
