"""Inputs of a data set to a file: resumed where it stopped, there whole or not at all.

What has come lies in a part file beside the target, named after the server's ETag of the content: another version of
the data set never continues the part of an earlier one.
"""

import glob
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import requests

from raim.client.asking import Connection, PassingError, api_path, connect, exchange, persist, refusal_error
from raim.client.server import Server
from raim.errors import RaimError, ServerUnreachableError
from raim.files import cannot_write, check_writable

CHUNK_BYTES = 2**16
OK, PARTIAL_CONTENT, BEYOND_ITS_END = 200, 206, 416
OnReceived = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Download:
    """One file on its way."""

    connection: Connection
    url_path: str
    target: Path
    on_received: OnReceived

    def part(self, etag: str) -> Path:
        name = hashlib.sha256(etag.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return self.target.with_name(f".{self.target.name}.{name}.part")

    def parts(self) -> list[Path]:
        """Return what can be continued, newest last; without an ETag nobody knows of which content a part is."""
        found = set(self.target.parent.glob(f".{glob.escape(self.target.name)}.*.part"))
        return sorted(found - {self.part("")}, key=lambda path: path.stat().st_mtime)

    def n_bytes(self) -> int:
        return max((path.stat().st_size for path in self.parts()), default=0)


def download_inputs(
    server: Server,
    data_set: str,
    path: Path,
    *,
    on_progress: OnReceived = lambda _done, _total: None,
) -> Path:
    """Fetch all inputs of a data set as one zip; called again after it was interrupted, it goes on where it stopped.

    Args:
        server: Where from.
        data_set: Id of the data set.
        path: Where the zip goes; a file that is there is replaced once the new one is whole.
        on_progress: Called with (bytes there, bytes in all).

    Returns:
        `path`.

    Raises:
        AccessError: No phase gives it out now, or not to this team.
        UnknownNameError: There is no such data set.
        InputError: The file cannot be written.
        ServerUnreachableError: The server does not answer; the same call goes on.
    """
    path = Path(path)
    check_writable(path)
    with connect(server) as connection:
        api = persist(connection, lambda: api_path(connection))
        download = _Download(
            connection=connection,
            url_path=f"{api}/data-sets/{quote(data_set, safe='')}/inputs.zip",
            target=path,
            on_received=on_progress,
        )
        try:
            part = persist(connection, lambda: _append(download), download.n_bytes)
            part.replace(path)
            for left in download.parts():
                left.unlink(missing_ok=True)
        except RaimError:  # some of them are an OSError too
            raise
        except OSError as error:
            raise cannot_write(path, error) from error
    return path


def _append(download: _Download) -> Path:
    """Fetch what is missing; give the part file, which is whole."""
    newest = next(reversed(download.parts()), None)
    have = newest.stat().st_size if newest else 0
    # Without "identity" a server may compress, and then ranges and sizes are not the file's.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    answer = exchange(download.connection, "GET", download.url_path, headers=headers, stream=True)
    with answer:
        part = download.part(answer.headers.get("ETag", ""))
        if newest and (part != newest or answer.status_code == BEYOND_ITS_END):
            return _settle(download, answer, newest)
        if answer.status_code not in {OK, PARTIAL_CONTENT}:
            raise refusal_error(download.connection, answer)
        begin = have if answer.status_code == PARTIAL_CONTENT else 0
        total = begin + int(answer.headers.get("Content-Length", 0))
        _write(download, answer, part, begin, total)
    if part.stat().st_size < total:
        raise _broken(download, f"{part.stat().st_size} of {total} bytes came")
    return part


def _settle(download: _Download, answer: requests.Response, part: Path) -> Path:
    """Decide about a part that cannot be continued: it is whole, or of another content and dropped."""
    total = answer.headers.get("Content-Range", "").rpartition("/")[2]
    is_whole = answer.status_code == BEYOND_ITS_END and total == str(part.stat().st_size)
    if is_whole and part == download.part(answer.headers.get("ETag", "")):
        return part
    if answer.status_code not in {OK, PARTIAL_CONTENT, BEYOND_ITS_END}:
        raise refusal_error(download.connection, answer)
    part.unlink()
    return _append(download)


def _write(download: _Download, answer: requests.Response, part: Path, begin: int, total: int) -> None:
    done = begin
    with part.open("ab" if begin else "wb") as file:
        try:
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                download.on_received(done, total)
        except requests.exceptions.RequestException as error:
            raise _broken(download, str(error)) from error


def _broken(download: _Download, why: str) -> PassingError:
    return PassingError(
        ServerUnreachableError(
            f"{download.connection.server.url}: the connection broke ({why}); the same command goes on where it stopped"
        )
    )
