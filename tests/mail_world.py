"""A server that sends mail, without its pages: what tests of the outbox use."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select

from mail_server import SENDER
from raim.server.database import Mail
from raim.server.mail import Sender, send_due, set_up_mail, write_mail

ADA = "ada@example.org"
SECRET = b"secret of the server"


@dataclass
class MailWorld:
    """An outbox, a clock, and what is done with them."""

    world: object
    settings: object

    def __post_init__(self):
        self.now = self.world.now
        self.set_up()

    @property
    def database(self):
        return self.world.database

    def set_up(self, **changes):
        with self.database.writing() as session:
            set_up_mail(session, self.now, replace(self.settings, **changes))

    def move(self, **by):
        self.now += timedelta(**by)

    def write(self, what="announcement 1", to=ADA, *, kind="announcement", **facts):
        with self.database.writing() as session:
            facts = {"title": "News", "text": f"Text of {what}.", **facts}
            number = self.world.challenge().id
            return write_mail(session, self.now, kind, what, to, challenge_id=number, **facts)

    def send(self, url=None):
        send_due(
            self.database,
            lambda: self.now,
            Sender(url=url or self.settings.smtp_url, address=SENDER, secret=SECRET),
        )

    def rows(self):
        with self.database.reading() as session:
            found = session.scalars(select(Mail).order_by(Mail.id)).all()
            session.expunge_all()
            return found

    def row(self):
        (found,) = self.rows()
        return found

    def states(self):
        return [each.state for each in self.rows()]
