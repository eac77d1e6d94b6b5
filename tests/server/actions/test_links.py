from datetime import UTC, datetime, timedelta

import pytest

from raim.errors import StateError
from raim.server.actions.accounts import has_administrator, register
from raim.server.actions.links import (
    make_administrator_link,
    make_reset_link,
    use_administrator_link,
    use_reset_link,
)
from raim.server.actions.logins import open_session
from raim.server.database import LoginSession, User
from raim.server.database.people import whose
from raim.server.tokens import proof

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_first_link_makes_an_administrator_once(database):
    with database.writing() as session:
        token = make_administrator_link(session, NOON)
        user = use_administrator_link(session, NOON, token, login="Olga", password_hash="x")
        assert user.is_administrator
        assert has_administrator(session)
        with pytest.raises(StateError, match="was used before"):
            use_administrator_link(session, NOON, token, login="Eve", password_hash="x")
        with pytest.raises(StateError, match="there is an administrator"):
            make_administrator_link(session, NOON)


def test_a_newer_first_link_ends_the_older(database):
    with database.writing() as session:
        old, new = make_administrator_link(session, NOON), make_administrator_link(session, NOON)
        with pytest.raises(StateError):
            use_administrator_link(session, NOON, old, login="Eve", password_hash="x")
        use_administrator_link(session, NOON, new, login="Olga", password_hash="x")


def test_a_taken_login_leaves_the_link_usable(database):
    with database.writing() as session:
        register(session, NOON, login="olga", password_hash="x")
        token = make_administrator_link(session, NOON)
    with pytest.raises(StateError, match="is taken"), database.writing() as session:
        use_administrator_link(session, NOON, token, login="OLGA", password_hash="x")
    with database.writing() as session:
        use_administrator_link(session, NOON, token, login="olga 2", password_hash="x")


def test_a_reset_ends_every_login_and_every_other_reset_link(database):
    with database.writing() as session:
        user = register(session, NOON, login="ada", password_hash="x")
        login = open_session(session, NOON, user, hours=8)
        first, second = (make_reset_link(session, NOON, user, actor_id=user.id) for _ in range(2))
        use_reset_link(session, NOON, first, password_hash="y")
        number = user.id
    with database.writing() as session:
        assert session.get_one(User, number).password_hash == "y"
        assert session.scalar(whose(LoginSession, User), proof(NOON, login)) is None
        with pytest.raises(StateError):
            use_reset_link(session, NOON, second, password_hash="z")


def test_a_link_lasts_a_day_and_serves_its_purpose_only(database):
    with database.writing() as session:
        user = register(session, NOON, login="ada", password_hash="x")
        token = make_reset_link(session, NOON, user, actor_id=user.id)
        with pytest.raises(StateError):
            use_administrator_link(session, NOON, token, login="eve", password_hash="x")
        with pytest.raises(StateError, match="is over"):
            use_reset_link(session, NOON + timedelta(hours=24), token, password_hash="y")
