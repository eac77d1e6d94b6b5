"""The blinded study: who sees what in which order, ballots, points, and what they are worth; no web, no database."""

from raim.errors import need_extra

need_extra("raim.study", "study", "choix", "scipy")

from raim.study.analysis import analyse, analysis_as_plain
from raim.study.design import StudyDesign
from raim.study.findings import Analysis
from raim.study.planning import plan_judge, plan_training
from raim.study.points import Turnout, criterion_points, mean_points, points_array, turnout
from raim.study.simulation import simulate_ballots
from raim.study.trial import Trial
from raim.study.votes import BLURRED, Ballots, Vote

__all__ = [
    "BLURRED",
    "Analysis",
    "Ballots",
    "StudyDesign",
    "Trial",
    "Turnout",
    "Vote",
    "analyse",
    "analysis_as_plain",
    "criterion_points",
    "mean_points",
    "plan_judge",
    "plan_training",
    "points_array",
    "simulate_ballots",
    "turnout",
]
