"""`python -m raim.server.jobs NAME`: the worker that `raim serve` keeps, with the settings in its environment."""

import os
import signal
import sys
import threading

PARENT = "RAIM_JOBS_PARENT_PIPE"


def run_kept_worker() -> None:
    """Run one worker until SIGTERM, or until the server is gone."""
    from raim.errors import RaimError
    from raim.server.jobs.bundles import keep_bundles
    from raim.server.jobs.worker import run_worker
    from raim.server.logs import set_up_logs
    from raim.server.settings import read_settings

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which ends this process
    pipe = os.environ.pop(PARENT, None)
    if pipe is not None:
        threading.Thread(target=_end_with_server, args=(int(pipe), stop), daemon=True).start()
    settings = read_settings(os.environ)
    set_up_logs(settings.log_format)
    keep_bundles(settings, stop)
    try:
        run_worker(settings, name=sys.argv[1], stop=stop)
    except RaimError as error:
        print(f"raim worker: {error}", file=sys.stderr)  # noqa: T201 - a program's own words
        sys.exit(2)


def _end_with_server(pipe: int, stop: threading.Event) -> None:
    """End when the server's end of a pipe is closed, as it is by its death."""
    os.read(pipe, 1)
    stop.set()


if __name__ == "__main__":
    run_kept_worker()
