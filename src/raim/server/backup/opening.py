"""Opening a backup: nothing in it is believed until its hash is that of the manifest.

A damaged or hostile file is refused before anything is written: members that the manifest does not name, compressed
ones (which could be larger than they say), ones that overlap, names that would leave their place.
"""

import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from raim.errors import BackupError
from raim.server.backup.manifest import MOST_BYTES, NAME, BackupManifest, BackupPart, parse_backup_manifest
from raim.server.storage import CHUNK_BYTES

ENCRYPTED = 0x1
# What Python's zipfile raises for damaged files, beside its own.
DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
    zlib.error,
)
LONGEST_ROW = 64 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Backup:
    """An opened backup, and what it holds."""

    path: Path
    archive: zipfile.ZipFile
    manifest: BackupManifest


@contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """Open a backup and compare its members with its manifest, by name and length.

    Raises:
        BackupError: It is none, is damaged, or claims what cannot be.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error
    with file, ExitStack() as stack:
        with _reporting_damage(path):
            archive = stack.enter_context(zipfile.ZipFile(file))
            manifest = _read_manifest(archive, path, os.fstat(file.fileno()).st_size)
        yield Backup(path=path, archive=archive, manifest=manifest)


def read_member(backup: Backup, member: BackupPart, *, by_line: bool = False) -> Iterator[bytes]:
    """Yield a member's content in pieces of 1 MiB, or its lines; after the last one its hash is compared.

    Raises:
        BackupError: It is not what was written.
    """
    digest = hashlib.sha256()
    with _reporting_damage(backup.path), backup.archive.open(member.name) as entry:
        while piece := entry.readline(LONGEST_ROW) if by_line else entry.read(CHUNK_BYTES):
            digest.update(piece)
            yield piece
    found = digest.hexdigest()
    if found != member.sha256:
        raise BackupError(
            f"{backup.path} is damaged: {member.name} has the SHA-256 {found}, {member.sha256} was written"
        )


def _read_manifest(archive: zipfile.ZipFile, path: Path, n_bytes: int) -> BackupManifest:
    infos = {info.filename: info for info in archive.infolist()}
    _check_infos(archive, infos, n_bytes)
    if NAME not in infos or infos[NAME].file_size > MOST_BYTES:
        raise BackupError(f"{path} has no manifest; it is no backup, or was not written to its end")
    manifest = parse_backup_manifest(archive.read(NAME))
    _check_members(infos, manifest)
    return manifest


def _check_infos(archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], n_bytes: int) -> None:
    if len(infos) != len(archive.infolist()):
        raise BackupError("the backup has two members of one name")
    for info in infos.values():
        is_plain = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & ENCRYPTED
        if not is_plain or info.file_size != info.compress_size:
            raise BackupError(
                f"the backup's member {info.filename!r} is compressed or encrypted; no backup has that"
            )
    if sum(info.file_size for info in infos.values()) > n_bytes:
        raise BackupError("the backup's members are longer together than the file")


def _check_members(infos: dict[str, zipfile.ZipInfo], manifest: BackupManifest) -> None:
    named = {member.name: member.n_bytes for member in manifest.members}
    different = sorted(named.keys() ^ (infos.keys() - {NAME}))
    if different:
        raise BackupError(f"the backup's members are not those of its manifest: {', '.join(different[:5])}")
    for name, n_bytes in named.items():
        if infos[name].file_size != n_bytes:
            raise BackupError(f"the backup's member {name} has {infos[name].file_size} bytes, not {n_bytes}")


@contextmanager
def _reporting_damage(path: Path) -> Iterator[None]:
    """Turn what the zip reader raises for a damaged file into our error."""
    try:
        yield
    except BackupError:
        raise
    except DAMAGE as error:
        raise BackupError(f"{path} is damaged or no backup: {error}") from error
