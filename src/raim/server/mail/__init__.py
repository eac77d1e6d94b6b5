"""Mail: written into the outbox in the transaction of what it tells of, sent by a worker, at most once.

Without RAIM_SMTP_URL nothing is written, and people get links by other ways.
"""

from raim.server.mail.kinds import MAIL_KINDS, Kind
from raim.server.mail.letters import write_letter
from raim.server.mail.outbox import drop_mail, forget_person, retry_mail, sends_mail, set_up_mail, write_mail
from raim.server.mail.readers import mail_participants, mail_team
from raim.server.mail.sending import Sender, send_due
from raim.server.mail.wishes import CHOSEN, choose_kinds, read_reader, read_refused, refuse_kind, want_again

__all__ = [
    "CHOSEN",
    "MAIL_KINDS",
    "Kind",
    "Sender",
    "choose_kinds",
    "drop_mail",
    "forget_person",
    "mail_participants",
    "mail_team",
    "read_reader",
    "read_refused",
    "refuse_kind",
    "retry_mail",
    "send_due",
    "sends_mail",
    "set_up_mail",
    "want_again",
    "write_letter",
    "write_mail",
]
