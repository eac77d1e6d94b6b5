import io
import zipfile

import pytest

from fake_server import FakeServer
from raim.client import Patience, Server


@pytest.fixture
def fake():
    """Run a server of the contract in a thread."""
    with FakeServer() as server:
        yield server


@pytest.fixture
def waits():
    """Collect the pauses that were asked for, in seconds; none is waited."""
    return []


@pytest.fixture
def server(fake, waits):
    """Name the fake server with its token."""
    patience = Patience(sleep=waits.append, clock=lambda: fake.now, timeout_s=5)
    return Server(url=fake.url, token=fake.token, patience=patience)


@pytest.fixture
def team_zip(tmp_path):
    """Write a zip of a little over two pieces of an upload."""
    path = tmp_path / "team.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", bytes(range(256)) * 72 * 1024)
    assert path.stat().st_size > 2 * 8 * 2**20
    return path


@pytest.fixture
def small_zip(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.png", b"x" * 1000)
    path = tmp_path / "small.zip"
    path.write_bytes(content.getvalue())
    return path
