"""How often the API may be asked: a bucket of requests for each token or address, filled again with time.

In the memory of one process, since there is one. Pages are not counted: a lecture hall may sit behind one address.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

from raim.errors import TooManyRequestsError
from raim.server.web.context import Context

PER_MINUTE = 300
BURST = 120
KEPT = 10_000  # buckets; the oldest are dropped beyond that


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
    kept: dict[str, tuple[float, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, name: str, seconds: float) -> float:
        """Take one request out of a bucket; give 0, or how many seconds to wait, and then nothing was taken."""
        rate = self.per_minute / 60
        with self.lock:
            level, at = self.kept.pop(name, (self.burst, seconds))
            level = min(self.burst, level + (seconds - at) * rate)
            is_free = level >= 1
            self.kept[name] = (level - 1 if is_free else level, seconds)
            if len(self.kept) > KEPT:
                del self.kept[next(iter(self.kept))]
        return 0.0 if is_free else (1 - level) / rate


def limit_rate(context: Context) -> None:
    """Take one request out of the asker's bucket.

    Raises:
        TooManyRequestsError: It is empty.
    """
    buckets = context.request.app.state.buckets
    viewer = context.viewer
    name = f"user {viewer.user_id}" if viewer.is_user else f"address {context.address}"
    name = name if viewer.judge_id is None else f"judge {viewer.judge_id}"
    wait = buckets.wait(name, time.monotonic())
    if wait:
        raise TooManyRequestsError(
            f"asked too often; {buckets.per_minute:g} requests a minute are answered",
            retry_at=context.now + timedelta(seconds=wait),
        )
