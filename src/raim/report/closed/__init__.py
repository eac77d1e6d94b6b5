"""The report of a closed challenge: tables, figures, pages, LaTeX, a gallery for any web space."""

from raim.report.closed.folder import FolderOptions, read_folder
from raim.report.closed.material import Material, TeamMaterial
from raim.report.closed.tables import make_tables
from raim.report.closed.writing import FORMATS, WrittenReport, write_report

__all__ = [
    "FORMATS",
    "FolderOptions",
    "Material",
    "TeamMaterial",
    "WrittenReport",
    "make_tables",
    "read_folder",
    "write_report",
]
