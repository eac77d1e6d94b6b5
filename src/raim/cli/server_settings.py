"""The settings of a server, for every command that names its folder, database and storage."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raim.server.settings import Settings


def read_server_settings(folder: Path, *, database: str | None, storage: str | None) -> "Settings":
    """Read the settings from the environment; options win over variables.

    Example:
        >>> read_server_settings(Path("/srv"), database=None, storage="s3://bucket").storage_url
        's3://bucket'
    """
    from raim.server.settings import read_settings

    given = {"RAIM_DATABASE_URL": database, "RAIM_STORAGE_URL": storage}
    chosen = {name: value for name, value in given.items() if value is not None}
    return read_settings({**os.environ, **chosen}, folder=folder)
