"""Threads that answer requests: who reads waits neither for who writes nor for pieces of files that are sent.

SQLite lets one write after another, and a thread waits for its turn; pieces of files are moved in threads of the server
below. The fewer threads compute at once, the less of their time goes into taking turns.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

# Together as many as there are connections to the database.
READERS, WRITERS = 12, 28
Given = ParamSpec("Given")
Result = TypeVar("Result")
_limiters: RunVar[dict[bool, CapacityLimiter]] = RunVar("raim_answers")


async def run_in_thread(
    reads: bool,  # noqa: FBT001 - the rest is the work's
    work: Callable[Given, Result],
    *args: Given.args,
    **options: Given.kwargs,
) -> Result:
    """Do the work of a request in one of the threads for its kind."""
    try:
        limiters = _limiters.get()
    except LookupError:
        limiters = {True: CapacityLimiter(READERS), False: CapacityLimiter(WRITERS)}
        _limiters.set(limiters)
    return await to_thread.run_sync(functools.partial(work, *args, **options), limiter=limiters[reads])
