"""Accounts: users, logins, one-use links, teams and their tokens; plain functions over a session and a time."""

from raim.server.accounts.links import (
    make_organiser_link,
    make_reset_link,
    use_organiser_link,
    use_reset_link,
)
from raim.server.accounts.logins import Login, find_user, forget_logins, log_in, log_out, open_session
from raim.server.accounts.passwords import hash_password, is_password
from raim.server.accounts.teams import (
    accept_invitation,
    find_token_user,
    invite,
    make_api_token,
    make_team,
    revoke_api_token,
    revoke_invitation,
    set_team_state,
)
from raim.server.accounts.users import disable_user, has_organiser, register, set_password

__all__ = [
    "Login",
    "accept_invitation",
    "disable_user",
    "find_token_user",
    "find_user",
    "forget_logins",
    "has_organiser",
    "hash_password",
    "invite",
    "is_password",
    "log_in",
    "log_out",
    "make_api_token",
    "make_organiser_link",
    "make_reset_link",
    "make_team",
    "open_session",
    "register",
    "revoke_api_token",
    "revoke_invitation",
    "set_password",
    "set_team_state",
    "use_organiser_link",
    "use_reset_link",
]
