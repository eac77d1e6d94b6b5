"""Runs that may be stopped at any time: what is finished is noted, found again and kept while it is the same.

    fingerprint of all that a result depends on -> journal of what is finished -> what is left -> journal

A result is written whole (`raim.files`), the line of the journal with its fingerprint and hashes beside it. The next
run keeps what has the same fingerprint and the same bytes, and makes the rest. Work is spread over processes by
`raim.processes`, which Ctrl-C ends in the middle of what they do. A folder belongs to one run: another run in it goes
on, is refused, or begins again where that is asked for, and nothing is deleted that the same command has not written.
"""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from raim.errors import InputError
from raim.files import cannot_write, hash_file

LOCK = ".lock"
PARTS = ".*.*-*.part"  # what a killed writer leaves of a file (`raim.files`)


def fingerprint(*parts: Any) -> str:
    """Return the SHA-256 of all that a result depends on, as JSON; the order within dicts does not matter.

    Example:
        >>> fingerprint("0.5", {"a": 1, "b": 2}) == fingerprint("0.5", {"b": 2, "a": 1})
        True
        >>> fingerprint("0.5", "7") == fingerprint("0.5", 7)
        False
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def has_hashes(expected: Mapping[Path, str]) -> bool:
    """Return whether files are there and have the SHA-256 that is expected of each."""
    return all(path.is_file() and hash_file(path) == sha256 for path, sha256 in expected.items())


Record = TypeVar("Record")  # a frozen dataclass of plain values with a `name`


@dataclass(frozen=True, slots=True)
class Journal(Generic[Record]):
    """A file with a line of JSON for each finished item; the last one of a name counts."""

    path: Path
    kind: type[Record]  # the dataclass of an item

    def read(self) -> dict[str, Record]:
        """Return the items by name; a line that cannot be read, such as one that was cut off, is none."""
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError:
            return {}
        adapter: TypeAdapter[Any] = TypeAdapter(self.kind)
        found = {}
        for line in lines:
            with contextlib.suppress(ValidationError):
                record = adapter.validate_json(line)
                found[record.name] = record
        return found

    def append(self, record: Record) -> None:
        """Note that an item is finished."""
        # The line break comes first: a line that was cut off takes none with it.
        line = "\n" + json.dumps(dataclasses.asdict(record))  # type: ignore[call-overload]
        try:
            with self.path.open("ab") as file:
                file.write(line.encode())
        except OSError as error:
            raise cannot_write(self.path, error) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputFolder:
    """The folder that one run writes to."""

    path: Path
    command: str  # that writes it, such as "raim degrade"
    # of all files that it writes, as `Path.glob` takes them; the folders in them are made
    patterns: tuple[str, ...]

    @contextlib.contextmanager
    def held(self, *, is_own: bool) -> Iterator[None]:
        """Make the folder, unless it is there, and keep other runs out of it; the lock goes with the process.

        Args:
            is_own: Whether what lies in it tells that the same command wrote it.

        Raises:
            InputError: It holds something else, another run works in it, or it cannot be made.
        """
        with contextlib.ExitStack() as stack:
            with self._usable():
                self._refuse_others(is_own=is_own)
                self.path.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(FileLock(self.path / LOCK, timeout=0))
            except OSError as error:
                if isinstance(
                    error, Timeout
                ):  # else a file system without locks, where nobody can be distinguished
                    raise InputError(
                        f"another {self.command} works in {self.path}; wait until it has ended, or name another folder"
                    ) from error
            yield

    def prepare(self, *, goes_on: bool, state: str, overwrite: bool) -> None:
        """Make the folder, while it is held, ready for a run: one that goes on, or a new one.

        Args:
            goes_on: Whether what it holds is of the very run that begins now.
            state: What else it "holds" or "is", for the message.
            overwrite: Whether what an earlier run has written is removed.

        Raises:
            InputError: It holds another run, or cannot be used.
        """
        with self._usable():
            if self._list_files() and not (goes_on or overwrite):
                raise InputError(
                    f"{self.path} {state}; name another folder, or replace what {self.command} has written there with "
                    "--overwrite"
                )
            if not goes_on:
                self.remove(*self.patterns)
            for folder in {Path(pattern).parent for pattern in self.patterns}:
                (self.path / folder).mkdir(parents=True, exist_ok=True)
                self.remove(str(folder / PARTS))

    def remove(self, *patterns: str, but: frozenset[str] = frozenset()) -> None:
        """Remove files that fit patterns, but those of some stems."""
        for pattern in patterns:
            for path in self.path.glob(pattern):
                if path.stem not in but:
                    path.unlink(missing_ok=True)

    def _refuse_others(self, *, is_own: bool) -> None:
        content = self._list_files()
        if content and not is_own:
            raise InputError(
                f"{self.path} holds {len(content)} files that {self.command} has not written, such as "
                f"{content[0].relative_to(self.path)}; move them or name another folder"
            )

    def _list_files(self) -> list[Path]:
        """List the files in the folder but those that a run leaves which was killed at once."""
        found = (path for path in self.path.rglob("*") if not path.is_dir() and path != self.path / LOCK)
        return sorted(path for path in found if not path.match(PARTS))

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; name a folder")
        try:
            yield
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be used: {error.strerror or error}; name another folder"
            ) from error
