"""Which submissions wait to be scored, in which order, and which of them go together; what pages say of it.

Challenges take turns, a pass of up to six each, and the one that was served longest ago comes first: so one with a
thousand waiting delays another by a pass. Within a challenge, a team's second waiting submission comes after every
other team's first, and a team that had more scored within a day comes later: so a team that sends twenty at once
delays nobody else by more than one. Entries that are to be
scored again under a new version come after new ones. Up to six of one data set are scored in one pass, since then
what a measure computes on the references is computed once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, or_, select, true
from sqlalchemy.orm import Session

from raim.records.desk import Queue, Worker
from raim.records.submissions import QueuePlace
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Challenge, DataSet, Image, Submission
from raim.server.jobs.context import live_workers

MOST_TOGETHER = 6
RECENT = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A submission that waits to be scored under the newest versions; `is_again`: it has results under others."""

    submission_id: int
    team_id: int
    data_set_id: int
    received_at: datetime
    challenge_id: int = 0
    is_again: bool = False
    attempt: int = 0
    n_images: int = 0
    scorer_version: str = ""
    reference_version: str = ""


def order_waiting(
    waiting: Sequence[Waiting], recent: Mapping[int, int], served: Mapping[int, datetime] | None = None
) -> list[Waiting]:
    """Put what waits into order.

    Args:
        waiting: In any order.
        recent: How many submissions of a team are under way or were scored within a day.
        served: When a submission of a challenge was last taken up or scored.

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
    places: Counter[tuple[int, bool]] = Counter()
    passes: dict[int, int] = {}
    for each in fair:
        passes[each.submission_id] = places[each.challenge_id, each.is_again] // MOST_TOGETHER
        places[each.challenge_id, each.is_again] += 1
    last, never = served or {}, datetime.min.replace(tzinfo=UTC)
    waits_since = {
        each.challenge_id: (last.get(each.challenge_id, never), each.challenge_id) for each in fair
    }
    return sorted(
        fair, key=lambda one: (one.is_again, passes[one.submission_id], waits_since[one.challenge_id])
    )


def next_group(ordered: Sequence[Waiting], *, most: int = MOST_TOGETHER) -> list[Waiting]:
    """Give those that are scored together next: the first, and the next ones of its data set."""
    kinds = [(each.data_set_id, each.is_again, each.scorer_version) for each in ordered]
    return [each for each, kind in zip(ordered, kinds, strict=True) if kind == kinds[0]][:most]


def list_groups(ordered: Sequence[Waiting]) -> list[list[Waiting]]:
    """Give all groups in the order in which they come to be scored, as far as can be known now."""
    left, groups = list(ordered), []
    while group := next_group(left):
        taken = {each.submission_id for each in group}
        left = [each for each in left if each.submission_id not in taken]
        groups.append(group)
    return groups


def read_waiting(session: Session) -> list[Waiting]:
    """Read what waits to be scored, in the order in which it will be."""
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
            DataSet.challenge_id,
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
    is_one = len({each.challenge_id for each in waiting}) == 1
    served = {} if is_one else _last_served(session)
    return order_waiting(waiting, _count_recent(session, waiting), served)


def _last_served(session: Session) -> dict[int, datetime]:
    rows = session.execute(
        select(DataSet.challenge_id, func.max(Submission.state_at))
        .join(Submission, Submission.data_set_id == DataSet.id)
        .where(
            Submission.kind == "scored",
            or_(Submission.where("is_in_scoring"), Submission.where("has_score")),
        )
        .group_by(DataSet.challenge_id)
    )
    return {challenge_id: at for challenge_id, at in rows}  # noqa: C416 - rows are no pairs to mypy


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


def queue_places(session: Session, now: datetime, submission_ids: Sequence[int]) -> dict[int, QueuePlace]:
    """Say where submissions stand in the queue, with few questions however many there are.

    Counted are the images under way, those of every group before its own, and its own group's, whose members
    are done together; all at the pace that the live workers measured. There is no time for what does not wait, or
    while no worker lives that has measured its pace.
    """
    waiting = read_waiting(session)
    positions = {each.submission_id: place for place, each in enumerate(waiting, start=1)}
    times = _expect(session, now, waiting, submission_ids)
    return {
        each: QueuePlace(position=positions.get(each), expected_at=times.get(each)) for each in submission_ids
    }


def _expect(
    session: Session, now: datetime, waiting: list[Waiting], submission_ids: Sequence[int]
) -> dict[int, datetime]:
    pace = _images_per_second(session, now)
    if pace is None:
        return {}
    times, ahead = {}, _images_under_way(session)
    for group in list_groups(waiting):
        ahead += sum(each.n_images for each in group)
        times.update({each.submission_id: now + timedelta(seconds=ahead / pace) for each in group})
    leased = select(Submission.id, Submission.lease_owner).where(
        Submission.id.in_(submission_ids),
        Submission.lease_owner.is_not(None),
        or_(Submission.where("is_in_scoring"), Submission.where("has_score")),
    )
    owners = {row.id: row.lease_owner for row in session.execute(leased)}
    for owner in set(owners.values()):
        own = _images_per_second(session, now, name=owner) or pace
        end = now + timedelta(seconds=_images_under_way(session, owner=owner) / own)
        times.update({each: end for each, name in owners.items() if name == owner})
    return times


def queue_overview(session: Session, now: datetime, challenge: CurrentChallenge | None = None) -> Queue:
    """Say how the queue stands, for one challenge (its states; the queue is everybody's) or for all."""
    own = true() if challenge is None else Submission.phase_id.in_(challenge.phase_ids.values())
    counts = session.execute(select(Submission.state, func.count()).where(own).group_by(Submission.state))
    states = {state: count for state, count in counts}  # noqa: C416 - rows are no pairs to mypy
    waiting = read_waiting(session)
    images = _images_under_way(session) + sum(each.n_images for each in waiting)
    pace = _images_per_second(session, now)
    return Queue(
        states=states,
        workers=[Worker.of_row(row) for row in live_workers(session, now)],
        n_waiting=len(waiting),
        images_waiting=images,
        done_at=None if pace is None else now + timedelta(seconds=images / pace),
    )


def _images_under_way(session: Session, *, owner: str | None = None) -> int:
    left = select(func.sum(Submission.images_total - Submission.images_done)).where(
        Submission.lease_owner.is_not(None) if owner is None else Submission.lease_owner == owner,
        or_(Submission.where("is_in_scoring"), Submission.rescore_asked_at.is_not(None)),
    )
    return int(session.scalar(left) or 0)


def _images_per_second(session: Session, now: datetime, *, name: str | None = None) -> float | None:
    """Add the paces of the live workers; one that has not measured its own is taken to be as fast as the others."""
    live = [row for row in live_workers(session, now) if name is None or row.name == name]
    paces = [1 / row.seconds_per_image for row in live if row.seconds_per_image]
    if not paces:
        return None
    return sum(paces) / len(paces) * len(live)
