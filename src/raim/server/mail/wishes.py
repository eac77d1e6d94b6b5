"""What people want: each kind until they say otherwise, on their account's page or by a mail's own link.

The link's token is signed with the server's secret, and names the kind and whom the mail was for; so it needs no login,
and nobody can make one for somebody else. Opening it shows a page; only its button, or the one click of a mail program
(RFC 8058), changes anything.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError, unknown_name
from raim.server.auditing import record_event
from raim.server.database import Mail, MailRefusal, User
from raim.server.mail.kinds import MAIL_KINDS

CHOSEN = tuple(name for name, kind in MAIL_KINDS.items() if not kind.is_needed)
SIGNED_BYTES = 16


def sign_reader(secret: bytes, kind: str, reader: int | str) -> str:
    """Return the token with which a person (by number) or an address ends mail of a kind.

    Example:
        >>> read_reader(b"secret", sign_reader(b"secret", "result", "ada@example.org"))
        ('result', 'ada@example.org')
    """
    payload = f"{kind} {reader}".encode()
    return f"{_encode(payload)}.{_encode(_sign(secret, payload))}"


def read_reader(secret: bytes, token: str) -> tuple[str, int | str]:
    """Return the kind, and the person's number or the address, of a token that this server has made.

    Raises:
        UnknownNameError: It has not.
    """
    try:
        payload, signature = (base64.urlsafe_b64decode(f"{each}==") for each in token.split("."))
    except ValueError:
        payload, signature = b"", b""
    if not hmac.compare_digest(signature, _sign(secret, payload)):
        raise UnknownNameError("this link was not copied whole; open it again from the mail")
    kind, _, reader = payload.decode().partition(" ")
    return kind, reader if "@" in reader else int(reader)


def refuse_kind(session: Session, now: datetime, kind: str, reader: int | str) -> None:
    """Let no mail of a kind go to a person or an address any more; what waits is dropped."""
    user_id, address = (reader, None) if isinstance(reader, int) else (None, reader.lower())
    known = session.scalar(select(MailRefusal.id).where(_is_of(user_id, address), MailRefusal.kind == kind))
    if known is None:
        session.add(MailRefusal(user_id=user_id, address=address, kind=kind))
        record_event(session, now, "refuse mail", None, actor_id=user_id, kind=kind)
    theirs = Mail.user_id == reader if isinstance(reader, int) else Mail.address == reader
    waiting = update(Mail).where(theirs, Mail.kind == kind, Mail.state == "waiting")
    session.execute(waiting.values(state="dropped", state_at=now, text="", why="they do not want it"))


def want_again(session: Session, kind: str, reader: int | str) -> None:
    """Take back what `refuse_kind` did."""
    user_id, address = (reader, None) if isinstance(reader, int) else (None, reader)
    session.execute(delete(MailRefusal).where(_is_of(user_id, address), MailRefusal.kind == kind))


def choose_kinds(session: Session, now: datetime, user: User, wanted: Collection[str]) -> None:
    """Write down which kinds a person wants, of all that one may choose.

    Raises:
        UnknownNameError: There is no such kind.
    """
    for kind in wanted:
        if kind not in CHOSEN:
            raise unknown_name("kind of mail", kind, CHOSEN)
    verified = user.email if user.email_verified_at is not None else None
    again = delete(MailRefusal).where(_is_of(user.id, verified), MailRefusal.kind.in_(wanted))
    session.execute(again)
    for kind in set(CHOSEN) - set(wanted):
        refuse_kind(session, now, kind, user.id)


def read_refused(session: Session, user: User) -> set[str]:
    """Return the kinds that a person does not want."""
    verified = user.email if user.email_verified_at is not None else None
    return set(session.scalars(select(MailRefusal.kind).where(_is_of(user.id, verified))))


def find_refusing(session: Session, kind: str) -> set[int | str]:
    """Return the people, by number, and addresses that do not want a kind."""
    rows = session.scalars(select(MailRefusal).where(MailRefusal.kind == kind))
    return {each.user_id or each.address or "" for each in rows}


def _is_of(user_id: int | None, address: str | None) -> ColumnElement[bool]:
    of_person = [] if user_id is None else [MailRefusal.user_id == user_id]
    return or_(*of_person, *([] if address is None else [MailRefusal.address == address.lower()]))


def _sign(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, b"unsubscribe " + payload, hashlib.sha256)[:SIGNED_BYTES]


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
