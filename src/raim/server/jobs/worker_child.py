"""The worker that `raim serve` keeps: a child process of low priority, started again whenever it dies."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, fields

from raim.server.settings import VARIABLE_PREFIX, Settings

LOG = logging.getLogger(__name__)
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
LONG_LIFE_S = 60.0  # a worker that lived so long is started again at once
ENDING_S = 20.0


@dataclass(slots=True)
class WorkerChild:
    """Keeps one worker process alive, from `start` to `stop`; the process ends with this one, however that ends."""

    settings: Settings
    name: str = field(default_factory=lambda: f"{socket.gethostname()}-serve")
    _process: subprocess.Popen[bytes] | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "WorkerChild":  # noqa: PYI034 - the test run's type checker reads no Self
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def start(self) -> None:
        """Start the worker, and again whenever it dies."""
        self._thread = threading.Thread(target=self._keep, name="worker child", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the worker; what it does is resumed at the next start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        wait = FIRST_WAIT_S
        while not self._stopping.is_set():
            begun = time.monotonic()
            self._run_process()
            if self._stopping.is_set():
                return
            lived = time.monotonic() - begun
            wait = FIRST_WAIT_S if lived > LONG_LIFE_S else min(2 * wait, LONGEST_WAIT_S)
            LOG.warning("the worker %s ended; it is started again in %g s", self.name, wait)
            self._stopping.wait(wait)

    def _run_process(self) -> None:
        """Run the process until it dies or is to end; it ends by itself once the pipe is closed."""
        read_end, write_end = os.pipe()
        environment = os.environ | settings_environment(self.settings)
        environment["RAIM_JOBS_PARENT_PIPE"] = str(read_end)
        with os.fdopen(write_end, "wb"):
            try:
                self._process = process = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-m", "raim.server.jobs", self.name],
                    env=environment,
                    pass_fds=[read_end],
                    stdin=subprocess.DEVNULL,
                )
            finally:
                os.close(read_end)
            while process.poll() is None:
                if self._stopping.wait(0.2):
                    process.terminate()
                    try:
                        process.wait(ENDING_S)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()


def settings_environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables that make the same settings."""
    values = {each.name: getattr(settings, each.name) for each in fields(Settings)}
    values["trusted_proxies"] = ",".join(str(network) for network in settings.trusted_proxies)
    return {f"{VARIABLE_PREFIX}{name.upper()}": str(value) for name, value in values.items()}
