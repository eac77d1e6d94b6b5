"""Mail, for organisers: what waits, has gone, was refused, and what is sent again."""

from raim.records.mail import MailLine, MailList
from raim.server.mail import retry_mail
from raim.server.queries import mail as queries
from raim.server.web.context import RequestContext
from raim.server.web.fields import Page, RowId, Search
from raim.server.web.routing import Area

area = Area("desk")


@area.get("/desk/mail", who="organiser", template="desk_mail")
def show_mail(context: RequestContext, state: Search = "", page: Page = "") -> MailList:
    """Return what the server has mailed or will, newest first, with what became of it."""
    return queries.list_mail(context.session, context.challenge, state=state, page=page)


@area.post("/desk/mail/{mail_id}/retry", who="organiser", page=show_mail, note="resent")
def send_mail_again(context: RequestContext, mail_id: RowId) -> MailLine:
    """Send a mail again that failed, or of which nobody knows whether it went."""
    row = queries.find_mail(context.session, context.challenge, mail_id)
    retry_mail(context.session, context.now, row, actor_id=context.user_id)
    return MailLine.of_row(row)
