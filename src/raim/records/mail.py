"""What the server has mailed or will, for organisers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from raim.records.record import Paged, Record

MailState = Literal["waiting", "taken", "sending", "sent", "joined", "failed", "unclear", "dropped"]
AGAIN = frozenset({"failed", "unclear"})  # may be sent again by an organiser


class MailLine(Record):
    """A mail to one address, without its text, which may hold a link that works."""

    id: int
    address: str
    kind: str
    what: str
    subject: str
    state: MailState
    state_at: datetime
    made_at: datetime
    due_at: datetime
    tries: int
    why: str = Field(description="of a failure, or of what is put off")

    @property
    def may_go_again(self) -> bool:
        """Whether an organiser may have it sent again."""
        return self.state in AGAIN


class MailList(Paged):
    """A page of mails, newest first."""

    mails: list[MailLine]
    state: str
    counts: dict[str, int] = Field(description="how many there are in each state")
