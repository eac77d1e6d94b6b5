"""The organiser's desk: a module for each group of pages."""

from raim.server.web.pages.desk import (
    studies,
    study,
    study_judges,
    study_results,
)

ROUTERS = (
    studies.router,
    study.router,
    study_judges.router,
    study_results.router,
)
