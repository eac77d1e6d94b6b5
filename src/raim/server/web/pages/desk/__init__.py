"""The organiser's desk: a module for each group of pages."""

from raim.server.web.pages.desk import (
    looking,
    studies,
    study,
    study_judges,
    study_results,
    submissions,
    users,
)

ROUTERS = (
    users.router,
    submissions.router,
    looking.router,
    studies.router,
    study.router,
    study_judges.router,
    study_results.router,
)
