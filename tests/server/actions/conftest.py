"""The example challenge, read, and a storage for it."""

from types import SimpleNamespace

import numpy as np
import pytest

from raim.challenge import write_example
from raim.server.actions.challenge_folders import load_challenge
from raim.server.actions.challenge_import import import_challenge
from raim.server.current_challenge import load_current
from raim.server.storage import open_storage
from server_site import FIRST_DAY, OPENS


@pytest.fixture
def imported(database, tmp_path):
    """Bring the example challenge into the database."""
    folder = tmp_path / "challenge"
    write_example(folder, first_day=FIRST_DAY, rng=np.random.default_rng(2024))
    storage = open_storage((tmp_path / "files").as_uri())

    def bring(version="raim-2024-1", now=OPENS):
        definition = load_challenge(folder)
        import_challenge(database, storage, now, definition, scorer_version=version)
        with database.reading() as session:
            return load_current(session, definition)

    return SimpleNamespace(
        database=database, folder=folder, storage=storage, bring=bring, challenge=bring(), now=OPENS
    )
