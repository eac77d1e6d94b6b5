"""The HTTP API: the same functions as the pages use, as JSON; its OpenAPI document is made from these routes."""

from raim.server.web.api import challenge, desk_studies, document, ranking

API_ROUTERS = (
    challenge.router,
    ranking.router,
    desk_studies.router,
    document.router,
)
