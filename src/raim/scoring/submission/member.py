"""One file of a zip or a folder, read without trusting it, and how much a submission may hold.

Never more is read than was declared, and nothing is written to disk. A member holds only paths and numbers, so it can
be sent to a worker process and read there.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from raim.data import image_stem
from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import Finding, problem, submission_error
from raim.scoring.submission.zip_members import PackedContent, unpack_content


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits on a submission.

    Attributes:
        max_members: Files and folders together, junk included.
        max_member_bytes: One file, unpacked (120 megapixels of 16-bit RGB are 720 MB).
        max_total_bytes: All files, unpacked.
        max_ratio: Unpacked over packed size of one member.
        ratio_from_bytes: Unpacked size from which the ratio counts; a small flat image packs very well.
        max_readme_bytes: The readme.txt.
        max_pixels: Width times height of one image.
    """

    max_members: int = 10_000
    max_member_bytes: int = 800_000_000
    max_total_bytes: int = 64 * 2**30
    max_ratio: int = 100
    ratio_from_bytes: int = 2**20
    max_readme_bytes: int = 2**16
    max_pixels: int = 120_000_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveMember:
    """One file of a zip or a folder.

    Attributes:
        container: The zip, or the folder.
        stored_name: Path within it as it stands there; may hold anything.
        parts: The same, split; without a common folder once that is taken off.
        n_bytes: Declared size of the content.
        problems: What forbids reading it.
        entry: Where its content lies in the zip; None for a file of a folder.
        raw_name: Path as the zip stores it, where it does not say in which encoding; else b"".
    """

    container: Path
    stored_name: str
    parts: tuple[str, ...]
    n_bytes: int
    problems: tuple[Finding, ...] = ()
    entry: PackedContent | None = None
    raw_name: bytes = b""

    @property
    def name(self) -> str:
        """The file name alone, such as `0001.png`."""
        return self.parts[-1] if self.parts else self.stored_name

    @property
    def stem(self) -> str:
        """What it is matched by: the name without suffix, in NFC."""
        return image_stem(self.name)

    def read_bytes(self) -> bytes:
        """Read the whole content.

        Raises:
            SubmissionError: It may not be read, is damaged, changed or has another size than declared.
        """
        name = shown(self.stored_name)
        if self.problems:
            raise SubmissionError("; ".join(each.message for each in self.problems), problems=self.problems)
        try:
            if self.entry is not None:
                with self.container.open("rb") as file:
                    return unpack_content(file, self.entry, self.n_bytes, name)
            with (self.container / self.stored_name).open("rb") as file:
                content = file.read(self.n_bytes + 1)
        except OSError as error:
            text = f"{name} cannot be read: {error.strerror}"
            raise submission_error(str(self.container), [problem("unreadable-file", text, name)]) from error
        if len(content) != self.n_bytes:
            text = f"{name} changed while it was read; try again"
            raise submission_error(str(self.container), [problem("size-mismatch", text, name)])
        return content

    def sha256(self) -> str:
        """Hash the content.

        Raises:
            SubmissionError: As `read_bytes`.
        """
        return hashlib.sha256(self.read_bytes()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What is in a zip or a folder, and the problems of the whole and of what is no member."""

    members: tuple[ArchiveMember, ...] = ()
    problems: tuple[Finding, ...] = ()

    @property
    def all_problems(self) -> tuple[Finding, ...]:
        """The problems of the whole and of each member, each once."""
        found = [*self.problems, *(each for member in self.members for each in member.problems)]
        return tuple(dict.fromkeys(found))


def find_total_problems(n_bytes: int, limits: Limits) -> list[Finding]:
    """Find whether all files together are too large."""
    if n_bytes <= limits.max_total_bytes:
        return []
    limit = limits.max_total_bytes
    text = f"all files together have {n_bytes} bytes, at most {limit} are read; send fewer or smaller files"
    return [problem("archive-too-large", text)]


def find_size_problems(name: str, n_bytes: int, limits: Limits) -> list[Finding]:
    """Find whether one file is too large."""
    if n_bytes <= limits.max_member_bytes:
        return []
    limit = limits.max_member_bytes
    text = f"{shown(name)} has {n_bytes} bytes, at most {limit} are read; save the image as PNG or JPEG"
    return [problem("member-too-large", text, name)]
