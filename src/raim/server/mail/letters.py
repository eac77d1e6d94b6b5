"""The texts of mails: a template for each kind, and one around all of them, as text and as HTML.

A template gives the subject in its first line, then paragraphs. HTML is made from the same paragraphs: everything is
escaped, and an address of the server that stands alone becomes a link. So nobody's name can bring markup or a link.
Organisers' own words (`is_markdown`) become what they are on the pages.
"""

import functools
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import jinja2
from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.database import Challenge, Mail, MailService
from raim.server.mail.kinds import MAIL_KINDS
from raim.server.mail.wishes import sign_reader
from raim.server.markdown import render_markdown

LONGEST_SUBJECT = 180
OF_LINES = frozenset({"text", "error"})  # every other fact is one line, as a subject is
# Lines as long as mail allows: else the link of List-Unsubscribe is broken into words that no program reads.
POLICY = SMTP.clone(cte_type="7bit", max_line_length=990)


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("raim.server.mail", "templates"),
        autoescape=jinja2.select_autoescape(["html.jinja"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_letter(
    session: Session, kind: str, public_url: str, challenge_id: int | None, facts: dict[str, Any]
) -> tuple[str, str]:
    """Return subject and text of a mail, from the template of its kind."""
    challenge = None if challenge_id is None else session.get_one(Challenge, challenge_id)
    here = public_url if challenge is None else f"{public_url}/c/{challenge.slug}"
    name = name_sender(session, public_url, challenge)
    facts = {key: value if key in OF_LINES else " ".join(str(value).split()) for key, value in facts.items()}
    made = (
        _environment()
        .get_template(f"{kind}.txt.jinja")
        .render(**facts, here=here, name=name, server=public_url)
    )
    subject, _, text = made.partition("\n")
    return subject[:LONGEST_SUBJECT], text.strip()


def name_sender(session: Session, public_url: str, challenge: Challenge | None) -> str:
    """Return in whose name a mail is: a challenge's, that of the only one, or the server's host."""
    if challenge is not None:
        return challenge.title
    found = session.scalars(select(Challenge).limit(2)).all()
    if len(found) == 1 and found[0].status != "draft":
        return found[0].title
    return str(urlsplit(public_url).hostname)


def build_message(session: Session, row: Mail, sender: str, secret: bytes) -> EmailMessage:
    """Return a mail as it is sent, the same whenever it is built; `secret` signs the link that ends its kind."""
    public_url = session.get_one(MailService, 1).public_url
    challenge = None if row.challenge_id is None else session.get_one(Challenge, row.challenge_id)
    is_needed = MAIL_KINDS[row.kind].is_needed
    end = (
        ""
        if is_needed
        else f"{public_url}/unsubscribe/{sign_reader(secret, row.kind, row.user_id or row.address)}"
    )
    shown = {
        "end": end,
        "account": f"{public_url}/account" if end and row.user_id is not None else "",
        "name": name_sender(session, public_url, challenge),
        "paragraphs": [each.strip() for each in row.text.split("\n\n") if each.strip()],
        "server": public_url,
        "why": MAIL_KINDS[row.kind].why,
        "marked": render_markdown(row.text) if MAIL_KINDS[row.kind].is_markdown else "",
        "subject": row.subject,
    }
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = str(Address(addr_spec=row.address))
    message["Subject"] = row.subject
    message["Date"] = format_datetime(row.made_at)
    message["Message-ID"] = f"<raim-{row.id}-{row.made_at.timestamp():.0f}@{urlsplit(public_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    if end:
        message["List-Unsubscribe"] = f"<{end}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(_environment().get_template("base.txt.jinja").render(**shown))
    message.add_alternative(_environment().get_template("base.html.jinja").render(**shown), subtype="html")
    return message
