"""The routes, a module for each part of the site."""

from raim.server.web.routes import log, teams

AREAS = (teams.area, log.area)
