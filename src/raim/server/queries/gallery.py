"""The gallery of results: which submissions and images it shows."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Phase
from raim.errors import UnknownNameError
from raim.records.gallery import Gallery, GalleryEntry
from raim.scoring.profiles import Profile
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Image, Submission, Team
from raim.server.standings import StandingsCache
from raim.server.submissions.choices import final_submissions

MOST = 20  # teams
Entries = list[tuple[Submission, str]]  # with the team's name


def read_gallery(
    session: Session, challenge: CurrentChallenge, image: str, *, standings: StandingsCache, profile: Profile
) -> Gallery:
    """Return what the gallery shows of an image; of the first one where there is none of that name."""
    phase, entries = _find(session, challenge, standings, profile)
    images = _images(session, entries)
    names = [each.name for each in images]
    place = names.index(image) if image in names else 0
    shown = images[place] if images else None
    return Gallery(
        phase="" if phase is None else phase.name,
        entries=[GalleryEntry(submission_id=each.id, team=team) for each, team in entries],
        image=None if shown is None else shown.name,
        scenario="" if shown is None else shown.scenario or "",
        before=names[place - 1] if place else None,
        after=names[place + 1] if place + 1 < len(names) else None,
        n_images=len(names),
    )


def find_pictured(
    session: Session,
    challenge: CurrentChallenge,
    source: str,
    name: str,
    *,
    standings: StandingsCache,
    profile: Profile,
) -> tuple[Image, Submission | None]:
    """Return an image of the gallery, with the submission that restored it; None for the input.

    Raises:
        UnknownNameError: The gallery does not show it.
    """
    _, entries = _find(session, challenge, standings, profile)
    image = next((each for each in _images(session, entries) if each.name == name), None)
    by_source = {str(submission.id): submission for submission, _ in entries}
    if image is None or (source != "input" and source not in by_source):
        raise UnknownNameError("the gallery has no such image")
    return image, by_source.get(source)


def _images(session: Session, entries: Entries) -> list[Image]:
    if not entries:
        return []
    found = select(Image).where(Image.data_set_id == entries[0][0].data_set_id).order_by(Image.name)
    return list(session.scalars(found))


def _find(
    session: Session, challenge: CurrentChallenge, standings: StandingsCache, profile: Profile
) -> tuple[Phase | None, Entries]:
    """Return the last phase that has something to show: its final submissions, else those that count on its board."""
    for phase in reversed(challenge.definition.phases):
        entries: Entries = []
        if phase.final:
            entries = _final_entries(session, challenge, phase)
        elif phase.scored is not None:
            board = standings.get(session, challenge, phase, profile)
            ranked = [each for each in board.rows if each.rank is not None][:MOST]
            entries = [(session.get_one(Submission, each.submission_id), each.team) for each in ranked]
        if entries:
            return phase, entries[:MOST]
    return None, []


def _final_entries(session: Session, challenge: CurrentChallenge, phase: Phase) -> Entries:
    """Return the final submission of each approved team that counts, in the order of names."""
    teams = session.scalars(
        select(Team)
        .where(Team.challenge_id == challenge.id, Team.state == "approved")
        .order_by(Team.name_key)
    )
    finals = final_submissions(session, challenge, phase)
    return [(finals[team.id], team.name) for team in teams if team.id in finals]
