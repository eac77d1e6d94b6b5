"""Which submissions wait to be scored, in which order, and which of them go together.

A team's second waiting submission comes after every other team's first, and a team that had more scored within a
day comes later: so a team that sends twenty at once delays nobody else by more than one. Entries that are to be
scored again under a new version come after new ones. Up to six of one data set are scored in one pass, since then
what a measure computes on the references is computed once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from raim.records import STATES
from raim.server.database import Challenge, DataSet, Image, Submission

MOST_TOGETHER = 6
RECENT = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A submission that waits to be scored.

    Attributes:
        submission_id: Which.
        team_id: Whose.
        data_set_id: What it restores.
        received_at: When it arrived.
        is_again: It has results, and is to be scored under another version.
        attempt: How many leases it had.
        n_images: Images of its data set.
        scorer_version: The newest.
        reference_version: The newest.
    """

    submission_id: int
    team_id: int
    data_set_id: int
    received_at: datetime
    is_again: bool = False
    attempt: int = 0
    n_images: int = 0
    scorer_version: str = ""
    reference_version: str = ""


def order_waiting(waiting: Sequence[Waiting], recent: Mapping[int, int]) -> list[Waiting]:
    """Put what waits into the order in which it is scored.

    Args:
        waiting: In any order.
        recent: For each team, how many of its submissions are under way or were scored within a day.

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
    return sorted(
        waiting,
        key=lambda one: (one.is_again, turn_of[one.submission_id], one.received_at, one.submission_id),
    )


def next_group(ordered: Sequence[Waiting], *, most: int = MOST_TOGETHER) -> list[Waiting]:
    """Give those that are scored together next: the first, and the next ones of its data set."""
    if not ordered:
        return []
    first = ordered[0]
    alike = [
        each
        for each in ordered
        if (each.data_set_id, each.is_again, each.scorer_version)
        == (first.data_set_id, first.is_again, first.scorer_version)
    ]
    return alike[:most]


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
    rows = session.execute(
        select(
            Submission.id,
            Submission.team_id,
            Submission.data_set_id,
            Submission.received_at,
            Submission.state,
            Submission.attempt,
            DataSet.version,
            Challenge.scorer_version,
        )
        .join(DataSet, DataSet.id == Submission.data_set_id)
        .join(Challenge, Challenge.id == DataSet.challenge_id)
        .where(
            Submission.kind == "scored",
            or_(
                Submission.where("is_queued"),
                Submission.rescore_asked_at.is_not(None) & Submission.lease_owner.is_(None),
            ),
        )
    ).all()
    if not rows:
        return []
    n_images = _count_images(session)
    waiting = [
        Waiting(
            submission_id=row.id,
            team_id=row.team_id,
            data_set_id=row.data_set_id,
            received_at=row.received_at,
            is_again=STATES[row.state].has_score,
            attempt=row.attempt,
            n_images=n_images.get(row.data_set_id, 0),
            scorer_version=row.scorer_version,
            reference_version=row.version,
        )
        for row in rows
    ]
    return order_waiting(waiting, _count_recent(session, waiting))


def _count_images(session: Session) -> dict[int, int]:
    counts = session.execute(select(Image.data_set_id, func.count()).group_by(Image.data_set_id))
    return {data_set: count for data_set, count in counts}  # noqa: C416 - rows are no pairs to mypy


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
