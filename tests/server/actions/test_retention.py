from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select, update

from raim.challenge import write_example
from raim.server.actions.accounts import delete_account, register
from raim.server.actions.retention import forget_addresses
from raim.server.auditing import record_event
from raim.server.database import AuditEvent, Invitation, Judge, OneUseLink, Study
from raim.server.storage import open_storage
from server_case import NOON, fill

KEEP = timedelta(days=90)


@pytest.fixture
def filled(database, tmp_path):
    folder = tmp_path / "server"
    write_example(folder, first_day=NOON.date().replace(day=1), rng=np.random.default_rng(2024))
    fill(database, open_storage((tmp_path / "files").as_uri()), folder)
    with database.writing() as session:
        record_event(session, NOON, "log in", None, actor_id=None, address="192.0.2.1")
        session.execute(update(Invitation).values(address="eve@example.org"))
        session.execute(update(Judge).values(email="judge@example.org"))
        session.execute(update(Study).values(closed_at=NOON, revealed_at=NOON + timedelta(days=10)))
    return database


def known(session):
    """Give what is known of addresses: of the log, links, invitations and judges."""
    columns = (AuditEvent.address, OneUseLink.id, Invitation.address, Judge.email)
    return tuple(any(each is not None for each in session.scalars(select(column))) for column in columns)


def test_addresses_are_forgotten_once_they_are_old(filled):
    with filled.writing() as session:
        n_events = len(session.scalars(select(AuditEvent)).all())
        for days, expected in (
            (90, (True, True, True, True)),
            (92, (False, False, False, True)),  # a day after the events, links and invitations end
            (100, (False, False, False, True)),
            (101, (False, False, False, False)),
        ):
            forget_addresses(session, NOON + timedelta(days=days), KEEP)
            assert known(session) == expected, days
        assert len(session.scalars(select(AuditEvent)).all()) == n_events
        assert session.scalars(select(Judge)).first().name


def test_addresses_of_a_study_that_goes_on_are_kept(filled):
    with filled.writing() as session:
        session.execute(update(Study).values(closed_at=None, revealed_at=None))
        forget_addresses(session, NOON + timedelta(days=10_000), KEEP)
        assert known(session)[3]


def test_with_an_account_its_addresses_go_from_the_log(database):
    with database.writing() as session:
        eve = register(session, NOON, login="eve", password_hash="x", address="192.0.2.1")
        delete_account(session, NOON, eve, actor_id=eve.id)
        assert known(session)[0] is False
