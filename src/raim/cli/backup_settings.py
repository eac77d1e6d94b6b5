"""Settings of the server for the commands that only need its folder, database and storage."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raim.server.settings import Settings


def settings_of(
    environment: Mapping[str, str], folder: Path, *, database: str | None, storage: str | None
) -> "Settings":
    """Read the settings; options win over variables.

    Example:
        >>> settings_of({}, Path("/srv"), database=None, storage="s3://bucket").storage_url
        's3://bucket'
    """
    from raim.server.settings import read_settings

    given = {"RAIM_DATABASE_URL": database, "RAIM_STORAGE_URL": storage}
    chosen = {name: value for name, value in given.items() if value is not None}
    return read_settings({**environment, **chosen}, folder=folder)


def say_size(n_bytes: int) -> str:
    """Say a number of bytes.

    Example:
        >>> say_size(1_234_567), say_size(2_500_000_000)
        ('1.2 MB', '2.50 GB')
    """
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.2f} GB"
