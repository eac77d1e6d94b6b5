"""Mail: written into the outbox in the transaction of what it tells of, sent by a worker, at most once.

Without RAIM_SMTP_URL nothing is written, and people get links by other ways.
"""

from raim.server.mail.kinds import KINDS, Kind
from raim.server.mail.outbox import forget_person, retry_mail, sends_mail, set_up_mail, write_mail
from raim.server.mail.sending import Sender, send_due

__all__ = [
    "KINDS",
    "Kind",
    "Sender",
    "forget_person",
    "retry_mail",
    "send_due",
    "sends_mail",
    "set_up_mail",
    "write_mail",
]
