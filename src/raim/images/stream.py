"""Bounded reading of a file or of bytes: nothing is read, and no memory taken, for what is not there."""

import io
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

from raim.errors import ImageTruncatedError


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """An open file, or bytes, whose size is known."""

    file: BufferedIOBase
    n_bytes: int

    def read_at(self, offset: int, n_bytes: int, what: str) -> bytes:
        """Read exactly that many bytes.

        Args:
            offset: Where to start.
            n_bytes: How many bytes.
            what: What they are, for the message.

        Raises:
            ImageTruncatedError: The file ends before them.
        """
        if offset + n_bytes > self.n_bytes:
            raise cut_off(what, offset + n_bytes, self.n_bytes)
        self.file.seek(offset)
        data = self.file.read(n_bytes)
        if len(data) != n_bytes:  # the file shrank while it was read
            raise cut_off(what, offset + n_bytes, offset + len(data))
        return data


def make_stream(content: bytes) -> Stream:
    """Stream of bytes."""
    return Stream(file=io.BytesIO(content), n_bytes=len(content))


def cut_off(what: str, needed: int, present: int) -> ImageTruncatedError:
    """Make the error for a file that ends early.

    Example:
        >>> print(cut_off("its header", 33, 20))
        ends early: its header reaches to byte 33, the file to byte 20; copy or export it again
    """
    return ImageTruncatedError(
        f"ends early: {what} reaches to byte {needed}, the file to byte {present}; copy or export it again"
    )


def damaged(what: str) -> ImageTruncatedError:
    """Make the error for content that contradicts itself.

    Example:
        >>> print(damaged("its checksum is wrong"))
        is damaged: its checksum is wrong; copy or export it again
    """
    return ImageTruncatedError(f"is damaged: {what}; copy or export it again")


def load_codecs() -> Any:
    """Import imagecodecs at first use, without its type stubs: they leave out what its functions take."""
    import imagecodecs

    return imagecodecs
