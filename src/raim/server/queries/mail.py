"""What a challenge has mailed or will, for its organisers."""

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records.mail import MailLine, MailList
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Mail
from raim.server.database.people import people_of
from raim.server.queries.pages import read_part


def list_mail(session: Session, challenge: CurrentChallenge | None, *, state: str, page: str) -> MailList:
    """Return a page of a challenge's mails, or of all, newest first; in one state, or all for ""."""
    own = true() if challenge is None else _is_own(challenge)
    states = select(Mail.state, func.count()).where(own).group_by(Mail.state).order_by(Mail.state)
    counts = {row[0]: row[1] for row in session.execute(states)}
    found = select(Mail).where(own, *([Mail.state == state] if state else []))
    part = read_part(session, found, page, by=Mail.id)
    mails = [MailLine.of_row(row) for (row,) in part.rows]
    return MailList(mails=mails, state=state, counts=counts, **part.place)


def find_mail(session: Session, challenge: CurrentChallenge, mail_id: int) -> Mail:
    """Return a mail of a challenge.

    Raises:
        UnknownNameError: It has none of that number.
    """
    found = session.scalar(select(Mail).where(Mail.id == mail_id, _is_own(challenge)))
    if found is None:
        raise UnknownNameError(f"there is no mail {mail_id}")
    return found


def _is_own(challenge: CurrentChallenge) -> ColumnElement[bool]:
    """Return whether a mail is in the challenge's name, or in the server's to somebody of the challenge."""
    is_theirs = Mail.challenge_id.is_(None) & Mail.user_id.in_(people_of(challenge.id))
    return or_(Mail.challenge_id == challenge.id, is_theirs)
