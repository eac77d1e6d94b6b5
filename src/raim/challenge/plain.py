"""Records as plain values for JSON: times in ISO form, time zones by name, paths from the challenge's folder."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from raim.challenge.challenge import Challenge


def as_plain(challenge: Challenge) -> dict[str, Any]:
    """Return all that a challenge says, references' paths included: for organisers, not for pages.

    Example:
        >>> _plain(ZoneInfo("UTC"), Path()), _plain(Path("/c/data/a.png"), Path("/c"))
        ('UTC', 'data/a.png')
    """
    plain: dict[str, Any] = _plain(challenge, challenge.folder)
    plain["folder"] = challenge.folder.as_posix()
    return plain


def _plain(value: object, folder: Path) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), folder) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(each, folder) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(each, folder) for key, each in value.items()}
    if isinstance(value, Path):
        return (value.relative_to(folder) if value.is_relative_to(folder) else value).as_posix()
    if isinstance(value, datetime):
        return value.isoformat()
    return value.key if isinstance(value, ZoneInfo) else value
