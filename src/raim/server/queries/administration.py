"""How a server of one challenge or many stands, for its administrators."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.challenge.reading import CHALLENGE_FILE
from raim.records.administration import (
    Delays,
    Freeable,
    HostedChallenge,
    ServerNumbers,
    ServerOverview,
)
from raim.server.database import Challenge, Mail, Phase, ServerFolder, Submission, Team
from raim.server.jobs import Forecast, read_queue
from raim.server.jobs.bundles import count_bundle_bytes
from raim.server.jobs.context import serves
from raim.server.submissions.freeing import FreedFile, find_freeable
from raim.server.submissions.kept import as_kept, read_kept


def read_server(
    session: Session, numbers: ServerNumbers, now: datetime, *, folder: Path, free_after_days: int
) -> ServerOverview:
    """Return what administrators see beside the numbers that are watched."""
    freeable = find_freeable(session, now - timedelta(days=free_after_days))
    return ServerOverview.of_row(
        numbers,
        bundle_bytes=count_bundle_bytes(session, folder),
        kept=as_kept(read_kept(session).get(None, {})),
        freeable=count_freeable(freeable, free_after_days),
    )


def read_server_numbers(
    session: Session,
    forecast: Forecast,
    *,
    folder: Path,
    folder_free_bytes: int,
    storage_free_bytes: int | None,
) -> ServerNumbers:
    """Return all challenges with counts, in few queries however many there are."""
    teams = _count(session, select(Team.challenge_id, func.count()).group_by(Team.challenge_id))
    of_phase = select(Phase.challenge_id, func.count()).join(Submission, Submission.phase_id == Phase.id)
    is_waiting = Submission.where("is_in_check") | Submission.where("is_queued")
    every = _count(session, of_phase.group_by(Phase.challenge_id))
    waiting = _count(session, of_phase.where(is_waiting).group_by(Phase.challenge_id))
    failed = _count(session, of_phase.where(Submission.where("is_restartable")).group_by(Phase.challenge_id))
    kept = read_kept(session, "challenge_id")
    queue = read_queue(session, forecast)
    return ServerNumbers(
        challenges=[
            HostedChallenge(
                id=row.slug,
                name=row.title,
                status=row.status,
                folder=row.folder,
                is_there=(folder / row.folder / CHALLENGE_FILE).is_file(),
                n_teams=teams.get(row.id, 0),
                n_submissions=every.get(row.id, 0),
                n_waiting=waiting.get(row.id, 0),
                n_workers=sum(serves(each.challenges, row.slug) for each in queue.workers),
                n_failed=failed.get(row.id, 0),
                kept=as_kept(kept.get(row.id, {}), row.quota_bytes),
            )
            for row in session.scalars(select(Challenge).order_by(Challenge.title))
        ],
        problems=session.scalar(select(ServerFolder.problems)) or {},
        queue=queue,
        folder_free_bytes=folder_free_bytes,
        storage_free_bytes=storage_free_bytes,
    )


def read_delays(session: Session, now: datetime) -> Delays:
    """Return what waits longest."""
    mails = _count(session, select(Mail.state, func.count()).group_by(Mail.state))
    due = session.scalar(select(func.min(Mail.due_at)).where(Mail.state == "waiting", Mail.due_at < now))
    oldest = select(func.min(Submission.received_at)).where(Submission.where("is_waiting"))
    first = session.scalar(oldest)
    return Delays(
        mails=mails,
        mail_s=0.0 if due is None else (now - due).total_seconds(),
        submission_s=0.0 if first is None else (now - first).total_seconds(),
    )


def count_freeable(files: Sequence[FreedFile], after_days: int) -> Freeable:
    """Return the record of files that were freed, or can be."""
    return Freeable(n_files=len(files), n_bytes=sum(each.n_bytes for each in files), after_days=after_days)


def _count(session: Session, found: Any) -> dict[Any, int]:
    return {of: int(count or 0) for of, count in session.execute(found)}
