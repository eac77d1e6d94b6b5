"""Files of a study: its plan and sheets, votes as a table and as JSON, and an archive for everybody (docs/study.md)."""

from raim.study.files.archive import anonymise, make_archive, read_archive
from raim.study.files.document import StudyDocument, document_to_plain, format_document, parse_document
from raim.study.files.gathering import check_points, gather_votes
from raim.study.files.plan import (
    JudgePlan,
    StudyPlan,
    format_plan,
    format_sheet,
    make_plan,
    parse_plan,
    write_plan,
)
from raim.study.files.problems import find_vote_problems
from raim.study.files.reading import read_plan, read_study_files
from raim.study.files.votes_table import format_votes, vote_columns, vote_rows

__all__ = [
    "JudgePlan",
    "StudyDocument",
    "StudyPlan",
    "anonymise",
    "check_points",
    "document_to_plain",
    "find_vote_problems",
    "format_document",
    "format_plan",
    "format_sheet",
    "format_votes",
    "gather_votes",
    "make_archive",
    "make_plan",
    "parse_document",
    "parse_plan",
    "read_archive",
    "read_plan",
    "read_study_files",
    "vote_columns",
    "vote_rows",
    "write_plan",
]
