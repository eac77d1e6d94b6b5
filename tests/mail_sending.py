"""A process that sends what is due, for tests that kill it: DATABASE_URL SMTP_URL NOW."""

import sys
from datetime import datetime

from raim.server.database import open_database
from raim.server.mail import Sender, send_due

if __name__ == "__main__":
    database_url, smtp_url, now = sys.argv[1:]
    moment = datetime.fromisoformat(now)
    send_due(
        open_database(database_url),
        lambda: moment,
        Sender(url=smtp_url, address="challenge@example.org", secret=b"s"),
    )
