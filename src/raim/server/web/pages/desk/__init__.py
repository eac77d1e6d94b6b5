"""The organiser's desk: a module for each group of pages."""

from raim.server.web.pages.desk import (
    announcements,
    audit,
    checklist,
    exports,
    finalists,
    looking,
    overview,
    phases,
    submissions,
    teams,
    users,
)

ROUTERS = (
    overview.router,
    teams.router,
    users.router,
    submissions.router,
    looking.router,
    phases.router,
    announcements.router,
    finalists.router,
    checklist.router,
    exports.router,
    audit.router,
)
