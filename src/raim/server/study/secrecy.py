"""While judges vote nobody may connect a name with an image: no gallery and no results until the study is revealed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import StateError
from raim.server.contest import Contest
from raim.server.database import Study

UNDER_WAY = ("open", "closed")


def studies_under_way(session: Session, contest: Contest) -> list[Study]:
    """Give the studies that judges vote in, or whose votes nobody has seen yet."""
    found = (
        select(Study).where(Study.challenge_id == contest.id, Study.state.in_(UNDER_WAY)).order_by(Study.id)
    )
    return list(session.scalars(found))


def check_may_publish(session: Session, contest: Contest) -> None:
    """Refuse to show names beside images while a study is under way.

    Raises:
        StateError: One is open, or closed and not revealed.
    """
    found = studies_under_way(session, contest)
    if found:
        study = found[0]
        way_out = "close and reveal it" if study.state == "open" else "reveal it"
        raise StateError(
            f"the study “{study.title}” is {study.state}: while it is, nobody may connect teams with images; "
            f"{way_out}, or put it aside, then publish"
        )


def check_may_open(contest: Contest) -> None:
    """Refuse to let judges vote on images that the gallery shows with names.

    Raises:
        StateError: The results are published.
    """
    if contest.results_published_at is not None:
        raise StateError(
            "the gallery shows the teams' images with their names; hide it on the checklist's page, then open the study"
        )
