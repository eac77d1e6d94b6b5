from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from raim.errors import InputError
from raim.server.actions.accounts import register
from raim.server.actions.phases import extend, pause, resume, set_dates
from raim.server.current_challenge import load_current
from raim.server.database import AuditEvent, Extension, Phase

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


def extend_it(session, now, phase, actor, *, by=DAY, reason="the network was down", tries="none"):
    return extend(
        session, now, phase, closes_at=phase.closes_at + by, reason=reason, tries=tries, actor_id=actor
    )


def test_an_extension_has_its_reason_and_the_date_before(session, imported, phase, actor):
    before = phase.closes_at
    final = session.get_one(Phase, imported.challenge.phase_ids["final"])
    final.opens_at += DAY
    session.flush()
    extend_it(session, phase.opens_at, phase, actor)
    challenge = load_current(session, imported.challenge.definition)
    assert challenge.definition.phase("feedback").closes == before + DAY
    (said,) = challenge.extensions["feedback"]
    assert (said.closes_before, said.reason, said.tries) == (before, "the network was down", "none")
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "extend phase")).one()
    assert event.details["reason"] == "the network was down"


def test_tries_grow_with_the_length_of_the_phase_where_it_is_said(session, imported, phase, actor):
    final = session.get_one(Phase, imported.challenge.phase_ids["final"])
    final.opens_at, final.closes_at = final.opens_at + 30 * DAY, final.closes_at + 30 * DAY
    definition = imported.challenge.definition
    ten = replace(definition.phase("feedback").scored, tries_in_all=10)
    definition = replace(
        definition,
        phases=tuple(replace(each, scored=ten) if each.scored else each for each in definition.phases),
    )
    phase.closes_at = phase.opens_at + 14 * DAY
    session.flush()

    def tries():
        return load_current(session, definition).definition.phase("feedback").scored.tries_in_all

    extend_it(session, phase.opens_at, phase, actor, by=2 * DAY)
    assert tries() == 10
    extend_it(session, phase.opens_at, phase, actor, by=2 * DAY, tries="pro rata")  # 10 * 18 / 16 = 11.25
    assert tries() == 12
    extend_it(session, phase.opens_at, phase, actor, by=18 * DAY, tries="pro rata")  # 10 * 18 / 16 * 2
    assert tries() == 23
    assert load_current(session, definition).added_tries["feedback", "scored"] == 13


def test_what_is_no_extension_is_refused(session, imported, phase, actor):
    for by, reason, words in (
        (DAY, " ", "say why"),
        (-DAY, "x", "ends later than that"),
        (9 * DAY, "x", "would overlap Phase 3"),
    ):
        with pytest.raises(InputError, match=words):
            extend_it(session, phase.opens_at, phase, actor, by=by, reason=reason)
    assert session.scalars(select(Extension)).all() == []


def test_a_phase_that_has_begun_closes_later_by_an_extension_only(session, imported, phase, actor):
    earlier, later = phase.closes_at - DAY, phase.closes_at

    def close(at, now=phase.opens_at):
        set_dates(session, now, phase, opens_at=phase.opens_at, closes_at=at, actor_id=actor)

    close(earlier)
    with pytest.raises(InputError, match="has begun: to let it close later, extend it"):
        close(later)
    close(later, phase.opens_at - DAY)
    assert phase.closes_at == later


def test_a_pause_begins_once_and_ends(session, imported, phase, actor):
    pause(session, imported.now, phase, actor_id=actor)
    pause(session, imported.now + DAY, phase, actor_id=actor)
    assert phase.paused_at == imported.now
    session.flush()
    challenge = load_current(session, imported.challenge.definition)
    assert challenge.state(challenge.definition.phase("feedback"), phase.opens_at) == "paused"
    resume(session, imported.now, phase, actor_id=actor)
    assert phase.paused_at is None
