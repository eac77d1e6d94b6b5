"""Pages, a module for each part of the site."""

from raim.server.web.pages import (
    data,
    desk,
    gallery,
    judging,
    public,
    results,
    whole,
)

# Under the address of the challenge, and of the server whatever its challenges.
CHALLENGE_ROUTERS = (
    public.router,
    data.router,
    gallery.router,
    results.router,
    *judging.ROUTERS,
    *desk.ROUTERS,
)
SERVER_ROUTERS = (whole.router,)
