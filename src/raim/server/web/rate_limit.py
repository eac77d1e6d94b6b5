"""How often the API may be asked: a bucket of requests for each token or address, filled again with time.

In the memory of one process, since there is one. Pages are not counted: a lecture hall may sit behind one address.
"""

import threading
from dataclasses import dataclass, field

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
        """Take one request out of a bucket; give 0, or how many seconds to wait, and then nothing was taken.

        Args:
            name: Of the bucket.
            seconds: A clock that never goes back.
        """
        rate = self.per_minute / 60
        with self.lock:
            level, at = self.kept.pop(name, (self.burst, seconds))
            level = min(self.burst, level + (seconds - at) * rate)
            is_free = level >= 1
            self.kept[name] = (level - 1 if is_free else level, seconds)
            if len(self.kept) > KEPT:
                del self.kept[next(iter(self.kept))]
        return 0.0 if is_free else (1 - level) / rate
