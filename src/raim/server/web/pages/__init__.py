"""Pages, a module for each part of the site."""

from raim.server.web.pages import (
    judging,
    results,
)

# Under the address of the challenge.
CHALLENGE_ROUTERS = (
    results.router,
    *judging.ROUTERS,
)
