"""What belongs into a backup: which tables, which stored files, which texts of the challenge's folder."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, select, union

from raim.server.backup.manifest import TEXT_SUFFIXES
from raim.server.database import Base, Image, LoginSession, OneUseLink, Submission, Upload, WorkerHeartbeat

# Logins and links end with the server that made them; workers tell of themselves again.
LEFT_OUT = frozenset({LoginSession.__tablename__, OneUseLink.__tablename__, WorkerHeartbeat.__tablename__})
OWN_FOLDERS = frozenset({"files", "uploads", "work"})  # of the server, in the challenge's folder


@contextmanager
def open_snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees the database as it is now, whatever others write meanwhile.

    SQLite: a reading transaction of the write-ahead log. PostgreSQL: REPEATABLE READ, READ ONLY.
    """
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with engine.connect() as connection, connection.begin():
        yield connection


def kept_tables() -> list[Table]:
    """Give the tables that a backup has, those that are referred to first."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def list_stored(connection: Connection) -> dict[str, int]:
    """Give SHA-256 and length of every stored file that rows refer to.

    Uploads that are under way, or ended without being whole, have no file. Packs of tiles are left out: they are
    larger than what they are made of, and a worker makes them again, the same to the byte.
    """
    whole = (
        select(Submission.committed_sha256, Submission.committed_bytes)
        .outerjoin(Upload, Upload.submission_id == Submission.id)
        .where(Submission.where("has_file"), (Upload.id.is_(None)) | (Upload.finished_at.is_not(None)))
    )
    images = select(Image.input_sha256, Image.input_bytes)
    references = select(Image.reference_sha256, Image.reference_bytes).where(
        Image.reference_sha256.is_not(None)
    )
    rows: Iterable[Any] = connection.execute(union(images, references, whole))
    return {row[0]: row[1] for row in rows}


def list_texts(folder: Path, *, apart_from: Path) -> list[str]:
    """Give the paths, from the challenge's folder, of its texts: challenge.toml, Markdown, manifests.

    Args:
        folder: The challenge's folder.
        apart_from: The folder of stored files, if it lies there.
    """
    found = []
    for place, folders, files in os.walk(folder):
        path = Path(place)
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".")
            and (path / each) != apart_from
            and not (path == folder and each in OWN_FOLDERS)
        )
        found += [
            (path / each).relative_to(folder).as_posix()
            for each in sorted(files)
            if Path(each).suffix in TEXT_SUFFIXES
        ]
    return found
