"""A measured process's side of the benchmark: it prepares once, then computes one turn each time it is asked to.

Needs the standard library only, because the peer's interpreter runs it too. An answer is one line of JSON behind
`ANSWER`, so that whatever a library prints is distinguished.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ANSWER = "benchmark-answer "
SHORTEST_TURN_S = 0.3

Values = Mapping[str, float | None]


def take_turns(run: Callable[[], Values]) -> None:
    """Say that all is ready, then take a turn for each line on the standard input and answer with what it took.

    A computation that is shorter than `SHORTEST_TURN_S` is repeated within the turn and the average is answered.
    """
    answer({"ready": True})
    for _ in sys.stdin:
        wall, cpu, count = time.perf_counter(), cpu_s(), 0
        while not count or time.perf_counter() - wall < SHORTEST_TURN_S:
            values = run()
            count += 1
        taken = {"wall_s": (time.perf_counter() - wall) / count, "cpu_s": (cpu_s() - cpu) / count}
        answer({**taken, "peak_mb": peak_mb(), "values": dict(values)})


def answer(content: Mapping[str, object]) -> None:
    """Write one line that `Process` reads."""
    print(ANSWER + json.dumps(content), flush=True)


def cpu_s() -> float:
    """Processor time of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """Give the highest resident size so far, in 10^6 bytes.

    On Linux `ru_maxrss` begins with the size of the process that started this one, so VmHWM is taken instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text(encoding="ascii"))
        if found:
            return int(found[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
