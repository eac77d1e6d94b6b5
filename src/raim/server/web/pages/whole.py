"""What a server has once, whatever its challenges: its first page, the list of challenges, health."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from raim.server.web.context import Admitted
from raim.server.web.pages.public import show_home

router = APIRouter()


class ListedChallenge(BaseModel):
    """A challenge of this server, by the id of its addresses."""

    id: str
    name: str
    page: str


@router.get("/", name="root", include_in_schema=False)
def show_root(context: Admitted) -> Response:
    """Show the page of the one challenge."""
    return show_home(context)


@router.get("/api/v1/challenges", name="api.challenges", tags=["challenge"])
def list_challenges(context: Admitted) -> list[ListedChallenge]:
    """Give the challenges of this server."""
    challenge = context.contest.challenge
    return [ListedChallenge(id=challenge.id, name=challenge.name, page=f"{context.here}/")]


@router.get("/health", name="health", include_in_schema=False)
def show_health(context: Admitted) -> PlainTextResponse:
    """Answer a watch: the database was asked on the way here."""
    return PlainTextResponse(f"ok {context.now.isoformat(timespec='seconds')}\n")


@router.get("/robots.txt", name="robots", include_in_schema=False)
def show_robots(context: Admitted) -> PlainTextResponse:
    """Tell crawlers what is public."""
    del context
    return PlainTextResponse("User-agent: *\nDisallow: /api/\nDisallow: /c/*/desk\nDisallow: /login\n")
