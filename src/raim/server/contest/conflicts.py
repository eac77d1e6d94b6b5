"""What a challenge's file must not change while teams take part: asked at every start and when it is read again."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Challenge
from raim.server import database as tables
from raim.server.database import DataSet, Phase, Submission


def find_conflicts(session: Session, challenge: Challenge) -> Iterator[str]:
    """Give what stands against taking a challenge into this database, each with a way out.

    Args:
        session: Any session.
        challenge: What the file says now.
    """
    ids = {row.slug: row.id for row in session.scalars(select(tables.Challenge))}
    if ids and challenge.id not in ids:
        yield (
            f"the file is of the challenge {challenge.id!r}, this server runs {', '.join(map(repr, ids))}; a server "
            "has one challenge: put its id back, or start another server with a folder and a database of its own"
        )
    elif ids:
        yield from _lost(session, ids[challenge.id], challenge)
        yield from _overlaps(session, ids[challenge.id], challenge)


def _lost(session: Session, challenge_id: int, challenge: Challenge) -> Iterator[str]:
    """Give phases and data sets that have submissions and are no longer in the file."""
    used_phases = session.scalars(
        select(Phase.slug)
        .where(Phase.challenge_id == challenge_id, Phase.id.in_(select(Submission.phase_id)))
        .order_by(Phase.slug)
    ).all()
    used_sets = session.scalars(
        select(DataSet.slug)
        .where(DataSet.challenge_id == challenge_id, DataSet.id.in_(select(Submission.data_set_id)))
        .order_by(DataSet.slug)
    ).all()
    phases = {phase.id for phase in challenge.phases}
    sets = {data_set.id for data_set in challenge.data_sets}
    for what, used, there in (("phase", used_phases, phases), ("data set", used_sets, sets)):
        for slug in used:
            if slug not in there:
                yield f"teams have submitted to the {what} {slug!r}, which is no longer in the file; put it back"


def _overlaps(session: Session, challenge_id: int, challenge: Challenge) -> Iterator[str]:
    """Give phases that would overlap: dates that were changed on the page stay while the file's own stay the same."""
    stated = {
        row.slug: row for row in session.scalars(select(Phase).where(Phase.challenge_id == challenge_id))
    }
    dates = []
    for phase in challenge.phases:
        row = stated.get(phase.id)
        is_same = row is not None and (row.stated_opens_at, row.stated_closes_at) == (
            phase.opens,
            phase.closes,
        )
        opens, closes = (
            (row.opens_at, row.closes_at) if row is not None and is_same else (phase.opens, phase.closes)
        )
        dates.append((opens, closes, phase.name))
    for (_, closes, name), (opens, _, following) in zip(sorted(dates), sorted(dates)[1:], strict=False):
        if opens < closes:
            yield (
                f"{following} would open at {opens:%Y-%m-%d %H:%M} UTC, before {name} closes at "
                f"{closes:%Y-%m-%d %H:%M} UTC as it was set on the page; change one of them"
            )
