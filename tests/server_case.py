"""A server's database with rows in every table, for tests that carry all of it elsewhere."""

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from raim.challenge import read_challenge
from raim.data import read_manifest
from raim.scoring.profiles import PROFILES
from raim.server import database as t
from raim.server.actions.accounts import register
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.teams import make_team
from raim.server.auditing import record_event
from raim.server.database import Base
from raim.server.storage import put_file

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
DIGEST = "d" * 64


def dump(database):
    """Give all rows of all tables."""
    with database.engine.connect() as connection:
        return {
            table.name: [
                row._asdict()
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
        }


def read(folder):
    return read_challenge(folder, profiles=PROFILES, read_manifest=read_manifest)


def keep(storage, content):
    """Put a file into the storage; give its name."""
    sha256 = hashlib.sha256(content).hexdigest()
    put_file(storage, [content], n_bytes=len(content), sha256=sha256)
    return sha256


def fill(database, storage, folder):
    """Bring the challenge in, and fill every table."""
    import_challenge(database, storage, NOON, read(folder), scorer_version="raim-2024-1")
    return fill_challenge(database, storage, read(folder).id)


def fill_challenge(database, storage, slug):
    """Fill every table with rows of a challenge; some refer to later ones of their own table."""
    with database.writing() as session:
        challenge = session.scalars(select(t.Challenge).where(t.Challenge.slug == slug)).one()
        phase = session.scalars(
            select(t.Phase).where(t.Phase.challenge_id == challenge.id, t.Phase.slug == "feedback")
        ).one()
        images = session.scalars(
            select(t.Image)
            .join(t.DataSet)
            .where(t.DataSet.challenge_id == challenge.id, t.DataSet.slug == "feedback-pairs")
        ).all()
        users = [
            register(session, NOON, login=login, password_hash=DIGEST) for login in ("ada", "bob", "zoë")
        ]
        members = [
            make_team(
                session,
                NOON,
                challenge_id=challenge.id,
                name=f"Team {user.login}",
                user=user,
                is_approved=True,
            )
            for user in users
        ]
        session.flush()
        first, second, _ = (session.get_one(t.Team, member.team_id) for member in members)
        first.state, first.merged_into = "merged", second.id
        _fill_people(session, users, second)
        finalists = [
            t.Finalist(phase_id=phase.id, team_id=member.team_id, position=place, invited_at=NOON)
            for place, member in enumerate(members, start=1)
        ]
        session.add_all(finalists)
        session.flush()
        finalists[0].replaces_id = finalists[2].id
        submissions = _fill_submissions(session, storage, members, phase, images[0].data_set_id)
        session.flush()
        _fill_results(session, submissions["scored"], images)
        session.add_all(
            [
                t.Announcement(
                    challenge_id=challenge.id, author_id=users[0].id, title="Hi", text="*all* – ünïcödé\n"
                ),
                t.PublishedRanking(
                    challenge_id=challenge.id,
                    published_at=NOON,
                    published_by=users[0].id,
                    record={"schema": "raim-ranking/1"},
                    charts={},
                ),
                t.ChecklistTick(
                    challenge_id=challenge.id, item="prizes", ticked_by=users[0].id, ticked_at=NOON
                ),
                t.Extension(
                    phase_id=phase.id,
                    extended_by=users[0].id,
                    extended_at=NOON,
                    opens_at=NOON - timedelta(days=9),
                    closes_before=NOON,
                    closes_after=NOON + timedelta(days=2),
                    reason="the network was down",
                    tries="pro rata",
                ),
                t.ChallengeUpload(
                    user_id=users[0].id,
                    key="k",
                    file_name="nächte.zip",
                    n_bytes=9,
                    sha256=DIGEST,
                    begun_at=NOON,
                    updated_at=NOON,
                    state="taken",
                    notes=["challenge.toml:3: größe"],
                    challenge_id=challenge.id,
                ),
                t.MailRefusal(user_id=users[0].id, kind="result"),
                t.MailService(id=1, public_url="https://example.org"),
                t.RequestRate(name="user 1", full_at=1.5, wait=0.0),
                t.Mail(
                    address="ada@example.org",
                    kind="result",
                    what="submission 1",
                    subject="s",
                    text="t",
                    **dict.fromkeys(("state_at", "made_at", "due_at"), NOON),
                ),
                t.SubmittedImage(
                    submission_id=submissions["scored"].id,
                    name="0001",
                    sha256=DIGEST,
                    is_deflated=True,
                    **dict.fromkeys(("n_bytes", "packed_start", "packed_bytes", "crc"), 1),
                ),
                t.WorkerHeartbeat(name="w", started_at=NOON, seen_at=NOON, version="1"),
                t.Comment(
                    submission_id=submissions["scored"].id,
                    author_id=users[0].id,
                    text="good",
                    created_at=NOON,
                ),
                t.LogLine(submission_id=submissions["scored"].id, logged_at=NOON, worker="w", text="begun"),
            ]
        )
        _fill_study(session, challenge, phase, images[0], submissions["scored"])
        record_event(session, NOON, "test", first, actor_id=users[0].id, a=[None])
        return {name: each.id for name, each in submissions.items()}


def _fill_people(session, users, team):
    ada, later = users[0].id, NOON + timedelta(days=1, microseconds=7)
    session.add_all(
        [
            t.ApiToken(
                user_id=ada,
                name="laptop",
                scope="take part",
                token_sha256=DIGEST,
                created_at=NOON,
                expires_at=later,
            ),
            t.Appointment(challenge_id=team.challenge_id, user_id=ada, office="organiser", appointed_at=NOON),
            t.LoginSession(user_id=ada, token_sha256=DIGEST, created_at=NOON, expires_at=later),
            t.LoginAttempt(login_key="ada", address="::1", attempted_at=NOON, succeeded=True),
            t.OneUseLink(
                purpose="make administrator", token_sha256=DIGEST, created_at=NOON, expires_at=later
            ),
            t.Invitation(
                team_id=team.id, invited_by=ada, token_sha256=DIGEST, created_at=NOON, expires_at=later
            ),
            t.FactSheet(team_id=team.id, fields={"runtime": "1.5"}, updated_at=NOON, updated_by=ada),
        ]
    )


def _fill_study(session, challenge, phase, image, submission):
    design = {"schema": "x", "entries": ["e1", "e2"], "n": 1 / 3}
    study = t.Study(
        challenge_id=challenge.id,
        phase_id=phase.id,
        data_set_id=image.data_set_id,
        title="Studie ä",
        design=design,
        created_at=NOON,
    )
    session.add(study)
    session.flush()
    judge = t.Judge(study_id=study.id, number=1, name="Jürg", invited_at=NOON)
    shown = t.StudyImage(study_id=study.id, image_id=image.id)
    entry = t.StudyEntry(
        study_id=study.id, submission_id=submission.id, code="e1", left_out_reason="late", left_out_at=NOON
    )
    session.add_all([judge, shown, entry])
    session.flush()
    trial = t.Trial(
        judge_id=judge.id, position=1, study_image_id=shown.id, kind="counted", tiles=["e2", "e1"], key="k"
    )
    session.add(trial)
    session.flush()
    session.add_all(
        [
            t.JudgeLink(judge_id=judge.id, token_sha256=DIGEST, created_at=NOON),
            t.Tie(judge_id=judge.id, team_id=submission.team_id, reason="same laboratory"),
            t.ScreenCheck(judge_id=judge.id, checked_at=NOON, is_fine=True, facts={"width": 1920}),
            t.Vote(
                trial_id=trial.id,
                sequence=1,
                choice=["e1"],
                ratings={},
                reasons={"e1": ["noise"]},
                regions=[{"label": "A", "x": 1}],
                seconds=0.1 + 0.2,
                cast_at=NOON,
            ),
        ]
    )


def _fill_submissions(session, storage, members, phase, data_set_id):
    made = {}
    for number, state in enumerate(t.entries.STATES):
        content = f"the zip of {state}".encode() * 1000
        is_here = state not in {"receiving", "abandoned"}
        sha256 = keep(storage, content) if is_here else hashlib.sha256(content).hexdigest()
        has_lease = state in {"checking", "scoring"}
        made[state] = row = t.Submission(
            team_id=members[1].team_id,
            phase_id=phase.id,
            data_set_id=data_set_id,
            member_id=members[1].id,
            kind="scored",
            state=state,
            received_at=NOON + timedelta(minutes=number),
            state_at=NOON,
            committed_bytes=len(content),
            committed_sha256=sha256,
            takes_try=state not in {"refused", "failed", "abandoned"},
            is_chosen=state == "scored",
            lease_owner="w" if has_lease else None,
            lease_until=NOON if has_lease else None,
            error="a reason" if state in {"refused", "failed"} else None,
            report={"problems": [{"message": "größe"}]} if state == "refused" else None,
        )
        session.add(row)
        session.flush()
        session.add(
            t.Upload(
                submission_id=row.id,
                key=f"key{number}",
                file_name="tëam.zip",
                received_bytes=len(content),
                updated_at=NOON,
                finished_at=NOON if is_here else None,
                aborted_at=NOON if state == "abandoned" else None,
            )
        )
    return made


def _fill_results(session, submission, images):
    versions = {"scorer_version": "raim-2024-1", "reference_version": DIGEST, "scored_at": NOON}
    for image in images:
        session.add(
            t.Result(
                submission_id=submission.id,
                image_id=image.id,
                restored_sha256=DIGEST,
                score=0.1 + 0.2 + image.id / 7,
                measures={"psnr": "inf", "ssim": 1 / 3},
                **versions,
            )
        )
    session.add(
        t.EntryResult(
            submission_id=submission.id,
            unscorable="flat",
            measures={"psnr": 30.123456789012345},
            scenarios={},
            n_images=len(images),
            n_scored=0,
            **versions,
        )
    )
