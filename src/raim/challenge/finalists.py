"""Who goes on: the first teams of a leaderboard, and the next ones in the places of those who decline."""

from collections.abc import Sequence
from dataclasses import dataclass

from raim.challenge.leaderboard import BoardRow
from raim.errors import InputError, unknown_name


@dataclass(frozen=True, kw_only=True, slots=True)
class FinalPlace:
    """A place in the final.

    Attributes:
        team: Who is invited.
        rank: Its rank on the leaderboard.
        place: From 1; the first places belong to the first teams.
        replaces: The team that had the place before and declined; None for the first one.
    """

    team: str
    rank: int
    place: int
    replaces: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finalists:
    """The result.

    Attributes:
        invited: By place; who has declined is not among them.
        declined: The places of those who have declined, in the order in which they did.
        waiting: Teams that come next, in order.
        n_vacant: Places for which there is no team.
        tied_out: Teams without a place though they share the rank of one that has one: it submitted earlier.
    """

    invited: tuple[FinalPlace, ...]
    declined: tuple[FinalPlace, ...] = ()
    waiting: tuple[str, ...] = ()
    n_vacant: int = 0
    tied_out: tuple[str, ...] = ()


def choose_finalists(leaderboard: Sequence[BoardRow], n: int, *, declined: Sequence[str] = ()) -> Finalists:
    """Invite the first teams with a rank.

    Args:
        leaderboard: What `rank_entries` gives.
        n: How many places there are, at least 1.
        declined: Teams that do not take part, in the order in which that became known. One that has a place leaves
            it to the next team; one that has none is passed over.

    Raises:
        InputError: There is no place.
        UnknownNameError: A team that declined has no rank.

    Example:
        >>> from datetime import UTC, datetime
        >>> from raim.challenge.leaderboard import BoardEntry, rank_entries
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> scores = {"A": 70.0, "B": 80.0, "C": 60.0}
        >>> board = rank_entries(
        ...     BoardEntry(id=team, team=team, submitted_at=noon, score=scores[team]) for team in scores
        ... )
        >>> [(each.team, each.replaces) for each in choose_finalists(board, 2, declined=["B"]).invited]
        [('C', 'B'), ('A', None)]
    """
    if n < 1:
        raise InputError(f"there are {n} places for finalists; expected at least 1")
    ranks = {row.entry.team: row.rank for row in leaderboard if row.rank is not None}
    for team in declined:
        if team not in ranks:
            raise unknown_name("ranked team", team, ranks)
    queue = list(ranks)
    places = {place: _invite(team, ranks, place) for place, team in enumerate(queue[:n], start=1)}
    queue = queue[n:]
    gone: list[FinalPlace] = []
    for team in dict.fromkeys(declined):
        if team in queue:
            queue.remove(team)
            continue
        left = next(each for each in places.values() if each.team == team)
        gone.append(left)
        del places[left.place]
        if queue:
            places[left.place] = _invite(queue.pop(0), ranks, left.place, replaces=team)
    invited = tuple(places[place] for place in sorted(places))
    lowest = max((each.rank for each in invited), default=0)
    return Finalists(
        invited=invited,
        declined=tuple(gone),
        waiting=tuple(queue),
        n_vacant=n - len(invited),
        tied_out=tuple(team for team in queue if ranks[team] <= lowest),
    )


def _invite(team: str, ranks: dict[str, int], place: int, replaces: str | None = None) -> FinalPlace:
    return FinalPlace(team=team, rank=ranks[team], place=place, replaces=replaces)
