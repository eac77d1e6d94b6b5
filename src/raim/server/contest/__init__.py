"""The challenge in the database: its import, what is in force, standings, finalists, announcements."""

from raim.server.contest.announcements import announce, withdraw_announcement
from raim.server.contest.contest import Contest, load_contest
from raim.server.contest.finals import (
    answer_invitation,
    find_finalist,
    invite_finalists,
    is_finalist,
    list_finalists,
    propose_finalists,
    replace_finalist,
)
from raim.server.contest.importing import import_challenge
from raim.server.contest.phases import pause, resume, set_dates
from raim.server.contest.standings import Standing, Standings, StandingsCache, make_standings

__all__ = [
    "Contest",
    "Standing",
    "Standings",
    "StandingsCache",
    "announce",
    "answer_invitation",
    "find_finalist",
    "import_challenge",
    "invite_finalists",
    "is_finalist",
    "list_finalists",
    "load_contest",
    "make_standings",
    "pause",
    "propose_finalists",
    "replace_finalist",
    "resume",
    "set_dates",
    "withdraw_announcement",
]
