"""The answer to "may I": yes, or no with the reason and when it would be possible."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """An answer.

    Attributes:
        is_allowed: Whether it may be done now.
        reason: Why not, as a sentence without its full stop; "" if it may.
        next_possible: From when on it may be done as far as dates say; None if it may now, or never.
    """

    is_allowed: bool
    reason: str = ""
    next_possible: datetime | None = None


ALLOWED = Verdict(is_allowed=True)


def refused(reason: str, next_possible: datetime | None = None) -> Verdict:
    """Make a no.

    Example:
        >>> refused("the phase is closed").is_allowed
        False
    """
    return Verdict(is_allowed=False, reason=reason, next_possible=next_possible)
