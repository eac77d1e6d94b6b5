"""How often the API may be asked: whoever asks has a bucket of requests, which is filled again with time.

Of a bucket is kept when it will be full again. On PostgreSQL it is a row that all web processes share: taken out of by
one statement in a transaction of its own, which holds whatever becomes of the request and waits for no disk.
SQLite has one web process, which keeps it in memory. Pages are not counted: a lecture hall may sit behind one address.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import text

from raim.errors import TooManyRequestsError
from raim.server.web.context import RequestContext

PER_MINUTE = 300
BURST = 120
KEPT = 10_000  # buckets in memory; the oldest are dropped beyond that
TAKE = text(
    """
    WITH asked AS (SELECT extract(epoch FROM clock_timestamp())::float8 AS at)
    INSERT INTO request_rate AS kept (name, full_at, wait) SELECT :name, at + :each, 0 FROM asked
    ON CONFLICT (name) DO UPDATE SET
        wait = greatest(0, greatest(kept.full_at - excluded.full_at + :each, 0) + :each - :whole),
        full_at = CASE WHEN greatest(kept.full_at - excluded.full_at + :each, 0) + :each > :whole THEN kept.full_at
            ELSE greatest(kept.full_at + :each, excluded.full_at) END
    RETURNING wait, set_config('synchronous_commit', 'off', true)
    """
)


@dataclass(slots=True)
class Buckets:
    """Buckets by name.

    Example:
        >>> buckets = Buckets(per_minute=60, burst=2)
        >>> [buckets.wait("a", seconds) for seconds in (0.0, 0.0, 0.0, 1.0)]
        [0.0, 0.0, 1.0, 0.0]
    """

    per_minute: float = PER_MINUTE
    burst: float = BURST
    kept: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, context: RequestContext, name: str) -> float:
        """Take one request out of a bucket; give 0, or how many seconds to wait, and then nothing was taken."""
        session = context.session
        if session.get_bind().dialect.name == "sqlite":
            return self.wait(name, time.monotonic())
        each = 60 / self.per_minute
        wait = session.scalar(TAKE, {"name": name, "each": each, "whole": self.burst * each})
        session.commit()
        return float(wait or 0)

    def wait(self, name: str, seconds: float) -> float:
        """Do so at a time, in memory."""
        each = 60 / self.per_minute
        with self.lock:
            full_at = max(self.kept.pop(name, seconds), seconds)
            wait = max(0.0, full_at - seconds + each - self.burst * each)
            self.kept[name] = full_at if wait else full_at + each
            if len(self.kept) > KEPT:
                del self.kept[next(iter(self.kept))]
        return wait


def limit_rate(context: RequestContext) -> None:
    """Take one request out of the asker's bucket.

    Raises:
        TooManyRequestsError: It is empty.
    """
    buckets: Buckets = context.request.app.state.buckets
    viewer = context.viewer
    name = f"user {viewer.user_id}" if viewer.is_user else f"address {context.address}"
    name = name if viewer.judge_id is None else f"judge {viewer.judge_id}"
    wait = buckets.take(context, name)
    if wait:
        raise TooManyRequestsError(
            f"asked too often; {buckets.per_minute:g} requests a minute are answered",
            retry_at=context.now + timedelta(seconds=wait),
        )
