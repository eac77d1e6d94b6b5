import itertools

import pytest
from sqlalchemy import select

from raim.errors import InputError, StateError, UnknownNameError
from raim.records import STATES
from raim.server.database import AuditEvent
from raim.server.submissions.states import change_state


def walk(session, challenge, *states, kind="scored"):
    submission = challenge.submit(session, kind=kind)
    for state in states:
        error = "a reason" if state in {"refused", "failed"} else None
        change_state(session, challenge.now, submission.id, state, error=error)
    return submission


def test_every_state_is_reached_from_the_first():
    reached, new = set(), {"receiving"}
    while new:
        reached |= new
        new = set().union(*(STATES[state].following for state in new)) - reached
    assert reached == set(STATES)


def test_every_step_outside_of_the_table_is_refused(challenge):
    with challenge.database.writing() as session:
        submission = challenge.submit(session)
        for before, after in itertools.product(STATES, STATES):
            if after in STATES[before].following:
                continue
            submission.state, submission.error = before, "a reason"
            session.flush()
            with pytest.raises(StateError, match=f"is {before} and cannot become {after}"):
                change_state(session, challenge.now, submission.id, after, error="a reason")


@pytest.mark.parametrize(
    ("states", "takes_try"),
    [
        ("checking queued scoring scored", True),
        ("checking queued scoring queued scoring scored", True),
        ("checking queued scoring scored withdrawn", True),
        ("checking queued scoring withdrawn", True),
        ("checking queued withdrawn", False),
        ("checking refused", False),
        ("checking queued scoring failed", False),
        ("abandoned", False),
    ],
)
def test_a_try_is_spent_by_the_teams_doing_only(challenge, states, takes_try):
    with challenge.database.writing() as session:
        assert walk(session, challenge, *states.split()).takes_try is takes_try


def test_after_the_check_the_kind_decides(challenge):
    with challenge.database.writing() as session:
        assert walk(session, challenge, "checking", "accepted", kind="final").state == "accepted"
        with pytest.raises(StateError, match="a feedback submission is accepted after its check, not queued"):
            walk(session, challenge, "checking", "queued", kind="feedback")
        with pytest.raises(StateError, match="is queued after its check, not accepted"):
            walk(session, challenge, "checking", "accepted")


def test_an_end_without_its_reason_is_refused(challenge):
    with challenge.database.writing() as session:
        submission = walk(session, challenge, "checking")
        with pytest.raises(InputError, match="needs its reason"):
            change_state(session, challenge.now, submission.id, "refused")
        with pytest.raises(UnknownNameError, match="no submission 99"):
            change_state(session, challenge.now, 99, "refused", error="a reason")


def test_each_step_is_audited(challenge):
    with challenge.database.writing() as session:
        walk(session, challenge, "checking", "refused")
        steps = select(AuditEvent.details).where(AuditEvent.action == "change state").order_by(AuditEvent.id)
        assert session.scalars(steps).all() == [
            {"before": "receiving", "after": "checking", "takes_try": True},
            {"before": "checking", "after": "refused", "takes_try": False},
        ]
