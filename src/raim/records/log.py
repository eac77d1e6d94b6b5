"""The log of who did what."""

from datetime import datetime

from raim.records.record import Paged, Record


class Event(Record):
    """Something that was done; `actor` is None for the server itself."""

    id: int
    happened_at: datetime
    action: str
    actor: str | None
    subject: str
    subject_id: int | None
    address: str | None
    details: dict[str, object]


class EventList(Paged):
    """A page of the log, newest first; `actions` are all that there are, `action` and `actor` what was asked for."""

    events: list[Event]
    actions: list[str]
    action: str
    actor: str
