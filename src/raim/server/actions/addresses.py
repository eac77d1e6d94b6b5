"""E-mail addresses: changed, verified by a link that is mailed there, and what is mailed to get into an account.

Only a verified address decides anything: anybody can type somebody else's.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from raim.errors import StateError
from raim.server.actions.accounts import check_email, find_appointment, name_key
from raim.server.actions.links import make_link, use_link
from raim.server.auditing import record_event
from raim.server.database import OneUseLink, User
from raim.server.mail import sends_mail, write_mail
from raim.server.tokens import hash_token

PER_HOUR = 3  # links of a kind to one address, whoever asks


def change_address(session: Session, now: datetime, user: User, email: str) -> None:
    """Change one's own address, "" for none; it is not verified, and links that went to the earlier one have ended.

    Raises:
        InputError: It is none.
    """
    email = email.strip()
    wanted = check_email(email) if email else None
    if wanted == user.email:
        return
    user.email, user.email_verified_at = wanted, None
    mailed = update(OneUseLink).where(OneUseLink.user_id == user.id, OneUseLink.address.is_not(None))
    session.execute(mailed.where(OneUseLink.used_at.is_(None)).values(used_at=now))
    record_event(session, now, "change address", user, actor_id=user.id)
    mail_verification(session, now, user)


def mail_verification(session: Session, now: datetime, user: User) -> bool:
    """Mail the link that verifies a person's address; return False where it is verified, or no mail goes there."""
    if user.email_verified_at is not None:
        return False
    return _mail_link(session, now, "verify", "verify address", user, actor_id=user.id)


def verify_address(session: Session, now: datetime, token: str) -> User:
    """Take an address for verified, by the link that was mailed there.

    Raises:
        StateError: The link was used, is over or unknown, or the address was changed since.
    """
    link = use_link(session, now, token, "verify address")
    user = session.get_one(User, link.user_id)
    if user.email != link.address:
        raise StateError("the address of this account was changed since; use the newest mail")
    user.email_verified_at = now
    record_event(session, now, "verify address", user, actor_id=user.id)
    return user


def mail_password_links(session: Session, now: datetime, typed: str) -> None:
    """Mail a link for a new password to accounts of this login or verified address; nothing says whether it did."""
    is_meant = or_(
        User.login_key == name_key(typed)[:200], func.lower(User.email) == typed.strip().lower()[:320]
    )
    users = select(User).where(is_meant, User.email_verified_at.is_not(None), User.disabled_at.is_(None))
    for user in session.scalars(users.order_by(User.id).limit(PER_HOUR)):
        _mail_link(session, now, "password", "reset password", user, actor_id=None)


def mail_account(session: Session, now: datetime, user: User, *, challenge_id: int, actor_id: int) -> bool:
    """Mail a person the link to an account that an organiser has made; return False where no mail goes there."""
    return _mail_link(
        session, now, "account", "reset password", user, actor_id=actor_id, challenge_id=challenge_id
    )


def _mail_link(
    session: Session,
    now: datetime,
    kind: str,
    purpose: str,
    user: User,
    *,
    actor_id: int | None,
    challenge_id: int | None = None,
) -> bool:
    if user.email is None or not sends_mail(session, user.email):
        return False
    recent = select(func.count()).where(
        OneUseLink.address == user.email,
        OneUseLink.purpose == purpose,
        OneUseLink.created_at > now - timedelta(hours=1),
    )
    if (session.scalar(recent) or 0) >= PER_HOUR:
        return False
    token = make_link(session, now, purpose, user_id=user.id, actor_id=actor_id, address=user.email)
    what = f"link {hash_token(token)[:16]}"
    held = None if challenge_id is None else find_appointment(session, challenge_id, user.id)
    facts = {"token": token, "login": user.login, "role": "participant" if held is None else held.office}
    return write_mail(session, now, kind, what, user, challenge_id=challenge_id, **facts)
