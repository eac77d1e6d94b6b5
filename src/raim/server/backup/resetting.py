"""What cannot go on where it was: uploads under way, jobs of workers that are gone, dates of leases, packs of tiles."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, true, update
from sqlalchemy.orm import Session

from raim.server.actions.challenge_upload import UNDER_WAY
from raim.server.auditing import record_event
from raim.server.backup.manifest import BackupManifest
from raim.server.backup.scope import SUBMISSIONS, is_of
from raim.server.database import ChallengeUpload, Submission, Upload
from raim.server.study.packs import forget_packs
from raim.server.submissions.states import change_state


@dataclass(frozen=True, kw_only=True, slots=True)
class Reset:
    """What was set back: uploads under way, which take no try, and submissions that were being scored."""

    n_uploads: int
    n_jobs: int


def reset_states(
    session: Session, now: datetime, manifest: BackupManifest, *, challenge_id: int | None = None
) -> Reset:
    """Set back what was under way, in one challenge or all, and write it into the audit log.

    Logins, one-use links and workers are not in a backup; API tokens are, and stay good.
    """
    lost = (
        f"the server was recovered from a backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC, at which this upload was "
        "under way; it takes no try: send the file again"
    )
    submissions = select(Submission.id).where(is_of(SUBMISSIONS, challenge_id))
    receiving = session.scalars(submissions.where(Submission.where("is_arriving"))).all()
    for submission_id in receiving:
        change_state(session, now, submission_id, "abandoned", error=lost)
    session.flush()
    session.execute(
        update(Upload)
        .where(Upload.submission_id.in_(receiving), Upload.finished_at.is_(None), Upload.aborted_at.is_(None))
        .values(aborted_at=now, updated_at=now)
    )
    if challenge_id is None:  # their zips are in no backup
        session.execute(
            update(ChallengeUpload)
            .where(ChallengeUpload.state.in_(UNDER_WAY))
            .values(state="given up", updated_at=now, problems=[lost.replace("it takes no try: ", "")])
        )
    scoring = session.scalars(submissions.where(Submission.where("is_in_scoring"))).all()
    for submission_id in scoring:
        change_state(session, now, submission_id, "queued")
    session.flush()
    forget_packs(session, true())  # not in a backup
    session.execute(
        update(Submission)
        .where(Submission.lease_owner.is_not(None))
        .values(lease_owner=None, lease_until=None)
    )
    of_backup = {name: getattr(manifest, name) for name in ("raim", "schema", "database")}
    of_backup |= {"made_at": manifest.made_at.isoformat(), "missing": sorted(manifest.missing)}
    record_event(session, now, "recover backup", None, actor_id=None, **of_backup)
    return Reset(n_uploads=len(receiving), n_jobs=len(scoring))
