"""What people see of a server, for the server and its client both: so far, the states of submissions."""

from raim.records.states import STATES, State, named

__all__ = ["STATES", "State", "named"]
