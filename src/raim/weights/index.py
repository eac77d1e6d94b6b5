"""Which package index the user has set up, read from pip's own settings without running pip.

Later ones win: the global, user and virtual environment's configuration files (`[global]`, then `[install]`),
the file that PIP_CONFIG_FILE names (`os.devnull`: no files at all), and the environment variables PIP_*.

Source: pip documentation, "Configuration" (topics/configuration).
"""

import configparser
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import platformdirs

KEYS = ("index-url", "extra-index-url", "no-index", "cert", "proxy", "timeout")
DEFAULT_TIMEOUT_S = 30.0  # without an answer; a long download is not cut off
TRUE = {"1", "true", "yes", "on", "y", "t"}


def public_index() -> str:
    """Give the address of the public package index, which the client library knows."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    return PYPI_SIMPLE_ENDPOINT


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSettings:
    """How to reach the user's package indexes.

    Attributes:
        urls: Simple indexes, the preferred one first. `file:` ones are left out: RAIM_WEIGHTS_DIR does that.
        cert: Bundle of certificate authorities, or None for the default.
        proxy: For all requests, or None for the environment's.
        timeout_s: How long to wait for an answer.
    """

    urls: tuple[str, ...] = field(default_factory=lambda: (public_index(),))
    cert: str | None = None
    proxy: str | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S


def index_settings(
    environment: Mapping[str, str] = os.environ, files: Iterable[Path] | None = None
) -> IndexSettings:
    """Read pip's settings.

    Args:
        environment: The environment variables.
        files: Configuration files, the last one wins; None for those that pip reads on this machine.

    Returns:
        The settings that matter for fetching files.

    Example:
        >>> index_settings({"PIP_INDEX_URL": "https://mirror.example/simple"}, []).urls
        ('https://mirror.example/simple/',)
    """
    values: dict[str, str] = {}
    for path in pip_configuration_files(environment) if files is None else files:
        values.update(_read_file(path))
    values.update(_read_environment(environment))
    return IndexSettings(
        urls=_urls(values),
        cert=values.get("cert") or None,
        proxy=values.get("proxy") or None,
        timeout_s=_seconds(values.get("timeout")),
    )


def pip_configuration_files(environment: Mapping[str, str]) -> list[Path]:
    """List the files that pip would read on this machine, the last one wins."""
    chosen = environment.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    shared = platformdirs.site_config_dir("pip", appauthor=False, multipath=True).split(os.pathsep)
    own = platformdirs.user_config_dir("pip", appauthor=False, roaming=True)
    home = Path.home()
    folders = [*map(Path, reversed(shared)), Path("/etc"), home / ".pip", home / ".config" / "pip", Path(own)]
    files = [folder / name for folder in [*folders, Path(sys.prefix)]]
    return [*files, Path(chosen)] if chosen else files


def without_credentials(url: str) -> str:
    """Give an address fit for a message.

    Example:
        >>> without_credentials("https://me:secret@mirror.example/simple/")
        'https://mirror.example/simple/'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _read_file(path: Path) -> dict[str, str]:
    """Read one configuration file; what pip could not read either is passed over."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        return {}
    values: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            values.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    return {key: value for key, value in values.items() if key in KEYS}


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = {key: f"PIP_{key.upper().replace('-', '_')}" for key in KEYS}
    return {key: environment[name] for key, name in names.items() if environment.get(name)}


def _urls(values: Mapping[str, str]) -> tuple[str, ...]:
    if values.get("no-index", "").lower() in TRUE:
        return ()
    listed = [values.get("index-url") or public_index(), *values.get("extra-index-url", "").split()]
    usable = (url.rstrip("/") + "/" for url in listed if urlsplit(url).scheme in ("http", "https"))
    return tuple(dict.fromkeys(usable))


def _seconds(text: str | None) -> float:
    try:
        return float(text) if text else DEFAULT_TIMEOUT_S
    except ValueError:
        return DEFAULT_TIMEOUT_S
