"""A file to the server by the tus protocol: in pieces, from wherever the server says that it stands.

It is opened once, hashed, and watched for changes while it is sent, since its SHA-256 was promised.

Source: https://tus.io/protocols/resumable-upload, version 1.0.0 (HEAD, PATCH and the extension termination).
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin

import requests

from raim.client.asking import Connection, PassingError, exchange, persist, read_fault, refusal_error, send
from raim.client.server import origin
from raim.errors import ContentMismatchError, InputError, RaimError, ServerRefusedError

HASHED_BYTES = 2**20
PIECE_BYTES = 8 * 2**20
VERSION = {"Tus-Resumable": "1.0.0"}
SENT_AGAIN = 2  # times that a file arrives damaged before we give up
OnSent = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenFile:
    """The file that is handed in, opened; `changed_ns` is when it was written to last, as the file system says."""

    path: Path
    file: BinaryIO
    n_bytes: int
    sha256: str
    changed_ns: int

    def has_changed(self) -> bool:
        """Return whether it was written to since it was hashed."""
        now = os.fstat(self.file.fileno())
        return (now.st_size, now.st_mtime_ns) != (self.n_bytes, self.changed_ns)

    def check_unchanged(self) -> None:
        """Refuse it if it was written to since."""
        if self.has_changed():
            raise InputError(
                f"{self.path} changed while it was being sent, so nothing of it counts and no try is taken; wait until "
                "it is written, then run the same command again"
            )


@contextlib.contextmanager
def open_source(path: Path, on_hashed: Callable[[int, int], None]) -> Iterator[OpenFile]:
    """Open and hash a file; `on_hashed` is called with (bytes hashed, bytes in all).

    Raises:
        InputError: It cannot be read, is empty, or is written to meanwhile.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            before = os.fstat(file.fileno())
            digest = hashlib.sha256()
            while piece := file.read(HASHED_BYTES):
                digest.update(piece)
                on_hashed(file.tell(), before.st_size)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
        if before.st_size == 0:
            raise InputError(f"{path} is empty")
        source = OpenFile(
            path=path,
            file=file,
            n_bytes=before.st_size,
            sha256=digest.hexdigest(),
            changed_ns=before.st_mtime_ns,
        )
        source.check_unchanged()
        yield source


class _Piece:
    """A part of a file as `requests` streams it: its length is known, and it is read as it is sent."""

    def __init__(self, source: OpenFile, start: int, n_bytes: int, on_sent: OnSent) -> None:
        self.source, self.left, self.on_sent = source, n_bytes, on_sent
        source.file.seek(start)

    def __len__(self) -> int:
        return self.left

    def read(self, n_bytes: int = -1) -> bytes:
        chunk = self.source.file.read(self.left if n_bytes < 0 else min(n_bytes, self.left))
        self.left -= len(chunk)
        self.on_sent(self.source.file.tell(), self.source.n_bytes)
        return chunk


class _Upload:
    """One upload on its way; `offset` is what the server has, None where that has to be asked."""

    def __init__(self, connection: Connection, path: str, source: OpenFile, on_sent: OnSent) -> None:
        self.connection, self.path, self.source, self.on_sent = connection, path, source, on_sent
        self.offset: int | None = None
        self.reached = 0
        self.times_damaged = 0

    def run(self) -> None:
        """Send what is missing; raises PassingError where the connection breaks."""
        while True:
            try:
                offset = self.ask_offset() if self.offset is None else self.offset
                self.offset = None
                self.offset = self.send_piece(offset)
            except PassingError:
                self.source.check_unchanged()
                raise
            if self.offset is not None:
                self.reached = max(self.reached, self.offset)
                if self.offset == self.source.n_bytes:
                    return

    def ask_offset(self) -> int:
        """Ask how much is there."""
        offset = self.read_offset(send(self.connection, "HEAD", self.path, headers=VERSION))
        self.reached = max(self.reached, offset)
        self.on_sent(offset, self.source.n_bytes)
        return offset

    def send_piece(self, offset: int) -> int | None:
        """Send the next piece; give the new offset, or None if it has to be asked.

        The last request may be empty: it asks the server to finish what has come whole.
        """
        self.source.check_unchanged()
        n_bytes = min(PIECE_BYTES, self.source.n_bytes - offset)
        piece = _Piece(self.source, offset, n_bytes, self.on_sent) if n_bytes else b""
        headers = VERSION | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        answer = exchange(self.connection, "PATCH", self.path, data=piece, headers=headers)
        self.source.check_unchanged()
        if answer.ok:
            return self.read_offset(answer)
        self.handle_refusal(answer, offset)
        return None

    def handle_refusal(self, answer: requests.Response, offset: int) -> None:
        """Let the offset be asked again where that helps; else the refusal stands.

        Where the upload is still there and no further, an earlier request of ours whose connection broke still has it.
        """
        fault, error = read_fault(answer), refusal_error(self.connection, answer)
        if fault.code == "content_mismatch":
            self.times_damaged += 1
            if self.times_damaged > SENT_AGAIN:
                raise ContentMismatchError(f"{self.connection.server.url}: {fault.message}")
            return
        if answer.status_code != 409:
            raise error
        try:
            there = self.ask_offset()
        except RaimError:
            raise error from None
        if there == offset:
            raise PassingError(error)

    def read_offset(self, answer: requests.Response) -> int:
        """Read the offset in an answer."""
        text = answer.headers.get("Upload-Offset", "")
        if not (text.isascii() and text.isdigit() and int(text) <= self.source.n_bytes):
            raise ServerRefusedError(
                f"{self.connection.server.url} does not say how much of the file it has (Upload-Offset {text!r}); is "
                "there a proxy before it that changes headers?",
                status=answer.status_code,
                code="not_understood",
            )
        return int(text)


def send_file(connection: Connection, url: str, source: OpenFile, on_sent: OnSent) -> None:
    """Send a file to the address that the server gave, going on where it says, until it is there whole.

    Raises:
        InputError: The file changes meanwhile; the upload is given up and takes no try.
        ContentMismatchError: It arrives damaged again and again.
        ServerUnreachableError: The connection brings nothing for many attempts.
        RaimError: The server refuses.
    """
    path = _own_path(connection, url)
    upload = _Upload(connection, path, source, on_sent)
    try:
        persist(connection, upload.run, lambda: upload.reached)
    except InputError:
        if source.has_changed():
            with contextlib.suppress(RaimError, PassingError):
                send(connection, "DELETE", path, headers=VERSION)
        raise


def _own_path(connection: Connection, url: str) -> str:
    """Return the path of an upload on our server; another host is never given file and token."""
    root = connection.server.url + "/"
    whole = connection.server.url + url if url.startswith("/") else urljoin(root, url)
    if not whole.startswith(root) or origin(whole) != origin(root):
        raise ServerRefusedError(
            f"{connection.server.url} wants the file to be sent to {url}, which is another server",
            status=201,
            code="elsewhere",
        )
    return whole.removeprefix(connection.server.url)
