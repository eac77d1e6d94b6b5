"""A challenge with one open phase and two approved teams."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from raim.challenge import Challenge, DataSet, Intake, Phase, Website
from raim.records.submissions import NewSubmission
from raim.server import database as tables
from raim.server.actions.accounts import register
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.teams import make_team
from raim.server.current_challenge import load_current
from raim.server.database import Member
from raim.server.storage import open_storage
from raim.server.submissions.tries import take_try

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_challenge(**phase):
    """Make a phase of ten days with 2 tries a day and 3 in all."""
    intake = Intake(on="one", tries_per_day=2, tries_in_all=3)
    first = Phase(id="first", name="First", opens=NOON, closes=NOON + timedelta(days=10), scored=intake)
    zone = ZoneInfo("UTC")
    return Challenge(
        folder=Path(),
        id="raim",
        name="RAIM",
        timezone=zone,
        day_timezone=zone,
        profile="raim-2024",
        contact="",
        website=Website(description=""),
        phases=(replace(first, feedback=intake, final=intake, **phase),),
        data_sets=(DataSet(id="one", name="One", kind="paired", folder=Path(), manifest=""),),
    )


@pytest.fixture
def challenge(database):
    """Bring a challenge into the database, with two teams."""
    storage = open_storage("memory://challenge")
    import_challenge(database, storage, NOON, make_challenge(), scorer_version="raim-2024-1")
    with database.writing() as session:
        loaded = load_current(session, make_challenge())
        members = []
        for login in ("ada", "bob"):
            user = register(session, NOON, login=login, password_hash="x")
            member = make_team(session, NOON, challenge_id=loaded.id, name=login, user=user, is_approved=True)
            members.append(member.id)

    def load(session, **phase):
        return load_current(session, make_challenge(**phase))

    def submit(
        session, now=NOON, *, kind="scored", member=members[0], n_bytes=9, sha256="a" * 64, challenge=None
    ):
        return take_try(
            session,
            now,
            challenge or load(session),
            session.get_one(Member, member),
            NewSubmission(phase="first", kind=kind, n_bytes=n_bytes, sha256=sha256),
        )

    return SimpleNamespace(
        database=database,
        load=load,
        submit=submit,
        now=NOON,
        phase=loaded.phase_ids["first"],
        member=members[0],
        other=members[1],
        tables=tables,
    )
