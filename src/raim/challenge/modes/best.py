"""One pick: the best of those that are shown."""

from raim.challenge.modes.mode import TrialMode

BEST = TrialMode(name="best", words="picks the best one", instruction="Pick the best one.")
