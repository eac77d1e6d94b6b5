"""The routes, a module for each part of the site."""

from raim.server.web.routes import (
    accounts,
    challenge,
    data,
    desk,
    desk_submissions,
    exports,
    gallery,
    leaderboard,
    log,
    studies,
    submissions,
    teams,
    uploads,
    users,
    whole,
)

AREAS = (
    whole.area,
    challenge.area,
    data.area,
    data.downloads,
    leaderboard.area,
    teams.area,
    accounts.area,
    users.area,
    desk.area,
    gallery.area,
    exports.area,
    log.area,
    studies.area,
    submissions.area,
    uploads.area,
    desk_submissions.area,
)
