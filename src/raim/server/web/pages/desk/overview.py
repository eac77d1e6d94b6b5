"""The dashboard: phases, queue, workers, disks, failures of the last day, and what waits for an organiser."""

import shutil
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.server.contest.versions import list_new_versions, switch_versions
from raim.server.database import Finalist, Submission, Team
from raim.server.storage import free_bytes
from raim.server.submissions.rescoring import unseen_flags
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
DAY = timedelta(days=1)
MOST_FAILURES = 20  # listed; all are counted


@router.get("/desk", name="desk")
def show_desk(context: Admitted) -> Response:
    """Show how everything stands."""
    return render(context, "desk.html.jinja", **read_overview(context))


@router.get("/desk/live", name="desk.live")
def show_live(context: Admitted) -> Response:
    """Give the part of the dashboard that changes by itself."""
    return render(context, "desk_live.html.jinja", **read_overview(context))


@router.post("/desk/versions/switch", name="desk.versions.switch")
def put_versions_in_force(context: Admitted, *, even_incomplete: bool = False) -> Response:
    """Let leaderboards and rankings show the newest version's results."""
    with context.server.database.writing() as session:
        switch_versions(
            session, context.now, context.contest, even_incomplete=even_incomplete, actor_id=context.user_id
        )
    return go_to(f"{context.here}/desk", note="switched")


def read_overview(context: Context) -> dict[str, Any]:
    """Give what the dashboard shows, in a number of queries that does not depend on how much there is."""
    from raim.server.jobs.queue_facts import queue_overview

    challenge, now = context.contest.challenge, context.now
    with context.server.database.reading() as session:
        return {
            "phases": [(phase, context.contest.state(phase, now)) for phase in challenge.phases],
            "queue": queue_overview(session, now),
            "storage_free": free_bytes(context.server.storage),
            "folder_free": shutil.disk_usage(context.server.settings.folder).free,
            "keep_free": context.server.settings.keep_free_bytes,
            "failures": _failures(context, session),
            "n_failures": _count(
                session, Submission.where("is_restartable"), Submission.state_at > now - DAY
            ),
            "n_waiting_teams": _count(session, Team.state == "waiting"),
            "new_versions": list_new_versions(session, context.contest),
            "n_flagged": len(unseen_flags(session)),
            "n_silent_finalists": _count(
                session, Finalist.accepted_at.is_(None), Finalist.declined_at.is_(None)
            ),
        }


def _failures(context: Context, session: Session) -> list[tuple[Submission, str]]:
    rows = session.execute(
        select(Submission, Team.name)
        .join(Team, Team.id == Submission.team_id)
        .where(Submission.where("is_restartable"), Submission.state_at > context.now - DAY)
        .order_by(Submission.state_at.desc(), Submission.id.desc())
        .limit(MOST_FAILURES)
    )
    found = []
    for submission, team in rows:
        session.expunge(submission)
        found.append((submission, team))
    return found


def _count(session: Session, *conditions: Any) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0
