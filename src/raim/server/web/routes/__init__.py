"""The routes, a module for each part of the site."""

from raim.server.web.routes import leaderboard, log, teams

AREAS = (leaderboard.area, teams.area, log.area)
