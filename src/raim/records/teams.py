"""Teams: for their members, and for the organisers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from raim.records.kept import Kept
from raim.records.log import Event
from raim.records.record import Number, Paged, Record, RowNumber, Text, Wanted

Stated = Annotated[Text, Field(max_length=20_000)]
TeamState = Literal["waiting", "approved", "suspended", "merged"]
FinalState = Literal["invited", "accepted", "declined"]


class Terms(Record):
    """What a challenge asks of who makes or joins a team there, beyond what their registration has asked."""

    consent: str = Field(description="what to agree to, in Markdown; empty for nothing")
    needs_email: bool = Field(description="whether it needs an e-mail address, which their account has not")


class Joining(Wanted):
    """The acceptance of an invitation."""

    consent: bool = False


class NewTeam(Joining):
    """A team to be made."""

    name: Text


class OpenInvitation(Terms):
    """An invitation's link, and what the challenge asks of who joins."""

    url: str


class Member(Record):
    """A member of a team, as the other members see them."""

    id: int
    user_id: int
    login: str
    name: str
    role: Literal["captain", "member"]
    joined_at: datetime


class Invitation(Record):
    """An invitation that waits; its link is not known any more."""

    id: int
    address: str | None = Field(None, description="to which it was mailed")
    created_at: datetime
    expires_at: datetime


class NewInvitation(Wanted):
    """Whom an invitation is mailed to; "" where the captain hands it over."""

    email: Text = ""


class Team(Record):
    """One's own team; `final` says how its invitation to the final stands, if it has one."""

    id: int
    name: str
    state: TeamState
    members: list[Member]
    invitations: list[Invitation]
    final: FinalState | None
    answered_at: datetime | None
    missing: list[str] = Field(description="labels of what an award still needs of the fact sheet")
    kept: Kept = Field(description="of the files that it has handed in")


class Link(Record):
    """An address that works once; shown only here and now."""

    url: str


class FinalAnswer(Wanted):
    """The answer to an invitation to the final."""

    accepts: bool


class SheetField(Record):
    """A field of the fact sheet, with what the team states."""

    key: str
    label: str
    hint: str
    is_long: bool
    stated: str


class FactSheet(Record):
    """What a team states about its method, and the labels of what an award still needs."""

    fields: list[SheetField]
    missing: list[str]


class SheetChange(Wanted):
    """Fields of the fact sheet to be changed; those that are left out stay."""

    title: Stated | None = None
    members: Stated | None = None
    affiliations: Stated | None = None
    description: Stated | None = None
    training_data: Stated | None = None
    runtime: Stated | None = None
    parameters: Stated | None = None
    memory: Stated | None = None
    code: Stated | None = None
    licence: Stated | None = None
    citation: Stated | None = None


class TeamLine(Record):
    """A line of the organisers' list."""

    id: int
    name: str
    state: TeamState
    is_baseline: bool
    is_out_of_competition: bool
    n_members: int
    n_submissions: int
    best_score: Number
    kept_bytes: int = Field(description="of the files that it has handed in")
    created_at: datetime


class Hint(Record):
    """Something that several teams share: a reason to ask, no proof."""

    shared: Literal["file", "e-mail", "address"]
    value: str
    teams: dict[int, str]
    people: list[str]
    is_verified: bool = Field(
        False, description="people of two of the teams have verified the e-mail address"
    )


class TeamList(Paged):
    """A page of teams by name, and what several teams share."""

    teams: list[TeamLine]
    q: str
    state: str
    hints: list[Hint]
    n_more_hints: int


class TeamPerson(Member):
    """A member of a team, as organisers see them."""

    email: str | None
    is_shut: bool


class TeamEntry(Record):
    """A submission of a team."""

    id: int
    phase: str
    kind: str
    state: str
    is_chosen: bool
    has_flags: bool
    score: Number
    received_at: datetime


class TeamDetails(Record):
    """All about one team, for organisers."""

    id: int
    name: str
    state: TeamState
    is_baseline: bool
    is_out_of_competition: bool
    created_at: datetime
    merged_into: int | None
    merged_into_name: str
    members: list[TeamPerson]
    submissions: list[TeamEntry] = Field(description="newest first")
    fact_sheet: FactSheet
    kept: Kept = Field(description="of the files that it has handed in")
    hints: list[Hint]
    events: list[Event]
    others: dict[int, str] = Field(description="teams that it may be merged into")


class TeamChange(Wanted):
    """What is to be otherwise; what is left out stays."""

    state: Literal["approved", "suspended"] | None = None
    is_baseline: bool | None = None
    is_out_of_competition: bool | None = None
    captain: RowNumber | None = Field(default=None, description="member who is to lead the team")


class Merge(Wanted):
    """Into which team."""

    into: RowNumber
