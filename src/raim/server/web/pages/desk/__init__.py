"""The organiser's desk: a module for each group of pages."""

from raim.server.web.pages.desk import (
    announcements,
    checklist,
    exports,
    finalists,
    looking,
    overview,
    phases,
    studies,
    study,
    study_judges,
    study_results,
    submissions,
    users,
)

ROUTERS = (
    overview.router,
    users.router,
    submissions.router,
    looking.router,
    phases.router,
    announcements.router,
    finalists.router,
    studies.router,
    study.router,
    study_judges.router,
    study_results.router,
    checklist.router,
    exports.router,
)
