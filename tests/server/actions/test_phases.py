from datetime import timedelta

import pytest
from sqlalchemy import select

from raim.errors import InputError
from raim.server.actions.accounts import register
from raim.server.actions.phases import pause, resume, set_dates
from raim.server.current_challenge import load_current
from raim.server.database import AuditEvent, Phase

DAY = timedelta(days=1)


@pytest.fixture
def session(imported):
    with imported.database.writing() as session:
        yield session


@pytest.fixture
def phase(session, imported):
    return session.get_one(Phase, imported.challenge.phase_ids["feedback"])


@pytest.fixture
def actor(session, imported):
    return register(session, imported.now, login="olga", password_hash="x", is_administrator=True).id


def test_new_dates_are_in_force_and_audited(session, imported, phase, actor):
    closes = phase.closes_at - DAY
    set_dates(session, imported.now, phase, opens_at=phase.opens_at, closes_at=closes, actor_id=actor)
    session.flush()
    assert load_current(session, imported.challenge.definition).definition.phase("feedback").closes == closes
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "change dates")).one()
    assert event.details["after"][1] == closes.isoformat()


def test_dates_that_overlap_or_run_backwards_are_refused(session, imported, phase, actor):
    for opens, closes, words in (
        (phase.closes_at, phase.opens_at, "before it opens"),
        (phase.opens_at - DAY, phase.closes_at, "would overlap Phase 1"),
        (phase.opens_at, phase.closes_at + 5 * DAY, "would overlap Phase 3"),
    ):
        with pytest.raises(InputError, match=words):
            set_dates(session, imported.now, phase, opens_at=opens, closes_at=closes, actor_id=actor)


def test_a_pause_begins_once_and_ends(session, imported, phase, actor):
    pause(session, imported.now, phase, actor_id=actor)
    pause(session, imported.now + DAY, phase, actor_id=actor)
    assert phase.paused_at == imported.now
    session.flush()
    challenge = load_current(session, imported.challenge.definition)
    assert challenge.state(challenge.definition.phase("feedback"), phase.opens_at) == "paused"
    resume(session, imported.now, phase, actor_id=actor)
    assert phase.paused_at is None
