"""Pages, a module for each part of the site."""

from fastapi import APIRouter

from raim.server.web.pages import (
    judging,
    results,
)

# Under the address of the challenge, and of the server whatever its challenges.
CHALLENGE_ROUTERS = (
    results.router,
    *judging.ROUTERS,
)
SERVER_ROUTERS: tuple[APIRouter, ...] = ()
