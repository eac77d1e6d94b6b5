"""The outbox: mails are written with what they tell of, taken by one worker at a time, and end in one state.

A mail goes at most once. Before the mail server is given it, "sending" is committed; what is found in that state long
after is "unclear", since nobody knows whether it went, and only an organiser has it sent again. What is lost before
that goes back to "waiting". Each mail keeps its Message-ID, so that a reader's program can tell a second copy.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from raim.errors import StateError
from raim.records.mail import AGAIN
from raim.server.auditing import record_event
from raim.server.database import Mail, MailRefusal, MailService, User
from raim.server.database.engine import MAIL_LOCK, take_turn
from raim.server.mail.kinds import MAIL_KINDS
from raim.server.mail.letters import write_letter
from raim.server.mail.wishes import find_refusing
from raim.server.settings import MAILABLE, Settings

PER_HOUR = 10  # to one address; what people have just asked for is not held back
LEASE = timedelta(minutes=10)  # longer than all answers of a mail server together may take
KEPT = timedelta(days=90)
# Minutes until the next try: a server that puts off unknown senders takes them after some minutes.
WAITS = (1, 5, 15, 60, 240, 720, 1440)
NEEDED = tuple(name for name, kind in MAIL_KINDS.items() if kind.is_needed)
GONE = ("taken", "sending", "sent", "unclear")  # which the limit counts
INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def set_up_mail(session: Session, now: datetime, settings: Settings) -> None:
    """Say whether the server sends mail, and under which address it is reached; what waited is dropped if not."""
    session.execute(delete(MailService))
    if settings.smtp_url:
        session.add(MailService(id=1, public_url=settings.public_url))
    else:
        waiting = update(Mail).where(Mail.state == "waiting")
        session.execute(waiting.values(state="dropped", state_at=now, text="", why="mail was turned off"))


def sends_mail(session: Session, address: str) -> bool:
    """Return whether the server sends mail, and could to this address."""
    return MAILABLE.fullmatch(address) is not None and session.get(MailService, 1) is not None


def write_mail(
    session: Session, now: datetime, kind: str, what: str, to: User | str | None, **facts: Any
) -> bool:
    """Write a mail to one person or address, as `write_mails`; return whether it was written."""
    return write_mails(session, now, kind, what, [to], **facts) == 1


def write_mails(
    session: Session,
    now: datetime,
    kind: str,
    what: str,
    readers: Iterable[User | str | None],
    *,
    challenge_id: int | None = None,
    **facts: Any,
) -> int:
    """Write the same mail to each reader into the outbox; return to how many it was written.

    None is, where the server sends no mail or the reader wants none; nor is one that was written before.

    Args:
        session: A writing session, of what the mail tells of.
        now: The time.
        kind: One of `MAIL_KINDS`.
        what: What it is about, "submission 7".
        readers: People, or addresses.
        challenge_id: In whose name; None for the server.
        facts: What the kind's template shows.
    """
    refusing = find_refusing(session, kind)
    asked = (
        (each.email, each.id) if isinstance(each, User) else (each, _owner(session, each)) for each in readers
    )
    to = {
        address: user_id
        for address, user_id in asked
        if address and sends_mail(session, address) and not refusing & {user_id, address.lower()}
    }
    if not to:
        return 0
    public_url = session.get_one(MailService, 1).public_url
    subject, text = write_letter(session, kind, public_url, challenge_id, facts)
    common: dict[str, Any] = dict.fromkeys(("state_at", "made_at", "due_at"), now)
    common |= {"challenge_id": challenge_id, "kind": kind, "what": what, "subject": subject, "text": text}
    rows = [{"address": address, "user_id": user_id, **common} for address, user_id in to.items()]
    insert = INSERTS[session.get_bind().dialect.name](Mail.__table__)
    return len(session.execute(insert.on_conflict_do_nothing().returning(Mail.id), rows).all())


def _owner(session: Session, address: str | None) -> int | None:
    """Find the person who has verified an address, whose wishes then count."""
    theirs = select(User.id).where(
        func.lower(User.email) == (address or "").lower(), User.disabled_at.is_(None)
    )
    return session.scalar(theirs.where(User.email_verified_at.is_not(None)).order_by(User.id).limit(1))


def drop_mail(session: Session, now: datetime, kind: str, what: str, why: str) -> None:
    """Let what still waits about something be sent no more."""
    waiting = update(Mail).where(Mail.kind == kind, Mail.what == what, Mail.state == "waiting")
    session.execute(waiting.values(state="dropped", state_at=now, text="", why=why))


def is_mail_due(session: Session, now: datetime) -> bool:
    """Return whether a mail is to be sent, or was lost by a worker, without waiting for the writer's turn."""
    is_lost = Mail.state.in_(("taken", "sending")) & (Mail.state_at < now - LEASE)
    found = select(Mail.id).where(((Mail.state == "waiting") & (Mail.due_at <= now)) | is_lost)
    return session.scalar(found.limit(1)) is not None


def take_mail(session: Session, now: datetime) -> Mail | None:
    """Take the mail that is due first, what people have asked for before all else; None where none is due."""
    take_turn(session, MAIL_LOCK)  # the limit counts what others have taken
    _find_lost(session, now)
    due = (
        select(Mail)
        .where(Mail.state == "waiting", Mail.due_at <= now)
        .order_by(case((Mail.kind.in_(NEEDED), 0), else_=1), Mail.due_at, Mail.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # an organiser may be changing one
    )
    while (row := session.scalar(due)) is not None:
        later = None if row.kind in NEEDED else _free_at(session, now, row.address)
        if later is not None:
            row.due_at = later
        else:
            if row.kind == "announcement":
                _join(session, now, row)
            _enter(row, now, "taken")
            row.tries += 1
            return row
        session.flush()
    return None


def begin_sending(session: Session, now: datetime, mail_id: int, attempt: int) -> bool:
    """Mark a mail as being sent; return False where another worker has taken it meanwhile."""
    ours = update(Mail).where(Mail.id == mail_id, Mail.tries == attempt, Mail.state == "taken")
    return session.scalar(ours.values(state="sending", state_at=now).returning(Mail.id)) is not None


def end_mail(
    session: Session, now: datetime, mail_id: int, attempt: int, *, state: str, why: str = ""
) -> None:
    """Write down what became of a mail; "waiting" tries it again later, until there were too many tries."""
    row = session.get(Mail, mail_id, with_for_update=True)
    if row is None or row.tries != attempt or row.state not in {"taken", "sending", "unclear"}:
        return
    if state == "waiting" and attempt > len(WAITS):
        state, why = "failed", f"given up after {attempt} tries: {why}"
    _enter(row, now, state, why)
    if state == "waiting":
        row.due_at = now + timedelta(minutes=WAITS[attempt - 1])


def retry_mail(session: Session, now: datetime, row: Mail, *, actor_id: int) -> None:
    """Have a mail sent again that failed, or of which nobody knows whether it went.

    Raises:
        StateError: It is under way or has gone, or its reader wants none.
    """
    session.refresh(row, with_for_update=True)
    if row.state not in AGAIN:
        raise StateError(f"this mail is {row.state}; only one that failed or is unclear is sent again")
    if find_refusing(session, row.kind) & {row.user_id, _owner(session, row.address), row.address.lower()}:
        raise StateError("its reader wants no mail of this kind any more")
    _enter(row, now, "waiting")
    row.due_at, row.tries = now, row.tries + 1  # a worker that still tries it has lost it
    record_event(session, now, "send mail again", row, actor_id=actor_id)


def forget_person(session: Session, user_id: int) -> None:
    """Delete all mail to a person whose account is deleted, and what they wished."""
    session.execute(delete(Mail).where(Mail.user_id == user_id))
    session.execute(delete(MailRefusal).where(MailRefusal.user_id == user_id))


def forget_mail(session: Session, now: datetime) -> None:
    """Delete what has ended long ago."""
    ended = Mail.state.in_(("sent", "joined", "failed", "unclear", "dropped"))
    session.execute(delete(Mail).where(ended, Mail.state_at < now - KEPT))


def _find_lost(session: Session, now: datetime) -> None:
    """Let what a worker has left in its middle end."""
    for state, after, why in (
        ("taken", "waiting", "the worker ended before it was sent"),
        (
            "sending",
            "unclear",
            "the worker ended, or the connection broke, while it was given to the mail server",
        ),
    ):
        lost = update(Mail).where(Mail.state == state, Mail.state_at < now - LEASE)
        session.execute(lost.values(state=after, state_at=now, why=why))


def _free_at(session: Session, now: datetime, address: str) -> datetime | None:
    """Return when an address may be sent more; None if that is now."""
    hour = timedelta(hours=1)
    found = (
        select(Mail.state_at)
        .where(Mail.address == address, Mail.state.in_(GONE), Mail.state_at > now - hour)
        .order_by(Mail.state_at.desc())
        .offset(PER_HOUR - 1)
        .limit(1)
    )
    oldest = session.scalar(found)
    return None if oldest is None else oldest + hour


def _join(session: Session, now: datetime, row: Mail) -> None:
    """Let an announcement bring all others along that wait for the same reader."""
    others = session.scalars(
        select(Mail)
        .where(
            Mail.state == "waiting",
            Mail.kind == row.kind,
            Mail.address == row.address,
            Mail.challenge_id == row.challenge_id,
            Mail.id != row.id,
        )
        .order_by(Mail.id)
        .with_for_update(skip_locked=True)
    ).all()
    for each in others:
        row.text += f"\n\n* * *\n\n{each.text}"
        _enter(each, now, "joined", f"in mail {row.id}")
    if others:
        row.subject = f"{row.subject} (and {len(others)} more)"


def _enter(row: Mail, now: datetime, state: str, why: str = "") -> None:
    row.state, row.state_at, row.why = state, now, why[:500]
    if state in {"sent", "joined", "dropped"}:
        row.text = ""  # it may hold a link that works
