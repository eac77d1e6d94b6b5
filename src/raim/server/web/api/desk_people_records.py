"""The JSON forms of the organisers' part of the API that are about people: teams and accounts."""

from datetime import datetime

from raim.server.web.api.desk_records import Name
from raim.server.web.api.records import Record


class UserRecord(Record):
    """An account."""

    id: int
    login: str
    name: str
    email: str | None
    role: str
    team: str | None
    created_at: datetime
    disabled_at: datetime | None


class UserList(Record):
    """A page of accounts, by login."""

    users: list[UserRecord]
    n_rows: int
    page: int
    n_pages: int


class NewUser(Record):
    """An account to be made."""

    login: Name
    name: Name = ""
    email: Name = ""
    role: Name = "judge"


class UserChange(Record):
    """What is to be otherwise; what is left out stays."""

    role: Name | None = None
    is_disabled: bool | None = None


class ResetLink(Record):
    """An address with which a password is set once, within 24 hours; shown only here."""

    login: str
    url: str
