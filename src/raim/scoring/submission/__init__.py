"""Submissions: reading a zip or folder safely, and checking it against the inputs."""

from raim.scoring.submission.check import CheckReport, check_submission
from raim.scoring.submission.findings import NOTES, PROBLEMS, Finding
from raim.scoring.submission.folder_zip import unpack_folder
from raim.scoring.submission.listing import ImageFolder, open_images
from raim.scoring.submission.member import ArchiveMember, Limits
from raim.scoring.submission.readme import Readme, format_readme, parse_readme

__all__ = [
    "NOTES",
    "PROBLEMS",
    "ArchiveMember",
    "CheckReport",
    "Finding",
    "ImageFolder",
    "Limits",
    "Readme",
    "check_submission",
    "format_readme",
    "open_images",
    "parse_readme",
    "unpack_folder",
]
