"""The log of who did what, for organisers."""

from raim.records.log import EventList
from raim.server.queries import log as queries
from raim.server.web.context import RequestContext
from raim.server.web.fields import Page, Search
from raim.server.web.routing import Area

area = Area("desk")


@area.get("/desk/audit", who="organiser", template="desk_audit")
def list_events(
    context: RequestContext, action: Search = "", actor: Search = "", page: Page = ""
) -> EventList:
    """Return the log of who did what, newest first."""
    return queries.list_events(context.session, context.challenge, action=action, actor=actor, page=page)
