"""What a team has left."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Tries:
    """What a team has left in a phase for one kind of submission.

    Attributes:
        left_today: Tries that can be taken now by the limit of a day; None without a limit.
        left_in_all: The same by the limit of the phase.
        next_at: When the next try is possible: now, later, or None for never.
    """

    left_today: int | None
    left_in_all: int | None
    next_at: datetime | None
