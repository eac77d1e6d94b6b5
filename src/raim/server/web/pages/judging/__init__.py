"""The judge's pages: nothing on them, in their addresses or in what they load names a team."""

from raim.server.web.pages.judging import arriving, finishing, screen, trials

ROUTERS = (arriving.router, screen.router, trials.router, finishing.router)
