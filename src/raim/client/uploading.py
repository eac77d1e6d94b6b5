"""A file to the server by the tus protocol: in pieces, from wherever the server says that it stands.

Source: https://tus.io/protocols/resumable-upload, version 1.0.0 (HEAD, PATCH and the extension termination).
"""

import contextlib
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import urljoin

import requests

from raim.client.asking import Connection, PassingError, exchange, persist, read_refusal, refusal_error, send
from raim.client.hashing import Source, check_unchanged, has_changed
from raim.client.server import origin
from raim.errors import ContentMismatchError, InputError, RaimError, ServerRefusedError

PIECE_BYTES = 8 * 2**20
VERSION = {"Tus-Resumable": "1.0.0"}
SENT_AGAIN = 2  # times that a file arrives damaged before we give up
OnSent = Callable[[int, int], None]


class _Piece:
    """A part of a file as `requests` streams it: its length is known, and it is read as it is sent."""

    def __init__(self, file: BinaryIO, start: int, n_bytes: int, on_read: Callable[[int], None]) -> None:
        self.file, self.left, self.place, self.on_read = file, n_bytes, start, on_read
        file.seek(start)

    def __len__(self) -> int:
        return self.left

    def read(self, n_bytes: int = -1) -> bytes:
        chunk = self.file.read(self.left if n_bytes < 0 else min(n_bytes, self.left))
        self.left -= len(chunk)
        self.place += len(chunk)
        self.on_read(self.place)
        return chunk


class _Upload:
    """One upload on its way; `offset` is what the server has, None where that has to be asked."""

    def __init__(self, connection: Connection, path: str, source: Source, on_sent: OnSent) -> None:
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
                check_unchanged(self.source)
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
        check_unchanged(self.source)
        n_bytes = min(PIECE_BYTES, self.source.n_bytes - offset)
        piece = _Piece(
            self.source.file, offset, n_bytes, lambda place: self.on_sent(place, self.source.n_bytes)
        )
        headers = {
            **VERSION,
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        answer = exchange(
            self.connection, "PATCH", self.path, data=piece if n_bytes else b"", headers=headers
        )
        check_unchanged(self.source)
        if answer.ok:
            return self.read_offset(answer)
        self.handle_refusal(answer, offset)
        return None

    def handle_refusal(self, answer: requests.Response, offset: int) -> None:
        """Let the offset be asked again where that helps; else the refusal stands.

        Where the upload is still there and no further, an earlier request of ours whose connection broke still has it.
        """
        refusal = read_refusal(answer)
        if refusal.code == "content_mismatch":
            self.times_damaged += 1
            if self.times_damaged > SENT_AGAIN:
                raise ContentMismatchError(f"{self.connection.server.url}: {refusal.message}")
            return
        error = refusal_error(self.connection, refusal)
        if refusal.status != 409:
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


def send_file(connection: Connection, url: str, source: Source, on_sent: OnSent) -> None:
    """Send a file, going on where the server says, until it is there whole.

    Args:
        connection: To the server.
        url: Of the upload, as the server gave it.
        source: The file.
        on_sent: Called with (bytes there, bytes in all).

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
        if not has_changed(source):
            raise
        with contextlib.suppress(RaimError, PassingError):
            send(connection, "DELETE", path, headers=VERSION)
        raise


def _own_path(connection: Connection, url: str) -> str:
    """Give the path of an upload on our server; another host is never given file and token."""
    root = connection.server.url + "/"
    whole = connection.server.url + url if url.startswith("/") else urljoin(root, url)
    if not whole.startswith(root) or origin(whole) != origin(root):
        raise ServerRefusedError(
            f"{connection.server.url} wants the file to be sent to {url}, which is another server",
            status=201,
            code="elsewhere",
        )
    return whole.removeprefix(connection.server.url)
