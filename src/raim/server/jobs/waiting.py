"""Which submissions wait to be scored, in which order, and which of them go together.

Challenges take turns, a pass of up to six each, and the one that was served longest ago comes first: so one with a
thousand waiting delays another by a pass. Within a challenge, a team's second waiting submission comes after every
other team's first, and a team that had more scored within a day comes later: so a team that sends twenty at once
delays nobody else by more than one. Entries that are to be
scored again under a new version come after new ones. Up to six of one data set are scored in one pass, since then
what a measure computes on the references is computed once.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from raim.server.database import Challenge, DataSet, Image, Submission
from raim.server.jobs.context import serves

MOST_TOGETHER = 6
RECENT = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A submission that waits to be scored under the newest versions; `is_again`: it has results under others."""

    submission_id: int
    team_id: int
    data_set_id: int
    received_at: datetime
    challenge: str = ""
    is_again: bool = False
    attempt: int = 0
    n_images: int = 0
    scorer_version: str = ""
    reference_version: str = ""


def order_waiting(
    waiting: Sequence[Waiting], recent: Mapping[int, int], served: Mapping[str, datetime] | None = None
) -> list[Waiting]:
    """Put what waits into order.

    Args:
        waiting: In any order.
        recent: How many submissions of a team are under way or were scored within a day.
        served: When a submission of a challenge was last begun or scored.

    Example:
        >>> noon = datetime.fromisoformat("2026-03-01T12:00Z")
        >>> waiting = [
        ...     Waiting(submission_id=number, team_id=team, data_set_id=1, received_at=noon + timedelta(minutes=number))
        ...     for number, team in enumerate((7, 7, 7, 8, 9))
        ... ]
        >>> [each.submission_id for each in order_waiting(waiting, {9: 1})]
        [0, 3, 1, 4, 2]
    """
    turns = Counter(recent)
    turn_of: dict[int, int] = {}
    for each in sorted(waiting, key=lambda one: (one.is_again, one.received_at, one.submission_id)):
        turn_of[each.submission_id] = turns[each.team_id]
        turns[each.team_id] += 1
    fair = sorted(
        waiting,
        key=lambda one: (one.is_again, turn_of[one.submission_id], one.received_at, one.submission_id),
    )
    places: Counter[tuple[str, bool]] = Counter()
    passes: dict[int, int] = {}
    for each in fair:
        passes[each.submission_id] = places[each.challenge, each.is_again] // MOST_TOGETHER
        places[each.challenge, each.is_again] += 1
    last, never = served or {}, datetime.min.replace(tzinfo=UTC)
    waits_since = {each.challenge: (last.get(each.challenge, never), each.challenge) for each in fair}
    return sorted(fair, key=lambda one: (one.is_again, passes[one.submission_id], waits_since[one.challenge]))


def next_group(ordered: Sequence[Waiting], *, most: int = MOST_TOGETHER) -> list[Waiting]:
    """Return those that are scored together next: the first, and the next ones of its data set."""
    kinds = [(each.data_set_id, each.is_again, each.scorer_version) for each in ordered]
    return [each for each, kind in zip(ordered, kinds, strict=True) if kind == kinds[0]][:most]


def list_groups(ordered: Sequence[Waiting]) -> list[list[Waiting]]:
    """Return all groups in the order in which they come to be scored, as far as can be known now."""
    groups: list[list[Waiting]] = []
    filling: dict[tuple[object, ...], list[Waiting]] = {}
    for each in ordered:
        kind = each.data_set_id, each.is_again, each.scorer_version
        if len(filling.get(kind, ())) in {0, MOST_TOGETHER}:
            filling[kind] = []
            groups.append(filling[kind])
        filling[kind].append(each)
    return groups


def read_waiting(session: Session, challenges: Collection[str] = ()) -> list[Waiting]:
    """Read what waits to be scored in some challenges, or in all, in the order in which it will be."""
    # Columns and not whole rows, whose reports are long: this runs with every tick and every look at a page.
    counts = select(Image.data_set_id, func.count().label("n_images")).group_by(Image.data_set_id).subquery()
    rows = session.execute(
        select(
            Submission.id.label("submission_id"),
            Submission.team_id,
            Submission.data_set_id,
            Submission.received_at,
            Submission.where("has_score").label("is_again"),
            Submission.attempt,
            func.coalesce(counts.c.n_images, 0).label("n_images"),
            Challenge.slug.label("challenge"),
            DataSet.version.label("reference_version"),
            Challenge.scorer_version,
        )
        .join(DataSet, DataSet.id == Submission.data_set_id)
        .join(Challenge, Challenge.id == DataSet.challenge_id)
        .outerjoin(counts, counts.c.data_set_id == DataSet.id)
        .where(
            Submission.kind == "scored",
            or_(
                Submission.where("is_queued"),
                Submission.rescore_asked_at.is_not(None) & Submission.lease_owner.is_(None),
            ),
        )
    )
    waiting = [Waiting(**row._asdict()) for row in rows]
    if not waiting:
        return []
    is_one = len({each.challenge for each in waiting}) == 1
    served = {} if is_one else _last_served(session)
    ordered = order_waiting(waiting, _count_recent(session, waiting), served)
    return [each for each in ordered if serves(challenges, each.challenge)]


def _last_served(session: Session) -> dict[str, datetime]:
    rows = session.execute(
        select(Challenge.slug, func.max(Submission.state_at))
        .join(DataSet, DataSet.challenge_id == Challenge.id)
        .join(Submission, Submission.data_set_id == DataSet.id)
        .where(
            Submission.kind == "scored",
            or_(Submission.where("is_in_scoring"), Submission.where("has_score")),
        )
        .group_by(Challenge.slug)
    )
    return {slug: at for slug, at in rows}  # noqa: C416 - rows are no pairs to mypy


def _count_recent(session: Session, waiting: Sequence[Waiting]) -> dict[int, int]:
    """Count each team's submissions under way, and those scored within the day before the newest that waits."""
    since = max(each.received_at for each in waiting) - RECENT
    counts = session.execute(
        select(Submission.team_id, func.count())
        .where(
            Submission.kind == "scored",
            or_(
                Submission.where("is_in_scoring"),
                Submission.where("has_score") & (Submission.state_at > since),
            ),
        )
        .group_by(Submission.team_id)
    )
    return {team: count for team, count in counts}  # noqa: C416 - rows are no pairs to mypy
