"""A challenge: its file, its records, the rules of its phases, leaderboard and finalists; no web, no database."""

from raim.challenge.challenge import SCHEMA, Challenge
from raim.challenge.credits import Award, Organiser, Prize, Sponsor
from raim.challenge.data_set import DataImage, DataSet
from raim.challenge.example import example_text, write_example
from raim.challenge.finalists import Finalists, FinalPlace, choose_finalists
from raim.challenge.leaderboard import BoardEntry, BoardRow, rank_entries
from raim.challenge.phase import Intake, Phase
from raim.challenge.plain import as_plain
from raim.challenge.problem import Problem
from raim.challenge.ranking import (
    Entrant,
    FinalRanking,
    RankedTeam,
    final_scores,
    give_awards,
    rank_teams,
    shared_ranks,
)
from raim.challenge.reading import (
    Examined,
    examine_challenge,
    find_problems,
    parse_challenge,
    read_challenge,
)
from raim.challenge.rules import (
    counts_as_in_time,
    current_phase,
    describe_deadline,
    is_leaderboard_visible,
    may_download,
    next_phase,
    phase_state,
    references_are_hidden,
)
from raim.challenge.settings import (
    FinalistRule,
    LeaderboardRule,
    Registration,
    StudyRule,
    Uploads,
    Website,
    Weights,
)
from raim.challenge.tries import grow_tries, may_submit, next_possible_submission, tries_left
from raim.challenge.verdict import Verdict

__all__ = [
    "SCHEMA",
    "Award",
    "BoardEntry",
    "BoardRow",
    "Challenge",
    "DataImage",
    "DataSet",
    "Entrant",
    "Examined",
    "FinalPlace",
    "FinalRanking",
    "FinalistRule",
    "Finalists",
    "Intake",
    "LeaderboardRule",
    "Organiser",
    "Phase",
    "Prize",
    "Problem",
    "RankedTeam",
    "Registration",
    "Sponsor",
    "StudyRule",
    "Uploads",
    "Verdict",
    "Website",
    "Weights",
    "as_plain",
    "choose_finalists",
    "counts_as_in_time",
    "current_phase",
    "describe_deadline",
    "examine_challenge",
    "example_text",
    "final_scores",
    "find_problems",
    "give_awards",
    "grow_tries",
    "is_leaderboard_visible",
    "may_download",
    "may_submit",
    "next_phase",
    "next_possible_submission",
    "parse_challenge",
    "phase_state",
    "rank_entries",
    "rank_teams",
    "read_challenge",
    "references_are_hidden",
    "shared_ranks",
    "tries_left",
    "write_example",
]
