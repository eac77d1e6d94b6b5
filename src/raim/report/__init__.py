"""Tables, figures and pages from results."""

from raim.report.photographs import PictureFolders
from raim.report.score_page import render_score_page, write_score_page

__all__ = ["PictureFolders", "render_score_page", "write_score_page"]
