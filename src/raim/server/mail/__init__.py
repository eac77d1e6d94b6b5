"""Mail: written into the outbox in the transaction of what it tells of, sent by a worker, at most once.

Without RAIM_SMTP_URL nothing is written, and people get links by other ways.
"""

from raim.server.mail.kinds import KINDS, Kind
from raim.server.mail.letters import write_letter
from raim.server.mail.outbox import drop_mail, forget_person, retry_mail, sends_mail, set_up_mail, write_mail
from raim.server.mail.readers import mail_participants, mail_team
from raim.server.mail.sending import Sender, send_due

__all__ = [
    "KINDS",
    "Kind",
    "Sender",
    "drop_mail",
    "forget_person",
    "mail_participants",
    "mail_team",
    "retry_mail",
    "send_due",
    "sends_mail",
    "set_up_mail",
    "write_letter",
    "write_mail",
]
