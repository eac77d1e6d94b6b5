"""The example challenge in a folder of its own, and a server of it."""

import numpy as np
import pytest

from raim.challenge import write_example
from server_site import FIRST_DAY, Clock, Site


@pytest.fixture
def challenge_folder(tmp_path):
    """Give an example challenge that the test may change."""
    write_example(tmp_path / "challenge", first_day=FIRST_DAY, rng=np.random.default_rng(2024))
    return tmp_path / "challenge"


@pytest.fixture
def site(challenge_folder):
    """Give a server on SQLite."""
    made = Site(challenge_folder, Clock())
    yield made
    made.server.database.engine.dispose()
