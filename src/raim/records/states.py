"""The states of a submission: the one table of what each is called, what may follow, and what holds in it.

Pages, API, client, jobs, backup and the database's constraints ask this table; none of them compares the words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A state of submissions.

    Attributes:
        label: What people read.
        badge: Class of its badge.
        ending: How `raim submit` says that this is the end; "" while more comes by itself.
        following: States that may follow.
        is_arriving: The file is on its way.
        is_in_check: It waits for its check, or is being checked.
        is_queued: It waits to be scored.
        is_in_scoring: A worker scores it.
        has_score: It has results, and is on the leaderboard.
        is_handed_over: It was checked and is not scored: the organisers have it.
        is_restartable: An organiser may start it again from its check.
        is_withdrawn: Its team has taken it back.
        has_file: The file has come whole.
        is_checked: The check has found images in it, which are shown; it may be chosen to count.
        needs_reason: The team is shown why.
        is_free: It gives its try back, whatever was before.
        is_refused: The check found it wrong.
        is_free_to_withdraw: Nothing was learnt from it, so withdrawing it gives the try back.
    """

    label: str
    badge: Literal["busy", "good", "bad", "quiet"]
    ending: str = ""
    following: frozenset[str] = frozenset()
    is_arriving: bool = False
    is_in_check: bool = False
    is_queued: bool = False
    is_in_scoring: bool = False
    has_score: bool = False
    is_handed_over: bool = False
    is_restartable: bool = False
    is_withdrawn: bool = False
    has_file: bool = True
    is_checked: bool = False
    needs_reason: bool = False
    is_free: bool = False
    is_refused: bool = False
    is_free_to_withdraw: bool = False

    @property
    def is_under_way(self) -> bool:
        """Whether more comes by itself."""
        return not self.ending

    @property
    def is_withdrawable(self) -> bool:
        """Whether its team may take it back."""
        return "withdrawn" in self.following

    @property
    def is_good(self) -> bool:
        """Whether it has come to a good end."""
        return self.has_score or self.is_handed_over

    @property
    def is_waiting(self) -> bool:
        """Whether workers have something to do for it, or will."""
        return self.is_in_check or self.is_queued or self.is_in_scoring

    @property
    def is_taken(self) -> bool:
        """Whether the server has the file and works on it, or has done so well: it need not be sent again."""
        return self.has_file and (self.is_under_way or self.is_good)


STATES: Mapping[str, State] = MappingProxyType(
    {
        "receiving": State(
            label="upload under way",
            badge="busy",
            following=frozenset({"checking", "withdrawn", "abandoned", "failed"}),
            is_arriving=True,
            has_file=False,
            is_free_to_withdraw=True,
        ),
        "checking": State(
            label="being checked",
            badge="busy",
            following=frozenset({"queued", "accepted", "refused", "withdrawn", "failed"}),
            is_in_check=True,
            is_free_to_withdraw=True,
        ),
        "queued": State(
            label="waiting to be scored",
            badge="busy",
            following=frozenset({"scoring", "withdrawn", "failed"}),
            is_queued=True,
            is_checked=True,
            is_free_to_withdraw=True,
        ),
        "scoring": State(
            label="being scored",
            badge="busy",
            # "queued": the worker is gone, or the server's fault passes.
            following=frozenset({"queued", "scored", "withdrawn", "failed"}),
            is_in_scoring=True,
            is_checked=True,
        ),
        "scored": State(  # scored again under a new version it stays so: only results are added
            label="scored",
            badge="good",
            ending="is scored",
            following=frozenset({"withdrawn"}),
            has_score=True,
            is_checked=True,
        ),
        "accepted": State(
            label="accepted",
            badge="good",
            ending="is accepted",
            following=frozenset({"withdrawn"}),
            is_handed_over=True,
            is_checked=True,
        ),
        "refused": State(
            label="refused",
            badge="bad",
            ending="is refused, and takes no try",
            is_refused=True,
            needs_reason=True,
            is_free=True,
        ),
        "failed": State(
            label="failed by our fault",
            badge="bad",
            ending="has failed through the server's fault, and takes no try",
            following=frozenset({"checking", "withdrawn"}),
            is_restartable=True,
            needs_reason=True,
            is_free=True,
        ),
        "withdrawn": State(label="withdrawn", badge="quiet", ending="was withdrawn", is_withdrawn=True),
        "abandoned": State(
            label="given up",
            badge="quiet",
            ending="was abandoned, and takes no try",
            has_file=False,
            is_free=True,
        ),
    }
)


def named(claim: str) -> tuple[str, ...]:
    """Return the names of the states of which a claim holds: an attribute of `State`.

    Example:
        >>> named("is_checked")
        ('queued', 'scoring', 'scored', 'accepted')
    """
    return tuple(name for name, state in STATES.items() if getattr(state, claim))
