import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from raim.records.submissions import NewSubmission
from raim.server.database import Member, Submission, Team, Upload
from raim.server.gathering import claim, release
from raim.server.submissions.uploads import begin_upload

WANTED = NewSubmission(phase="first", n_bytes=9, sha256="a" * 64)


@pytest.fixture
def begin(challenge):
    def begin(session):
        return begin_upload(
            session, challenge.now, challenge.load(session), session.get_one(Member, challenge.member), WANTED
        ).key

    return begin


def wait_for_locks(database, count):
    """Wait until so many transactions of PostgreSQL wait for a lock; those of SQLite wait for their turn anyway."""
    if database.engine.dialect.name == "sqlite":
        return
    end = time.monotonic() + 20
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    while time.monotonic() < end:
        with database.reading() as session:
            if session.scalar(waiting) >= count:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_the_same_file_begun_three_times_at_once_takes_one_try(challenge, begin):
    """Two requests are in their middle while the first one, which they cannot see, begins the upload and commits."""
    keys = []

    def again():
        with challenge.database.writing() as session:
            keys.append(begin(session))

    threads = [threading.Thread(target=again) for _ in range(2)]
    with challenge.database.writing() as session:
        team_id = session.get_one(Member, challenge.member).team_id
        session.scalars(select(Team).where(Team.id == team_id).with_for_update()).one()
        for thread in threads:
            thread.start()
        wait_for_locks(challenge.database, 2)
        keys.append(begin(session))
    for thread in threads:
        thread.join()
    assert len(keys) == 3
    assert len(set(keys)) == 1
    with challenge.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 1


def test_one_request_at_a_time_writes_to_an_upload_and_a_dead_one_loses_it(challenge, begin):
    now = challenge.now
    with challenge.database.writing() as session:
        key = begin(session)
        assert claim(session, Upload, now, key, "one")
        assert not claim(session, Upload, now, key, "two")
        now += timedelta(seconds=50)
        assert claim(session, Upload, now, key, "one")  # it shows that it lives
        assert not claim(session, Upload, now + timedelta(seconds=50), key, "two")
        now += timedelta(seconds=61)
        assert claim(session, Upload, now, key, "two")
        release(session, Upload, key, "one")  # it comes too late to take anything away
        assert not claim(session, Upload, now, key, "one")
        release(session, Upload, key, "two")
        assert claim(session, Upload, now, key, "one")
