"""Two are shown, and the better one is picked; the strengths are those of Bradley and Terry (Biometrika 1952)."""

from raim.challenge.modes.mode import TrialMode

PAIRWISE = TrialMode(
    name="pairwise",
    tiles=2,
    words="picks the better of two",
    instruction="Two are shown: pick the better one.",
    strengths="Bradley and Terry",
)
