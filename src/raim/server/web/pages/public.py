"""What everybody sees: the challenge, its time line, announcements, rules."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from raim.challenge import current_phase, describe_deadline, next_phase
from raim.server.contest import list_announcements
from raim.server.web.rendering import render
from raim.server.web.visit import Admitted

router = APIRouter(include_in_schema=False)
SHOWN = 3  # announcements on the first page


@router.get("/", name="home")
def show_home(visit: Admitted) -> Response:
    """Show what the challenge is, where it stands, and what is new."""
    challenge = visit.contest.challenge
    with visit.server.database.reading() as session:
        announcements = list_announcements(session, visit.contest.id)[:SHOWN]
        return render(
            visit,
            "home.html.jinja",
            phases=[(phase, visit.contest.state(phase, visit.now)) for phase in challenge.phases],
            current=current_phase(challenge, visit.now),
            upcoming=next_phase(challenge, visit.now),
            announcements=announcements,
            deadlines={
                phase.id: describe_deadline(phase, challenge.uploads.grace_seconds)
                for phase in challenge.phases
                if phase.intakes
            },
        )


@router.get("/announcements", name="announcements")
def show_announcements(visit: Admitted) -> Response:
    """Show all announcements."""
    with visit.server.database.reading() as session:
        found = list_announcements(session, visit.contest.id)
        return render(visit, "announcements.html.jinja", announcements=found)


@router.get("/rules", name="rules")
def show_rules(visit: Admitted) -> Response:
    """Show rules, the form of a submission, and what SCORE is made of."""
    return render(visit, "rules.html.jinja", profile=visit.server.profile)


@router.get("/health", name="health")
def show_health(visit: Admitted) -> PlainTextResponse:
    """Answer a watch: the database was asked on the way here."""
    return PlainTextResponse(f"ok {visit.now.isoformat(timespec='seconds')}\n")


@router.get("/robots.txt", name="robots")
def show_robots(visit: Admitted) -> PlainTextResponse:
    """Tell crawlers what is public."""
    del visit
    return PlainTextResponse("User-agent: *\nDisallow: /api/\nDisallow: /desk\nDisallow: /login\n")
