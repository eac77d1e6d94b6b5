"""What a server has once, whatever its challenges: first page, list of challenges, the API's document."""

from typing import Any

from fastapi.openapi.utils import get_openapi
from sqlalchemy import select
from starlette.responses import JSONResponse, PlainTextResponse, Response

from raim.challenge.series import Series
from raim.errors import UnknownNameError
from raim.records.challenge import Challenge, ChallengeList, Document, Enrolment, ListedChallenge, NewTeams
from raim.server import database as tables
from raim.server.actions.teams import find_terms
from raim.server.database import Appointment, Member, User
from raim.server.queries import challenge as queries
from raim.server.web.context import RequestContext
from raim.server.web.routes.challenge import show_challenge
from raim.server.web.routes.teams import begin_team
from raim.server.web.routing import Area

area = Area("challenge", prefix="")


@area.get("/", who="anyone", template="root", is_api=False)
def show_root(context: RequestContext) -> Challenge | ChallengeList:
    """Show the page of the one challenge, or the list of all."""
    if context.hosted.only and context.chosen is not None:
        return show_challenge(context)
    return _list(context)


@area.get("/challenges", who="anyone")
def list_challenges(context: RequestContext) -> list[ListedChallenge]:
    """Return the challenges of this server."""
    return _list(context).listed


def _list(context: RequestContext) -> ChallengeList:
    session, viewer = context.session, context.viewer
    held = select(Appointment.challenge_id).where(
        Appointment.user_id == viewer.user_id, Appointment.office == "organiser"
    )
    return queries.list_challenges(
        session,
        context.server.challenges(session),
        context.now,
        runs=session.scalars(held).all() if viewer.is_user else (),
        is_administrator=viewer.is_administrator,
        standings=context.server.standings,
    )


@area.get("/enrol", who="user", template="enrol", is_api=False)
def show_enrolment(context: RequestContext) -> Enrolment:
    """Show the challenges that are not over, in which one has no team yet."""
    own = select(tables.Challenge.slug).join(Member, Member.challenge_id == tables.Challenge.id)
    there = set(context.session.scalars(own.where(Member.user_id == context.user_id)))
    listed = [
        each
        for each in _list(context).listed
        if each.id not in there and each.when != "closed" and each.status == "open"
    ]
    user = context.session.get_one(User, context.user_id)
    found = (context.server.challenge(context.session, each.id) for each in listed)
    return Enrolment(listed=listed, terms={each.definition.id: find_terms(each, user) for each in found})


@area.post("/enrol", who="user", page=show_enrolment, then="/", note="team", is_api=False)
def enrol(context: RequestContext, wanted: NewTeams) -> None:
    """Make a team of one name in several challenges, in all or in none."""
    known = {each.id for each in show_enrolment(context).listed}
    for slug in dict.fromkeys(wanted.challenges):
        if slug not in known:
            raise UnknownNameError(f"you can make no team in {slug[:80]!r}; tick challenges of the list")
        challenge = context.server.challenge(context.session, slug)
        begin_team(context, challenge, wanted.name, consents=slug in wanted.consents)


@area.get("/series.css", who="anyone", is_page=True, is_api=False)
def give_colours(context: RequestContext) -> Response:
    """Return the series' colours."""
    series = context.hosted.series or Series(name="")
    light = f":root {{ --accent: {series.accent}; }}" if series.accent else ""
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {series.accent_dark or series.accent}; }} }}"
    return Response(f"{light} {dark if light else ''}\n", media_type="text/css")


@area.get("/robots.txt", who="anyone", is_page=True, is_api=False)
def show_robots(context: RequestContext) -> PlainTextResponse:
    """Return robots.txt: what crawlers may read."""
    del context
    return PlainTextResponse("User-agent: *\nDisallow: /api/\nDisallow: /c/*/desk\nDisallow: /login\n")


@area.get("/api", who="anyone", template="api", is_api=False)
def show_document(context: RequestContext) -> Document:
    """Show the API's routes as a page, without anything from elsewhere."""
    return Document(paths=_document(context)["paths"])


@area.get("/api/v1/openapi.json", who="anyone", is_page=True, is_api=False)
def give_document(context: RequestContext) -> JSONResponse:
    """Return the OpenAPI document."""
    return JSONResponse(_document(context))


def _document(context: RequestContext) -> dict[str, Any]:
    app = context.request.app
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        made.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"token": []}]
        app.openapi_schema = made
    document: dict[str, Any] = app.openapi_schema
    return document
