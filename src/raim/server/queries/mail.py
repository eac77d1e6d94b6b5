"""What a challenge has mailed or will, for its organisers."""

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records.mail import MailLine, MailList
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Mail, Member
from raim.server.queries.pages import read_part


def list_mail(session: Session, challenge: CurrentChallenge, *, state: str, page: int) -> MailList:
    """Return a page of mails, newest first; in one state, or all for ""."""
    own = _is_own(challenge)
    states = select(Mail.state, func.count()).where(own).group_by(Mail.state).order_by(Mail.state)
    counts = {row[0]: row[1] for row in session.execute(states)}
    found = select(Mail).where(own, *([Mail.state == state] if state else [])).order_by(Mail.id.desc())
    part = read_part(session, found, page)
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
    """Say whether a mail is in the challenge's name, or in the server's to somebody who takes part here or nowhere."""
    here = select(Member.user_id).where(Member.challenge_id == challenge.id)
    is_theirs = or_(Mail.user_id.in_(here), Mail.user_id.not_in(select(Member.user_id)))
    return or_(Mail.challenge_id == challenge.id, Mail.challenge_id.is_(None) & is_theirs)
