"""The demo's report: written once the server's worker has scored the entries of the round that is over."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from raim.demo.restorers import ENTRIES
from raim.errors import RaimError
from raim.report.closed import write_report
from raim.server.database import EntryResult
from raim.server.settings import Settings
from raim.server.study.closed_folder import open_material
from raim.server.web.server import WebServer

FOLDER = "report"
LOOK_EVERY_S = 1.0


def report_when_scored(
    server: WebServer, settings: Settings, on_end: Callable[[str], None], stop: threading.Event
) -> threading.Thread:
    """Write the report in the background.

    Args:
        server: The demo's.
        settings: Of the same.
        on_end: Called with a line: where the report is, or why there is none.
        stop: Ends the waiting.
    """
    thread = threading.Thread(target=_wait_and_write, args=(server, settings, on_end, stop), daemon=True)
    thread.start()
    return thread


def _wait_and_write(
    server: WebServer, settings: Settings, on_end: Callable[[str], None], stop: threading.Event
) -> None:
    while not stop.is_set() and _count_scored(server) < len(ENTRIES):
        stop.wait(LOOK_EVERY_S)
    if stop.is_set():
        return
    try:
        on_end(f"the report: {write_demo_report(settings, settings.folder / FOLDER)}")
    except RaimError as error:
        on_end(f"no report: {error}")


def write_demo_report(settings: Settings, out: Path) -> Path:
    """Write the report of the demo's challenge, without the LaTeX document; give its page.

    Raises:
        StateError: Nothing is revealed.
        MissingExtraError: matplotlib is not installed.
    """
    with open_material(settings, now=datetime.now(UTC)) as material:
        return write_report(material, out, formats=("html", "csv", "json", "gallery")).files[0]


def _count_scored(server: WebServer) -> int:
    with server.database.reading() as session:
        return session.query(EntryResult.submission_id).distinct().count()
