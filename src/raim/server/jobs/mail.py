"""Mail, in a thread of the worker: it sends what is due, and deletes what has ended long ago."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from raim.errors import SettingsError
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.faults import Throttle
from raim.server.mail import Sender, send_due
from raim.server.mail.outbox import forget_mail
from raim.server.settings import Settings

LOG = logging.getLogger(__name__)
PAUSE_S, CLEAN_UP_EVERY_S = 2.0, 3600.0
STOPPING_S = 60.0  # a mail that is being given to the mail server is given to its end


@contextmanager
def sending_mail(context: WorkerContext, settings: Settings) -> Iterator[None]:
    """Send mail beside what is done, where settings name a mail server.

    Raises:
        SettingsError: The server's secret is not there, which signs links.
    """
    if not settings.smtp_url:
        yield
        return
    try:
        secret = settings.secret_key_file.read_bytes().strip()
    except OSError as error:
        raise SettingsError(
            f"the server's secret {settings.secret_key_file} cannot be read: {error.strerror}; a worker that sends "
            "mail needs it (RAIM_SECRET_KEY_FILE), or starts without RAIM_SMTP_URL and leaves mail to others"
        ) from error
    sender = Sender(url=settings.smtp_url, address=settings.mail_from, secret=secret)
    thread = threading.Thread(target=_send, args=(context, sender), name="mail", daemon=True)
    thread.start()
    try:
        yield
    finally:
        context.stop.set()
        thread.join(STOPPING_S)


def _send(context: WorkerContext, sender: Sender) -> None:
    clean_up = Throttle(CLEAN_UP_EVERY_S)
    while not context.stop.wait(PAUSE_S):
        # A fault of one round must not end the thread: the next may come through.
        try:
            send_due(context.database, context.clock, sender, context.stop)
            if clean_up.is_open():
                with context.database.writing() as session:
                    forget_mail(session, context.clock())
        except DBAPIError:
            continue  # the worker's ticks tell
        except Exception:
            LOG.exception("mail could not be sent; it is tried again")
