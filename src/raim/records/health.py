"""States of a server's parts: fixed words that say no more than that."""

from typing import Literal

from pydantic import Field

from raim.records.record import Record


class Health(Record):
    """The answer to a health check."""

    status: Literal["ok", "failing"] = Field(description='"failing" if any part is')
    database: Literal["ok", "away"]
    storage: Literal["ok", "full", "away"]
    workers: Literal["ok", "idle", "away", "unknown"] = Field(
        description='"idle": none lives and nothing waits for one; "away": none lives, and something has waited for a '
        'minute; "unknown": the database is away'
    )
    n_workers: int = Field(default=0, description="workers that live")

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered: pages need no worker, and only uploads need room."""
        return self.database == "ok" and self.storage != "away"
