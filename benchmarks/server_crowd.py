"""A crowd for a server: teams with scored entries, written into its tables as registering and scoring would."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import insert

from raim.server.auditing import record_event
from raim.server.database import EntryResult, Member, Submission, SubmittedImage, Team, User
from raim.server.web.server import WebServer

MEASURES = {"psnr": 25.0, "ssim": 0.75, "lpips": 0.2, "dists": 0.15, "niqe": 5.0}


def fill_board(
    server: WebServer,
    n_teams: int,
    *,
    phase: str = "feedback",
    entries: int = 2,
    waiting: int = 0,
    n_images: int = 0,
    challenge_id: str = "",
) -> None:
    """Write teams with scored entries, in an order that is not that of their scores.

    Args:
        server: Opened.
        n_teams: How many.
        phase: Its id.
        entries: Scored ones of each team.
        waiting: How many wait to be scored beside them, one of a team.
        n_images: Noted images of each submission.
        challenge_id: "" for the only one.
    """
    with server.database.writing() as session:
        challenge = server.challenge(session, challenge_id)
        now = server.clock()
        intake = challenge.definition.phase(phase).scored
        for number in range(n_teams):
            login = f"{challenge_id}u{number}"
            user = User(login=login, login_key=login, name=login, password_hash="x", created_at=now)  # noqa: S106
            team = Team(challenge_id=challenge.id, name=f"Team {number}", name_key=f"team {number}")
            team.state, team.created_at = "approved", now
            session.add_all([user, team])
            session.flush()
            member = Member(challenge_id=challenge.id, team_id=team.id, user_id=user.id, joined_at=now)
            session.add(member)
            session.flush()
            for entry in range(entries + (number < waiting)):
                is_scored = entry < entries
                submission = Submission(
                    team_id=team.id,
                    phase_id=challenge.phase_ids[phase],
                    data_set_id=challenge.data_set_ids[intake.on],
                    member_id=member.id,
                    kind="scored",
                    state="scored" if is_scored else "queued",
                    received_at=now + timedelta(minutes=number + entry),
                    state_at=now,
                    committed_bytes=1,
                    committed_sha256=f"{number:032d}{entry:032d}",
                    takes_try=True,
                )
                session.add(submission)
                session.flush()
                if n_images:
                    session.execute(insert(SubmittedImage), list(_images(submission.id, n_images)))
                if not is_scored:
                    continue
                session.add(
                    EntryResult(
                        submission_id=submission.id,
                        scorer_version=challenge.scorer_version,
                        reference_version=challenge.newest[intake.on][1],
                        score=40 + (number * 37 % 200) / 5 + entry,
                        measures=MEASURES,
                        scenarios={},
                        n_images=2,
                        n_scored=2,
                        scored_at=now,
                    )
                )
        record_event(session, now, "fill", None, actor_id=None)


def _images(submission_id: int, n_images: int) -> Iterator[dict[str, object]]:
    for number in range(n_images):
        sha256 = f"{submission_id:032d}{number:032d}"
        place = dict.fromkeys(("n_bytes", "packed_start", "packed_bytes", "crc"), 1)
        yield {
            "submission_id": submission_id,
            "name": f"{number:04d}",
            "sha256": sha256,
            "is_deflated": True,
            **place,
        }
