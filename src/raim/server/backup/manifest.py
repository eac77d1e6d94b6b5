"""The list of what a backup holds: the member `manifest.json`, written last.

{"format": "raim-backup/1", "raim": "0.1.0", "schema": "0001", "database": "sqlite",
 "made_at": "2026-03-01T12:00:00+00:00", "tables": {"team": 200, ...},
 "members": [{"name": ..., "n_bytes": ..., "sha256": ...}, ...], "missing": {...}}
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from raim.errors import BackupError

FORMAT = "raim-backup/1"
NAME = "manifest.json"
MOST_BYTES = 64 * 2**20
SECRET = "secret.key"  # noqa: S105 - the name of a member
TABLES, FILES, TEXTS = "tables/", "files/", "challenge/"
TEXT_SUFFIXES = frozenset({".toml", ".md", ".csv", ".txt"})
TABLE_NAME = re.compile(r"tables/[a-z][a-z0-9_]*\.jsonl")
FILE_NAME = re.compile(r"files/[0-9a-f]{64}")
Count = Annotated[int, Field(ge=0, lt=2**63)]


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupPart:
    """One part of a backup: tables/NAME.jsonl, files/SHA256, challenge/PATH or secret.key."""

    name: str
    n_bytes: Count
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupManifest:
    """What a backup holds.

    Attributes:
        raim: Version of raim that wrote it.
        schema: Version of the database's tables.
        database: What it came from, "sqlite" or "postgresql"; it can be recovered into either.
        tables: How many rows each table has.
        members: All parts but the manifest itself.
        missing: Files that rows refer to and that could not be had whole, with the reason.
    """

    raim: str
    schema: str
    database: str
    made_at: datetime
    tables: Mapping[str, Count]
    members: tuple[BackupPart, ...]
    missing: Mapping[str, str]

    @property
    def n_rows(self) -> int:
        """Rows of all tables."""
        return sum(self.tables.values())

    @property
    def n_bytes(self) -> int:
        """Bytes of all members."""
        return sum(member.n_bytes for member in self.members)

    @property
    def files(self) -> tuple[BackupPart, ...]:
        """The stored files that are whole."""
        found = (member for member in self.members if member.name.startswith(FILES))
        return tuple(member for member in found if member.name == FILES + member.sha256)

    @property
    def texts(self) -> tuple[BackupPart, ...]:
        """The texts of the challenge's folder."""
        return tuple(member for member in self.members if member.name.startswith(TEXTS))


_JSON = TypeAdapter(BackupManifest)


def format_backup_manifest(manifest: BackupManifest) -> bytes:
    """Write a manifest as JSON."""
    return json.dumps({"format": FORMAT, **_JSON.dump_python(manifest, mode="json")}, indent=1).encode()


def parse_backup_manifest(content: bytes) -> BackupManifest:
    """Read a manifest; anything unexpected is refused.

    Raises:
        BackupError: It is none, or of a form that this version does not know.
    """
    try:
        form = TypeAdapter(dict[str, Any]).validate_json(content).get("format")
        if form != FORMAT:
            raise BackupError(f"the backup has the form {form!r}; this version of raim reads {FORMAT}")
        manifest = _JSON.validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BackupError(
            f"the backup's manifest is not in the expected form: {where}: {first['msg']}"
        ) from error
    _check_names(manifest)
    return manifest


def is_safe_text(path: str) -> bool:
    """Return whether a text may be written to a path in the challenge's folder.

    Example:
        >>> is_safe_text("data/pairs/manifest.csv"), is_safe_text("../a.md"), is_safe_text("/etc/a.txt")
        (True, False, False)
    """
    parts = path.split("/")
    return all(map(is_safe_part, parts)) and PurePosixPath(path).suffix in TEXT_SUFFIXES


def is_safe_part(part: str) -> bool:
    """Return whether a name can only be that of a file or folder within another one.

    Example:
        >>> [is_safe_part(part) for part in ("a.png", "..", "a/b", "C:", "")]
        [True, False, False, False, False]
    """
    return part not in {"", ".", ".."} and part.isprintable() and not set(part) & set('/\\:*?"<>|')


def _check_names(manifest: BackupManifest) -> None:
    names = [member.name for member in manifest.members]
    if len(set(names)) != len(names):
        raise BackupError("the backup's manifest names a member twice")
    strange = [name for name in names if not _is_known(name)]
    if strange:
        raise BackupError(f"the backup has a member {strange[0]!r}, which no backup has")
    counted = {f"{TABLES}{name}.jsonl" for name in manifest.tables}
    if counted != {name for name in names if name.startswith(TABLES)}:
        raise BackupError("the backup's manifest counts other tables than it has")
    if manifest.made_at.tzinfo is None:
        raise BackupError("the backup's time has no zone")


def _is_known(name: str) -> bool:
    if name.startswith(TEXTS):
        return is_safe_text(name.removeprefix(TEXTS))
    return bool(TABLE_NAME.fullmatch(name) or FILE_NAME.fullmatch(name)) or name == SECRET
