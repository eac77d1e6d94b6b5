"""Which submissions wait to be scored, in which order, and which of them go together; what pages say of it.

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

from sqlalchemy import func, or_, select, true
from sqlalchemy.orm import Session

from raim.records.desk import Queue, Worker
from raim.records.submissions import QueuePlace
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Challenge, DataSet, Image, Submission, WorkerHeartbeat
from raim.server.jobs.context import live_workers, serves

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
    places: Counter[tuple[str, bool]] = Counter()
    passes: dict[int, int] = {}
    for each in fair:
        passes[each.submission_id] = places[each.challenge, each.is_again] // MOST_TOGETHER
        places[each.challenge, each.is_again] += 1
    last, never = served or {}, datetime.min.replace(tzinfo=UTC)
    waits_since = {each.challenge: (last.get(each.challenge, never), each.challenge) for each in fair}
    return sorted(fair, key=lambda one: (one.is_again, passes[one.submission_id], waits_since[one.challenge]))


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


def queue_places(session: Session, now: datetime, submission_ids: Sequence[int]) -> dict[int, QueuePlace]:
    """Say where submissions stand in the queue, with few questions however many there are.

    Counted are the images under way, those of every group before its own, and its own group's, whose members
    are done together; all at the pace that the live workers of its challenge measured, and but for groups that none
    of them serves. There is no time for what does not wait, or while no such worker lives that has measured its pace.
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
    live = live_workers(session, now)
    under_way, times = _images_under_way(session), {}
    workers = {
        each.challenge: [row for row in live if serves(row.challenges, each.challenge)] for each in waiting
    }
    paces = {challenge: _images_per_second(rows) for challenge, rows in workers.items()}
    ahead = dict.fromkeys(workers, under_way)
    for group in list_groups(waiting):
        own = group[0].challenge
        for challenge, rows in workers.items():
            if any(serves(row.challenges, own) for row in rows):
                ahead[challenge] += sum(each.n_images for each in group)
        if pace := paces[own]:
            times.update({each.submission_id: now + timedelta(seconds=ahead[own] / pace) for each in group})
    leased = select(Submission.id, Submission.lease_owner).where(
        Submission.id.in_(submission_ids),
        Submission.lease_owner.is_not(None),
        or_(Submission.where("is_in_scoring"), Submission.where("has_score")),
    )
    owners = {row.id: row.lease_owner for row in session.execute(leased)}
    for owner in set(owners.values()):
        pace = _images_per_second([row for row in live if row.name == owner]) or _images_per_second(live)
        if pace:
            end = now + timedelta(seconds=_images_under_way(session, owner=owner) / pace)
            times.update({each: end for each, name in owners.items() if name == owner})
    return times


def queue_overview(session: Session, now: datetime, challenge: CurrentChallenge | None = None) -> Queue:
    """Say how the queue stands, for one challenge (its states and workers; what waits is everybody's) or for all.

    There is no time while nobody serves something that waits.
    """
    own = true() if challenge is None else Submission.phase_id.in_(challenge.phase_ids.values())
    counts = session.execute(select(Submission.state, func.count()).where(own).group_by(Submission.state))
    states = {state: count for state, count in counts}  # noqa: C416 - rows are no pairs to mypy
    waiting = read_waiting(session)
    images = _images_under_way(session) + sum(each.n_images for each in waiting)
    live = live_workers(session, now)
    served = all(any(serves(row.challenges, each.challenge) for row in live) for each in waiting)
    pace = _images_per_second(live) if served else None
    if challenge is not None:
        live = [row for row in live if serves(row.challenges, challenge.definition.id)]
    return Queue(
        states=states,
        workers=[_worker(row, challenge) for row in live],
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


def _images_per_second(workers: Sequence[WorkerHeartbeat]) -> float | None:
    """Add the paces of workers; one that has not measured its own is taken to be as fast as the others."""
    paces = [1 / row.seconds_per_image for row in workers if row.seconds_per_image]
    if not paces:
        return None
    return sum(paces) / len(paces) * len(workers)


def _worker(row: WorkerHeartbeat, challenge: CurrentChallenge | None) -> Worker:
    """Return its record; organisers of a challenge are told of no other one that it serves."""
    if challenge is None or not row.challenges:
        return Worker.of_row(row)
    return Worker.of_row(row, challenges=[challenge.definition.id])
