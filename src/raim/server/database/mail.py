"""Tables of mail: whether the server sends any, what it has to send, and what people do not want."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from raim.server.database.columns import Name, Numbered, check_words, reference_key

MAIL_STATES = ("waiting", "taken", "sending", "sent", "joined", "failed", "unclear", "dropped")


class MailService(Numbered):
    """That the server sends mail, as `raim serve` was started last; without it there is no row."""

    public_url: Mapped[str] = mapped_column(String(300))


class MailRefusal(Numbered):
    """A kind of mail that a person does not want, or whoever reads what comes to an address."""

    __table_args__ = (
        UniqueConstraint("user_id", "kind"),
        UniqueConstraint("address", "kind"),
        CheckConstraint("(user_id IS NULL) <> (address IS NULL)", name="who"),
    )

    user_id: Mapped[int | None] = mapped_column(reference_key("user_account"))
    address: Mapped[str | None] = mapped_column(String(320))
    kind: Mapped[str] = mapped_column(String(20))


class Mail(Numbered):
    """A mail to one address about one thing (`what`, such as "submission 7"); the same one is never written twice.

    taken: a worker talks to the mail server, which has not been given the mail yet. sending: it is being given, which
    may have worked, whatever comes. unclear: nobody knows whether it went. joined: it went within another announcement.
    dropped: it is wanted no more. `tries` counts the takings, so that only the last worker that took it goes on.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("kind", "what", "address"),
        CheckConstraint(check_words("state", MAIL_STATES), name="state"),
    )

    challenge_id: Mapped[int | None] = mapped_column(reference_key("challenge"), index=True)
    user_id: Mapped[int | None] = mapped_column(reference_key("user_account"), index=True)
    address: Mapped[str] = mapped_column(String(320), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    what: Mapped[str] = mapped_column(String(80))
    subject: Mapped[Name]
    text: Mapped[str]
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    state_at: Mapped[datetime]
    made_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    why: Mapped[str] = mapped_column(String(500), default="")
