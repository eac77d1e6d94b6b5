"""The routes, a module for each part of the site."""

from raim.server.web.routes import desk, exports, leaderboard, log, teams

AREAS = (leaderboard.area, teams.area, desk.area, exports.area, log.area)
