"""Who may use which route: asked for every request before its function runs.

Each route says it where it is registered; one that says nothing is open to nobody. Dates are another question
(`raim.challenge`): a member may open the page of a phase whose downloads are not out yet.
"""

from dataclasses import dataclass
from typing import Literal

from raim.challenge.rules import Role

# anyone: also without a login. user: with a login. member: of a team. participant: a member or an organiser. team: of
# the team that the submission or upload in the address belongs to, or an organiser. judge: who holds a judge's link.
# administrator: who runs the server. maker: who may make challenges, which administrators may.
Who = Literal[
    "anyone", "user", "member", "participant", "team", "judge", "organiser", "administrator", "maker"
]

ROUTE_RULES: dict[str, Who] = {}  # by a route's name; filled where routes are registered


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """Who asks.

    Attributes:
        role: "public" without a login; "member" only with a team; a login without a team stays "public" to the rules
            of the challenge.
        is_administrator: Whether they run the server.
        may_make_challenges: Whether they may upload challenges; administrators may.
        user_id: None without a login.
        login: As shown.
        member_id: None without a team.
        team_id: None without a team.
        team: Name of the team.
        team_state: "waiting", "approved", "suspended" or "merged".
        is_captain: Whether they may invite.
        is_finalist: Whether their team is a finalist.
        by_token: Whether an API token was used in place of a session.
        is_use_to_note: Whether the token's last use was noted long ago.
        session_token: Of the browser's session; "" without.
        judge_id: The judge whose link this browser holds; known on the judge's pages only.
        judge_token: Of that link; "" without.
    """

    role: Role = "public"
    is_administrator: bool = False
    may_make_challenges: bool = False
    user_id: int | None = None
    login: str = ""
    member_id: int | None = None
    team_id: int | None = None
    team: str = ""
    team_state: str = ""
    is_captain: bool = False
    is_finalist: bool = False
    by_token: bool = False
    is_use_to_note: bool = False
    session_token: str = ""
    judge_id: int | None = None
    judge_token: str = ""

    @property
    def is_organiser(self) -> bool:
        """Whether they run the challenge."""
        return self.role == "organiser"

    @property
    def is_user(self) -> bool:
        """Whether they are logged in."""
        return self.user_id is not None

    @property
    def is_approved(self) -> bool:
        """Whether their team takes part."""
        return self.team_state == "approved"


Decision = Literal["allowed", "log in", "no team", "no judge", "forbidden", "hidden"]


def decide(route: str, viewer: Viewer, *, owner_team_id: int | None = None) -> Decision:
    """Return whether somebody may use a route.

    Args:
        route: Its name.
        viewer: Who asks.
        owner_team_id: For what belongs to a team: which team; None if there is no such thing.

    Example:
        >>> import raim.server.web.routes  # which fill the table
        >>> decide("GET /", Viewer()), decide("no such route", Viewer(role="organiser"))
        ('allowed', 'forbidden')
    """
    who = ROUTE_RULES.get(route)
    if who is None:
        return "forbidden"
    if who == "judge":
        return "no judge" if viewer.judge_id is None else "allowed"
    runs_it = viewer.is_organiser and who in {"organiser", "participant", "team"}
    runs_it = viewer.is_administrator if who == "administrator" else runs_it
    runs_it = viewer.may_make_challenges if who == "maker" else runs_it
    if who == "anyone" or runs_it or (who == "user" and viewer.is_user):
        return "allowed"
    return _decide_for_member(who, viewer, owner_team_id) if viewer.is_user else "log in"


def _decide_for_member(who: Who, viewer: Viewer, owner_team_id: int | None) -> Decision:
    if who in {"organiser", "administrator", "maker"}:
        return "forbidden"
    if viewer.team_id is None:
        return "no team"
    # Whether another team's thing exists stays hidden.
    return "hidden" if who == "team" and owner_team_id != viewer.team_id else "allowed"
