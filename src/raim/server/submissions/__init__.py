"""Submissions: tries, uploads, states, and what a team decides about them."""

from raim.server.submissions.choices import choose, withdraw
from raim.server.submissions.comments import add_comment
from raim.server.submissions.promise import Promise
from raim.server.submissions.states import change_state
from raim.server.submissions.tries import count_tries, take_try
from raim.server.submissions.uploads import (
    abandon_silent,
    add_bytes,
    begin_upload,
    drop_ended_parts,
    drop_upload,
    find_upload,
    finish_upload,
    keep_file,
    part_file,
    received_bytes,
)
from raim.server.submissions.verdicts import Tries

__all__ = [
    "Promise",
    "Tries",
    "abandon_silent",
    "add_bytes",
    "add_comment",
    "begin_upload",
    "change_state",
    "choose",
    "count_tries",
    "drop_ended_parts",
    "drop_upload",
    "find_upload",
    "finish_upload",
    "keep_file",
    "part_file",
    "received_bytes",
    "take_try",
    "withdraw",
]
