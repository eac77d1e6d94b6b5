"""The kinds of mail: one table of what each is, and why it comes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of mail; its text is the template of its name.

    Attributes:
        title: What it is, for people.
        why: Why it comes, at the foot of each mail.
        is_needed: It comes whatever people wish, before others and without a limit: they have just asked for it.
        is_markdown: Its text is an organiser's own, in Markdown.
    """

    title: str
    why: str
    is_needed: bool = False
    is_markdown: bool = False


MAIL_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "verify": Kind(
            title="Verifying an address",
            why="somebody gave this address for their account. If it was not you, do nothing",
            is_needed=True,
        ),
        "password": Kind(
            title="A new password",
            why="somebody asked for a new password for your account. If it was not you, do nothing",
            is_needed=True,
        ),
        "account": Kind(title="An account", why="an organiser has made an account for you", is_needed=True),
        "member": Kind(
            title="Invitations to a team", why="the captain of a team has invited you by this address"
        ),
        "final": Kind(title="Invitations to the final", why="you are a member of a team that is invited"),
        "judge": Kind(title="Invitations to judge", why="an organiser has invited you to judge"),
        "reminder": Kind(title="Reminders to judge", why="you were invited to judge, and have not finished"),
        "office": Kind(title="Offices", why="an organiser has given you an office"),
        "result": Kind(
            title="Results of submissions", why="you are a member of the team whose submission it is"
        ),
        "announcement": Kind(
            title="Announcements",
            why="you take part, and organisers have announced something to all",
            is_markdown=True,
        ),
    }
)
