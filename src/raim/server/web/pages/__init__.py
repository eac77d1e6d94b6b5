"""Pages, a module for each part of the site."""

from raim.server.web.pages import (
    account,
    board,
    data,
    desk,
    gallery,
    judging,
    public,
    results,
    submission,
    submitting,
    team,
)

PAGE_ROUTERS = (
    public.router,
    board.router,
    data.router,
    account.router,
    team.router,
    submitting.router,
    submission.router,
    gallery.router,
    results.router,
    *judging.ROUTERS,
    *desk.ROUTERS,
)
