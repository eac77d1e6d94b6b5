"""The example challenge in a folder of its own, and a server of it on a clock that tests move."""

import shutil

import numpy as np
import pytest

from browser import launched
from raim.challenge import write_example
from server_site import FIRST_DAY, Clock, Site


@pytest.fixture(scope="session")
def example_folder(tmp_path_factory):
    """Write the example challenge once."""
    folder = tmp_path_factory.mktemp("example")
    write_example(folder, first_day=FIRST_DAY, rng=np.random.default_rng(2024))
    return folder


@pytest.fixture(scope="module")
def chromium():
    """Give a browser, or skip without one."""
    with launched() as browser:
        yield browser


@pytest.fixture
def challenge_folder(example_folder, tmp_path):
    """Give an example challenge that the test may change."""
    return shutil.copytree(example_folder, tmp_path / "challenge")


@pytest.fixture
def clock():
    """Give a clock in the phase of online feedback."""
    return Clock()


@pytest.fixture
def mail_site(challenge_folder, clock):
    """Give a server that writes mail; no worker sends it."""
    made = Site(challenge_folder, clock, RAIM_SMTP_URL="smtp://localhost", RAIM_MAIL_FROM="raim@example.org")
    yield made
    made.server.database.engine.dispose()


@pytest.fixture
def site(challenge_folder, clock):
    """Give a server on SQLite."""
    made = Site(challenge_folder, clock)
    yield made
    made.server.database.engine.dispose()
