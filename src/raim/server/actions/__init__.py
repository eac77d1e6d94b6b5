"""What people can do: checks, change, audit line; plain functions over a session and a time, without the web."""

from raim.server.actions.accounts import delete_account, disable_user, has_organiser, register, set_password
from raim.server.actions.fact_sheets import FIELDS, missing_fields, read_fact_sheet, save_fact_sheet
from raim.server.actions.links import (
    make_organiser_link,
    make_reset_link,
    use_organiser_link,
    use_reset_link,
)
from raim.server.actions.logins import Login, find_user, forget_logins, log_in, log_out, open_session
from raim.server.actions.passwords import hash_password, is_password
from raim.server.actions.teams import (
    accept_invitation,
    invite,
    leave_team,
    make_team,
    merge_teams,
    remove_member,
    revoke_invitation,
    set_team_state,
)
from raim.server.actions.tokens import find_token_user, make_api_token, revoke_api_token

__all__ = [
    "FIELDS",
    "Login",
    "accept_invitation",
    "delete_account",
    "disable_user",
    "find_token_user",
    "find_user",
    "forget_logins",
    "has_organiser",
    "hash_password",
    "invite",
    "is_password",
    "leave_team",
    "log_in",
    "log_out",
    "make_api_token",
    "make_organiser_link",
    "make_reset_link",
    "make_team",
    "merge_teams",
    "missing_fields",
    "open_session",
    "read_fact_sheet",
    "register",
    "remove_member",
    "revoke_api_token",
    "revoke_invitation",
    "save_fact_sheet",
    "set_password",
    "set_team_state",
    "use_organiser_link",
    "use_reset_link",
]
