"""PostgreSQL is restarted under load: requests fail in words for a moment, and nothing that was accepted is lost."""

import threading
import time

import pytest
from sqlalchemy import select

from own_postgresql import start_own_postgresql
from raim.server.database import Submission, Team
from server_site import Clock, Site


@pytest.fixture
def own_postgresql():
    """Start a PostgreSQL that the test may stop."""
    with start_own_postgresql() as started:
        yield started


@pytest.mark.slow
def test_a_restart_of_the_database_loses_nothing(own_postgresql, example_challenge):
    site = Site(example_challenge, Clock(), database_url=own_postgresql.url)
    members = [site.member(f"member{number}") for number in range(3)]
    content, accepted, codes = site.zip_of(), [], set()
    end = threading.Event()

    def hand_in(person, number):
        while not end.is_set():
            own = content + bytes([number])
            answer = site.begin(person, own)
            codes.add(answer.status_code)
            if answer.status_code == 201:
                accepted.append(answer.json()["submission"]["id"])
                person.api("POST", f"/submissions/{accepted[-1]}/withdraw")
            codes.add(site.visitor().get("/leaderboard").status_code)

    threads = [threading.Thread(target=hand_in, args=(person, n)) for n, person in enumerate(members)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(1)
        own_postgresql.restart()
    time.sleep(2)
    end.set()
    for thread in threads:
        thread.join()
    assert codes <= {200, 201, 409, 429, 503}
    assert site.visitor().get("/leaderboard").status_code == 200
    with site.server.database.reading() as session:
        there = set(session.scalars(select(Submission.id)))
        assert set(accepted) <= there
        assert len(session.scalars(select(Team)).all()) == 3
    site.server.database.engine.dispose()


@pytest.fixture
def example_challenge(tmp_path):
    import numpy as np

    from raim.challenge import write_example
    from server_site import FIRST_DAY

    write_example(tmp_path / "challenge", first_day=FIRST_DAY, rng=np.random.default_rng(1))
    return tmp_path / "challenge"
