"""The routes, a module for each part of the site."""

from raim.server.web.routes import (
    desk,
    desk_submissions,
    exports,
    leaderboard,
    log,
    submissions,
    teams,
    uploads,
)

AREAS = (
    leaderboard.area,
    teams.area,
    desk.area,
    exports.area,
    log.area,
    submissions.area,
    uploads.area,
    desk_submissions.area,
)
