"""Accounts: one's own, and all of them for organisers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from raim.records.record import Paged, Record, Text, Wanted

UserRole = Literal["participant", "judge", "organiser"]
TokenScope = Literal["read", "take part", "all"]


class Following(Record):
    """Where the browser goes afterwards."""

    following: str


class Credentials(Wanted):
    """With what one logs in."""

    login: Text
    password: Text
    following: Text = "/"


class AccountRequest(Credentials):
    """An account that its person makes."""

    name: Text = ""
    email: Text = ""
    consent: bool = False


class UsableLink(Record):
    """The token of a link that works once."""

    token: str


class FirstAccount(Wanted):
    """The organiser's first account."""

    login: Text
    password: Text


class NewPassword(Wanted):
    """A password to be set."""

    password: Text


class PasswordChange(NewPassword):
    """A new password, by who knows the present one."""

    present_password: Text


class Deletion(Wanted):
    """The end of one's own account."""

    present_password: Text


class AddressChange(Deletion):
    """Another e-mail address of one's own; "" for none."""

    email: Text


class Forgotten(Wanted):
    """Whose password is forgotten, by login or e-mail address."""

    login: Text


class NewToken(Wanted):
    """A token for programs to be made."""

    name: Text
    challenge: Text = Field(default="", description="id of the one challenge that it is for; empty for all")
    scope: TokenScope = Field(
        default="take part",
        description='"read" changes nothing, "take part" has no office of yours, "all" may do what you may',
    )
    days: int = Field(default=90, ge=1, le=366, description="after which it ends")


class Token(Record):
    """A token for programs; shown only here and now."""

    text: str


class KnownToken(Record):
    """A token for programs that works."""

    id: int
    name: str
    challenge: str | None = Field(description="id of the one challenge that it is for; none for all")
    scope: TokenScope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class Account(Record):
    """An account, with its team in the challenge."""

    id: int
    login: str
    name: str
    email: str | None
    email_verified_at: datetime | None
    role: UserRole = Field(description="in the challenge")
    is_administrator: bool
    may_make_challenges: bool = False
    team_id: int | None
    team: str | None
    created_at: datetime
    disabled_at: datetime | None


class MailWish(Record):
    """A kind of mail, and whether it is wanted."""

    kind: str
    title: str
    is_wanted: bool


class MailWishes(Wanted):
    """The kinds of mail that are wanted; no other that one may choose is."""

    kinds: list[Text]


class Unsubscription(Record):
    """A kind of mail that is to end, by the link of a mail."""

    token: str
    title: str


class OwnAccount(Account):
    """One's own account."""

    mail: list[MailWish] = Field(description="what is mailed, where the server sends mail")
    tokens: list[KnownToken]
    challenges: list[str] = Field(
        description="ids of challenges that a token may be for; none where there is one"
    )


class AccountList(Paged):
    """A page of accounts, by login."""

    users: list[Account]
    q: str
    role: str


class NewAccount(Wanted):
    """An account that an organiser makes."""

    login: Text
    name: Text = ""
    email: Text = ""
    role: Text = "judge"


class NewAppointment(Wanted):
    """An account that is to have an office in the challenge."""

    login: Text
    role: Text = "organiser"


class AccountChange(Wanted):
    """What is to be otherwise; what is left out stays."""

    role: Text | None = None
    is_disabled: bool | None = None


class PasswordLink(Record):
    """An address with which a password is set once, within 24 hours; shown only here and now."""

    login: str
    url: str = Field(description="to be handed over")
