"""States of a server's parts: fixed words that say no more than that."""

from typing import Literal

from pydantic import Field

from raim.records.record import Record


class Health(Record):
    """The answer to a health check."""

    status: Literal["ok", "failing"] = Field(description='"failing" if any part is')
    database: Literal["ok", "unavailable"]
    storage: Literal["ok", "full", "unavailable"]
    workers: Literal["ok", "idle", "unavailable", "unknown"] = Field(
        description='"idle": none lives and nothing waits for one; "unavailable": none lives, and something has waited '
        'for a minute; "unknown": the database is unavailable'
    )
    n_workers: int = Field(default=0, description="workers that live")

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered: pages need no worker, and only uploads need room."""
        return self.database == "ok" and self.storage != "unavailable"
