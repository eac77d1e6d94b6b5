"""The HTTP API: the same functions as the pages use, as JSON; its OpenAPI document is made from these routes."""

from raim.server.web.api import ranking

API_ROUTERS = (ranking.router,)
