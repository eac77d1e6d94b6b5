"""The gallery of results, once an organiser has published it: the finalists' images beside the inputs, with names."""

from dataclasses import dataclass

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.challenge import Phase
from raim.errors import UnknownNameError
from raim.server.database import Image, Submission, Team
from raim.server.queries.submissions import find_image
from raim.server.web.context import Admitted, Context
from raim.server.web.pages.results import check_published
from raim.server.web.rendering import render
from raim.server.web.restored import read_restored
from raim.server.web.routes.data import give_stored

router = APIRouter(include_in_schema=False)
MOST = 20  # teams


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the gallery shows.

    Attributes:
        phase: Whose submissions.
        entries: (submission, team's name), in the order of names.
        images: Images of their data set, in the order of names.
    """

    phase: Phase
    entries: list[tuple[Submission, str]]
    images: list[Image]


@router.get("/gallery", name="gallery")
def show_gallery(context: Admitted, image: str = "") -> Response:
    """Show one image after the other, as every team has restored it."""
    with context.server.database.reading() as session:
        check_published(context, session)
        shown = _find(context, session)
        if shown is None:
            return render(context, "gallery.html.jinja", shown=None, image=None)
        names = [each.name for each in shown.images]
        place = names.index(image) if image in names else 0
        return render(
            context,
            "gallery.html.jinja",
            shown=shown,
            image=shown.images[place],
            before=names[place - 1] if place else None,
            after=names[place + 1] if place + 1 < len(names) else None,
        )


@router.get("/gallery/{source}/{name}", name="gallery.image")
def give_image(context: Admitted, source: str, name: str) -> Response:
    """Give an input (source "input"), or the restored image of a submission that the gallery shows."""
    with context.server.database.reading() as session:
        check_published(context, session)
        shown = _find(context, session)
        for submission, _ in () if shown is None else shown.entries:
            image = find_image(session, submission, name)
            if source == "input":
                return give_stored(
                    context, image.input_sha256, name=image.input_name, n_bytes=image.input_bytes
                )
            if source == str(submission.id):
                return read_restored(context.server.storage, submission.committed_sha256, image.name)
    raise UnknownNameError("the gallery has no such image")


def _find(context: Context, session: Session) -> Shown | None:
    """Give the last phase that has something to show: its final submissions, else those that count on its board."""
    for phase in reversed(context.contest.challenge.phases):
        entries = (
            _final_entries(context, session, phase)
            if phase.final
            else _scored_entries(context, session, phase)
        )
        if entries:
            images = session.scalars(
                select(Image).where(Image.data_set_id == entries[0][0].data_set_id).order_by(Image.name)
            ).all()
            return Shown(phase=phase, entries=entries[:MOST], images=list(images))
    return None


def _final_entries(context: Context, session: Session, phase: Phase) -> list[tuple[Submission, str]]:
    """Give the chosen final submission of each team, its newest where none is chosen."""
    rows = session.execute(
        select(Submission, Team.name)
        .join(Team, Team.id == Submission.team_id)
        .where(
            Submission.phase_id == context.contest.phase_ids[phase.id],
            Submission.kind == "final",
            Submission.where("is_handed_over"),
            Team.state == "approved",
        )
        .order_by(Submission.is_chosen, Submission.id)
    )
    newest = {submission.team_id: (submission, team) for submission, team in rows}
    return sorted(newest.values(), key=lambda entry: entry[1].casefold())


def _scored_entries(context: Context, session: Session, phase: Phase) -> list[tuple[Submission, str]]:
    if phase.scored is None:
        return []
    standings = context.server.standings.get(session, context.contest, phase, context.server.profile)
    ranked = [each for each in standings.rows if each.row.rank is not None][:MOST]
    return [(session.get_one(Submission, each.submission_id), each.team) for each in ranked]
