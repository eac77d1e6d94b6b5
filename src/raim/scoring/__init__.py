"""Scoring: profiles, one pair or whole folders to records, and the check of submissions."""

from raim.scoring.pairs import score_pair
from raim.scoring.profiles import DECIMALS, PROFILES, TITLES, MeasureChoice, Profile, find_profile
from raim.scoring.records import EntryScore, ImageScore, ScoreTable, write_csv, write_json
from raim.scoring.run import default_cache, name_entries, score_folders

__all__ = [
    "DECIMALS",
    "PROFILES",
    "TITLES",
    "EntryScore",
    "ImageScore",
    "MeasureChoice",
    "Profile",
    "ScoreTable",
    "default_cache",
    "find_profile",
    "name_entries",
    "score_folders",
    "score_pair",
    "write_csv",
    "write_json",
]
