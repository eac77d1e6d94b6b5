"""What everybody sees: the challenge, its time line, announcements, rules."""

from fastapi import APIRouter
from starlette.responses import Response

from raim.challenge import current_phase, describe_deadline, next_phase
from raim.server.contest import list_announcements
from raim.server.web.context import Admitted
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
SHOWN = 3  # announcements on the first page


@router.get("/", name="home")
def show_home(context: Admitted) -> Response:
    """Show what the challenge is, where it stands, and what is new."""
    challenge = context.contest.challenge
    with context.server.database.reading() as session:
        announcements = list_announcements(session, context.contest.id)[:SHOWN]
        return render(
            context,
            "home.html.jinja",
            phases=[(phase, context.contest.state(phase, context.now)) for phase in challenge.phases],
            current=current_phase(challenge, context.now),
            upcoming=next_phase(challenge, context.now),
            announcements=announcements,
            deadlines={
                phase.id: describe_deadline(phase, challenge.uploads.grace_seconds)
                for phase in challenge.phases
                if phase.intakes
            },
        )


@router.get("/announcements", name="announcements")
def show_announcements(context: Admitted) -> Response:
    """Show all announcements."""
    with context.server.database.reading() as session:
        found = list_announcements(session, context.contest.id)
        return render(context, "announcements.html.jinja", announcements=found)


@router.get("/rules", name="rules")
def show_rules(context: Admitted) -> Response:
    """Show rules, the form of a submission, and what SCORE is made of."""
    return render(context, "rules.html.jinja", profile=context.server.profile)
