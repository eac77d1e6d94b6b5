"""`raim serve` as a process of its own, for tests of what stands before it."""

import contextlib
import os
import subprocess
import sys

import requests
from sqlalchemy import select

from patience import PATIENCE_S, wait_until
from raim.server.database import AuditEvent, open_database
from raim.server.serving import take_port

PUBLIC = "https://challenge.example.org"


def is_up(address):
    try:
        return requests.get(f"{address}/ready", timeout=PATIENCE_S).ok
    except requests.ConnectionError:
        return False


@contextlib.contextmanager
def serve(folder, *, stderr=None, **settings):
    with take_port("127.0.0.1", 0, default=8000) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "raim", "serve", str(folder), "--port", str(port), "--no-worker"]
    environment = os.environ | {"RAIM_PUBLIC_URL": PUBLIC, "RAIM_KEEP_FREE_BYTES": "0"} | settings
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
    ) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_up(address))
        try:
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def addresses(folder):
    database = open_database(f"sqlite:///{folder / 'raim.db'}")
    with database.reading() as session:
        found = session.scalars(select(AuditEvent.address).where(AuditEvent.action == "register")).all()
    database.engine.dispose()
    return found
