"""Sending: what is due goes over one connection to the mail server, one mail after another.

A refusal for good (5xx) of the reader's address or of the mail is a bounce: it is shown to organisers, and not tried
again. Everything else is tried again with growing waits. Where the connection breaks after the mail was given, nobody
knows whether it went.
"""

import logging
import smtplib
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from raim.server.database import Database
from raim.server.mail.letters import POLICY, build_message
from raim.server.mail.outbox import begin_sending, end_mail, is_mail_due, take_mail

LOG = logging.getLogger(__name__)
TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who sends.

    Attributes:
        url: Of the mail server, `RAIM_SMTP_URL`.
        address: `RAIM_MAIL_FROM`.
        secret: Of the server.
    """

    url: str = field(repr=False)
    address: str
    secret: bytes = field(repr=False)


def connect_to_mail_server(url: str) -> smtplib.SMTP:
    """Open a connection to a mail server, encrypted and logged in as its URL says.

    Raises:
        OSError: It cannot be reached, or shows no certificate that is believed.
        smtplib.SMTPException: It refuses.
    """
    parts = urlsplit(url)
    context = ssl.create_default_context()
    host = parts.hostname or ""
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or (587 if parts.query else 25), timeout=TIMEOUT_S)
    try:
        if parts.query == "starttls":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.ehlo_or_helo_if_needed()
    except BaseException:
        server.close()
        raise
    return server


def send_due(
    database: Database, clock: Callable[[], datetime], sender: Sender, stop: threading.Event | None = None
) -> None:
    """Send what is due, until nothing is, the mail server cannot be used, or `stop` is set."""
    server: smtplib.SMTP | None = None
    while stop is None or not stop.is_set():
        with database.reading() as session:
            if not is_mail_due(session, clock()):
                break
        with database.writing() as session:
            row = take_mail(session, clock())
            if row is None:
                break
            mail_id, attempt, address = row.id, row.tries, row.address
            try:
                message = build_message(session, row, sender.address, sender.secret)
            except Exception:  # a mail that cannot be built must not stand in the way of all others
                LOG.exception("mail %d cannot be built", mail_id)
                end_mail(
                    session, clock(), mail_id, attempt, state="failed", why="it cannot be built; see the log"
                )
                continue

        def begin(mail_id: int = mail_id, attempt: int = attempt) -> bool:
            with database.writing() as session:
                return begin_sending(session, clock(), mail_id, attempt)

        try:
            server = server or connect_to_mail_server(sender.url)
            state, why = _give(server, parseaddr(sender.address)[1], address, message, begin)
        except (OSError, smtplib.SMTPException) as error:
            state, why = "waiting", _say(error)
            LOG.warning("the mail server cannot be used: %s", why)
        with database.writing() as session:
            end_mail(session, clock(), mail_id, attempt, state=state, why=why)
        if server is None or server.sock is None:
            break  # it may be there again at the next round
    if server is not None and server.sock is not None:
        _part(server)


def _give(
    server: smtplib.SMTP, sender: str, address: str, message: EmailMessage, begin: Callable[[], bool]
) -> tuple[str, str]:
    """Send a mail by the mail server; return its state since, and why.

    Raises:
        OSError: The connection broke before the mail was given.
        smtplib.SMTPException: The sender is refused.
    """
    code, reply = server.mail(sender)
    if code != 250:
        server.close()
        raise smtplib.SMTPSenderRefused(code, reply, sender)
    code, reply = server.rcpt(address)
    if code not in {250, 251}:
        server.rset()
        return _judge(code, reply)
    if not begin():
        server.rset()
        return "waiting", ""  # another worker's; what is written down here is passed over
    try:
        code, reply = server.data(message.as_bytes(policy=POLICY))
    except smtplib.SMTPDataError as error:
        return _judge(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        server.close()
        return "unclear", f"the connection broke while it was given to the mail server: {_say(error)}"
    return ("sent", "") if code == 250 else _judge(code, reply)


def _judge(code: int, reply: bytes | str) -> tuple[str, str]:
    return "failed" if code >= 500 else "waiting", f"{code} {_plain(reply)}"


def _say(error: Exception) -> str:
    reply = getattr(error, "smtp_error", None)
    return str(error) if reply is None else f"{getattr(error, 'smtp_code', '')} {_plain(reply)}".strip()


def _plain(reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def _part(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()
