"""A challenge with one open phase and two approved teams."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from raim.server.accounts import make_team, register
from raim.server.database import Challenge, DataSet, Member, Phase
from raim.server.submissions import take_try

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def add(session, row):
    session.add(row)
    session.flush()
    return row.id


@pytest.fixture
def contest(database):
    """Make a phase of ten days with 2 tries a day and 3 in all, and two teams."""
    with database.writing() as session:
        zero = "0" * 64
        challenge = add(
            session,
            Challenge(slug="raim", title="RAIM", definition={}, definition_sha256=zero, created_at=NOON),
        )
        data = add(
            session, DataSet(challenge_id=challenge, slug="one", kind="paired", version=zero, created_at=NOON)
        )
        phase = Phase(challenge_id=challenge, data_set_id=data, slug="first", title="First", position=1)
        phase.opens_at, phase.closes_at = NOON, NOON + timedelta(days=10)
        phase.tries_per_day, phase.tries_in_all = 2, 3
        phase_id = add(session, phase)
        members = []
        for login in ("ada", "bob"):
            user = register(session, NOON, login=login, password_hash="x")
            team = make_team(session, NOON, challenge_id=challenge, name=login, user=user, is_approved=True)
            members.append(team.id)

    def submit(session, now=NOON, *, kind="scored", member=members[0], n_bytes=9, sha256="a" * 64):
        return take_try(
            session,
            now,
            member=session.get_one(Member, member),
            phase_id=phase_id,
            kind=kind,
            committed_bytes=n_bytes,
            committed_sha256=sha256,
        )

    return SimpleNamespace(
        database=database, submit=submit, now=NOON, phase=phase_id, member=members[0], other=members[1]
    )
