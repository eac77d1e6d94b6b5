"""A worker that kills itself at a named stage of a job, until it has died so many times, or sends itself SIGSTOP.

    python dying_worker.py NAME STAGE DEATHS COUNT_FILE SILENCE_S [CHALLENGE...]

The settings are in its environment, and in DYING_SIGNAL the number of a signal that is not SIGKILL. Each death adds a
byte to the file.
"""

import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

# Stage: module, function, and whether it dies before or after the function's work.
STAGES = {
    "check begun": ("checking", "_begin", "after"),
    "check running": ("checking", "_show_progress", "before"),
    "verdict not committed": ("checking", "_judge", "after"),
    "check done": ("workflows", "run_check", "after"),
    "group chosen": ("workflows", "choose_group", "after"),
    "batch begun": ("scoring", "_begin", "after"),
    "batch half done": ("scoring", "_keep", "after"),
    "batch done": ("workflows", "score_batch", "after"),
    "results not committed": ("finishing", "_add_results", "after"),
    "results committed": ("workflows", "finish_group", "after"),
}
TILE_STAGES = {
    "tiles begun": ("tiling", "_read", "after"),
    "tiles made": ("tiling", "run_alone", "after"),
    "tiles kept": ("tiling", "adopt_file", "after"),
    "tiles written": ("workflows", "run_tiling", "after"),
}


def arm(stage, deaths, counter):
    """Let the function of a stage end this process."""
    import importlib

    module_name, function, when = (STAGES | TILE_STAGES)[stage]
    module = importlib.import_module(f"raim.server.jobs.{module_name}")
    original = getattr(module, function)

    def die():
        done = counter.stat().st_size if counter.exists() else 0
        if done < deaths:
            with counter.open("ab") as file:
                file.write(b".")
                file.flush()
                os.fsync(file.fileno())
            os.kill(os.getpid(), int(os.environ.get("DYING_SIGNAL", signal.SIGKILL)))

    def dying(*args, **options):
        if when == "before":
            die()
        value = original(*args, **options)
        die()
        return value

    setattr(module, function, dying)


def main():
    name, stage, deaths, counter, silence, *challenges = sys.argv[1:]
    from raim.server.jobs.worker import Pace, run_worker
    from raim.server.settings import read_settings

    if stage in STAGES | TILE_STAGES:
        arm(stage, int(deaths), Path(counter))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    pace = Pace(tick_s=0.3, heartbeat_s=0.3, silence=timedelta(seconds=float(silence)))
    settings = read_settings(os.environ)
    run_worker(settings, name=name, challenges=challenges, processes=1, stop=stop, pace=pace)


if __name__ == "__main__":
    main()
