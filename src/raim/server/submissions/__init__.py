"""Submissions: tries, states, and what a team decides about them."""

from raim.server.submissions.choices import choose, withdraw
from raim.server.submissions.states import STEPS, change_state
from raim.server.submissions.tries import Tries, count_tries, take_try

__all__ = ["STEPS", "Tries", "change_state", "choose", "count_tries", "take_try", "withdraw"]
