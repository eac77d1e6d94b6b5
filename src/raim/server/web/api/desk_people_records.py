"""The JSON forms of the organisers' part of the API that are about people: teams and accounts."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from raim.server.web.api.desk_records import Name, RowNumber
from raim.server.web.api.records import Number, Record


class TeamRecord(Record):
    """A team."""

    id: int
    name: str
    state: str
    is_baseline: bool
    is_out_of_competition: bool
    n_members: int
    n_submissions: int
    best_score: Number
    created_at: datetime


class TeamList(Record):
    """A page of teams, by name."""

    teams: list[TeamRecord]
    n_rows: int
    page: int
    n_pages: int


class TeamPerson(Record):
    """A member of a team."""

    login: str
    name: str
    email: str | None
    role: str
    joined_at: datetime


class TeamDetails(Record):
    """All about one team."""

    id: int
    name: str
    state: str
    is_baseline: bool
    is_out_of_competition: bool
    merged_into: int | None
    members: list[TeamPerson]
    submissions: list[int] = Field(description="newest first")
    fact_sheet: dict[str, str]
    missing: list[str] = Field(description="fields that an award needs and that are empty")


class TeamChange(Record):
    """What is to be otherwise; what is left out stays."""

    state: Literal["approved", "suspended"] | None = None
    is_baseline: bool | None = None
    is_out_of_competition: bool | None = None


class Merge(Record):
    """Into which team."""

    into: RowNumber


class HintRecord(Record):
    """Something that several teams share: a reason to ask, no proof."""

    shared: Literal["file", "e-mail", "address"]
    value: str
    teams: dict[int, str]
    people: list[str]


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
