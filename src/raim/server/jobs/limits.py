"""What the processes that open a team's files may use: they run apart, and end when they ask for more."""

import contextlib
import math
import os
import sys
from dataclasses import dataclass, replace

from raim.server.settings import Settings

GIBIBYTE = 2**30
LOWEST_PRIORITY = 19


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessLimits:
    """Limits on one process.

    Attributes:
        memory_bytes: Of its own data (what it allocates); shared libraries are not counted.
        cpu_s: Processor seconds in all from now on; None for a process that is used again and again.
        wall_s: Seconds for one task.
    """

    memory_bytes: int
    cpu_s: int | None = None
    wall_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits on the work for one submission.

    Attributes:
        check: On the process that checks an archive; an image of 120 megapixels of 16 bits takes 1.5 GB.
        score: On each process that scores, for one photograph and one candidate; `wall_s` grows with the
            candidates. Its first task compiles, so it is not short.
    """

    check: ProcessLimits = ProcessLimits(memory_bytes=4 * GIBIBYTE, cpu_s=3600, wall_s=3600)
    score: ProcessLimits = ProcessLimits(memory_bytes=8 * GIBIBYTE, wall_s=300)

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Take the memory from the settings."""
        usual = cls()
        return cls(
            check=replace(usual.check, memory_bytes=settings.check_memory_bytes),
            score=replace(usual.score, memory_bytes=settings.score_memory_bytes),
        )


def lower_priority() -> None:
    """Let every other process go first."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no niceness
        os.nice(LOWEST_PRIORITY)


def apply_limits(limits: ProcessLimits) -> None:
    """Limit this process for good."""
    lower_priority()
    if sys.platform == "win32":  # has no such limits
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.cpu_s is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = math.ceil(used.ru_utime + used.ru_stime) + limits.cpu_s
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
