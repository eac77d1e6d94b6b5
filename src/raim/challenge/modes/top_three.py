"""The report's way: the best three are picked in order, and have 3, 2 and 1 points.

Source: section 3 of the NTIRE 2024 RAIM report (arXiv 2405.09923).
"""

from raim.challenge.modes.mode import TrialMode

TOP_THREE = TrialMode(
    name="top-three",
    points=(3, 2, 1),
    most_picks=None,
    words="picks the best, in order",
    instruction="Pick the best three, in order: first, second, third.",
    keys=("1 2 3", "make the candidate under the pointer first, second, third"),
    has_power_table=True,
)
