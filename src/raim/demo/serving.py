"""Serving the demo's results to this machine: listed files of one folder, for reading, on 127.0.0.1.

A request that names another host is refused, so that no page of another site can read them through a name that it
points to this machine (DNS rebinding).
"""

import errno
import http.server
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from raim.errors import InputError

HOST = "127.0.0.1"
DEFAULT_PORT = 8624
MIME_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


class PageServer:
    """A server of one folder; a context that closes its port.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, open_server(Path(folder), port=0) as server:
        ...     server.address.startswith("http://127.0.0.1:")
        True
    """

    def __init__(self, folder: Path, port: int) -> None:
        root = folder.resolve()

        class Handler(_Handler):
            folder = root

        self._server = http.server.ThreadingHTTPServer((HOST, port), Handler)

    def __enter__(self) -> "PageServer":  # noqa: PYI034 - beartype cannot check Self in a method
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self._server.server_port}/"

    def serve(self) -> None:
        """Answer requests until `stop`, or until Ctrl-C, which ends it without an error."""
        try:
            self._server.serve_forever()
        except KeyboardInterrupt:
            return

    def stop(self) -> None:
        """End `serve` from another thread."""
        self._server.shutdown()


def open_server(folder: Path, *, port: int | None = None) -> PageServer:
    """Take a port of this machine for a folder.

    Args:
        folder: What is served; `index.html` is its page.
        port: 0 for any free one; None for the usual one, or any free one if that is taken.

    Raises:
        InputError: If the port cannot be had.
    """
    try:
        return PageServer(folder, DEFAULT_PORT if port is None else port)
    except OSError as error:
        if port is None and error.errno == errno.EADDRINUSE:
            return open_server(folder, port=0)
        raise InputError(
            f"cannot serve on port {port}: {error.strerror}; name another with --port, or 0 for any free one"
        ) from error


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD for files within the folder; everything else is not found or not allowed."""

    folder: Path
    server_version = "raim"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(has_body=True)

    def do_HEAD(self) -> None:
        self._answer(has_body=False)

    def _answer(self, *, has_body: bool) -> None:
        if not self._is_for_us():
            self.send_error(HTTPStatus.FORBIDDEN, "this server answers only to its own address")
            return
        path = find_file(self.folder, self.path)
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content = path.read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", MIME_TYPES[path.suffix.lower()])
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if has_body:
            self.wfile.write(content)

    def _is_for_us(self) -> bool:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        return host in (HOST, "localhost")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the standard library
        """Keep the terminal quiet."""


def find_file(folder: Path, target: str) -> Path | None:
    """Give the file of a folder that a request names; None for anything else, such as what lies outside.

    Args:
        folder: Resolved.
        target: The request's path, quoted, with or without a query.

    Example:
        >>> find_file(Path("/nowhere"), "/../../etc/passwd") is None
        True
    """
    try:
        name = unquote(urlsplit(target).path, errors="strict").lstrip("/") or "index.html"
        path = (folder / name).resolve()
        is_ours = path.is_relative_to(folder) and path.is_file()
    except (ValueError, OSError):  # undecodable names, null bytes, names longer than the system takes
        return None
    return path if is_ours and path.suffix.lower() in MIME_TYPES else None
