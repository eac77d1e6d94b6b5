"""The engine of jobs, set up as raim sets it up, with a job that is not raim's: what does it recover by itself?

    python engine_alone.py URL NAME FOLDER

Its job has two steps, which leave marks in the folder's file `marks`; the second waits for a file `go-NAME`.
"""

import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

from dbos import DBOS

from raim.server.jobs.workflows import POLL_S, _configure

QUEUE = "alone"


def main():
    url, name, place = sys.argv[1:]
    folder = Path(place)

    def mark(job, what):
        line = os.open(folder / "marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(line, f"{job} {what} {name}\n".encode())
        os.close(line)

    @DBOS.step(name="first")
    def first(job):
        mark(job, "first")

    @DBOS.step(name="second")
    def second(job):
        mark(job, "second")
        while not (folder / f"go-{name}").exists():
            time.sleep(0.02)
        mark(job, "done")
        return name

    @DBOS.workflow(name="alone")
    def alone(job):
        first(job)
        return second(job)

    DBOS(config=_configure(SimpleNamespace(name=name), url))
    DBOS.listen_queues([QUEUE])
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=POLL_S, on_conflict="always_update")
    (folder / f"up-{name}").touch()
    threading.Event().wait()


if __name__ == "__main__":
    main()
