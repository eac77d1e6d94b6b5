from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from raim.errors import AccessError, InputError, StateError
from raim.server.accounts import (
    accept_invitation,
    disable_user,
    find_token_user,
    invite,
    make_api_token,
    make_team,
    register,
    revoke_api_token,
    revoke_invitation,
    set_team_state,
)
from raim.server.database import ApiToken, AuditEvent, Challenge, Invitation, Team, User

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def session(database):
    with database.writing() as session:
        challenge = Challenge(slug="raim", title="RAIM", definition={}, definition_sha256="0" * 64)
        challenge.profile, challenge.scorer_version, challenge.created_at = "raim-2024", "1", NOON
        session.add(challenge)
        session.flush()
        yield session


@pytest.fixture
def challenge_id(session):
    return session.scalars(select(Challenge.id)).one()


def person(session, login):
    return register(session, NOON, login=login, password_hash="x")


@pytest.fixture
def captain(session, challenge_id):
    return make_team(session, NOON, challenge_id=challenge_id, name="Lovelace", user=person(session, "ada"))


@pytest.mark.parametrize("login", ["ADA", " ada ", "\uff41da"], ids=ascii)
def test_logins_that_look_alike_are_one(session, login):
    person(session, "ada")
    with pytest.raises(StateError, match="is taken"):
        person(session, login)


@pytest.mark.parametrize("login", ["", "  ", "a\0b", "x" * 81, "a\u202eb"], ids=ascii)
def test_unusable_logins_are_refused(session, login):
    with pytest.raises(InputError, match="must have 1 to 80 printable characters"):
        person(session, login)


def test_a_team_waits_with_its_captain(session, captain):
    assert captain.role == "captain"
    assert session.get_one(Team, captain.team_id).state == "waiting"


def test_a_teams_name_is_taken_whatever_its_case(session, captain, challenge_id):
    with pytest.raises(StateError, match="there is a team 'LOVELACE' already"):
        make_team(session, NOON, challenge_id=challenge_id, name="LOVELACE", user=person(session, "eve"))


def test_one_person_is_in_one_team(session, captain, challenge_id):
    ada = session.get_one(User, captain.user_id)
    with pytest.raises(StateError, match="ada is in the team 'Lovelace' already"):
        make_team(session, NOON, challenge_id=challenge_id, name="Second", user=ada)
    with pytest.raises(StateError, match="already"):
        accept_invitation(session, NOON, invite(session, NOON, captain), ada)


def test_an_invitation_lets_one_person_in(session, captain):
    token = invite(session, NOON, captain)
    member = accept_invitation(session, NOON, token, person(session, "bob"))
    assert (member.team_id, member.role) == (captain.team_id, "member")
    with pytest.raises(StateError, match="was used before"):
        accept_invitation(session, NOON, token, person(session, "eve"))
    with pytest.raises(AccessError, match="only a team's captain"):
        invite(session, NOON, member)


def test_an_invitation_ends_by_time_and_by_hand(session, captain):
    token = invite(session, NOON, captain)
    with pytest.raises(StateError):
        accept_invitation(session, NOON + timedelta(days=14), token, person(session, "bob"))
    revoke_invitation(session, NOON, session.scalars(select(Invitation)).one(), actor_id=captain.user_id)
    with pytest.raises(StateError):
        accept_invitation(session, NOON, token, person(session, "eve"))


def test_a_members_token_works_until_it_is_revoked(session, captain):
    user = session.get_one(User, captain.user_id)
    token = make_api_token(session, NOON, user, name="laptop")
    assert find_token_user(session, token) is user
    kept = session.scalars(select(ApiToken)).one()
    assert find_token_user(session, kept.token_sha256) is None
    revoke_api_token(session, NOON, kept, actor_id=captain.user_id)
    assert find_token_user(session, token) is None


def test_a_shut_account_has_no_tokens(session, captain):
    user = session.get_one(User, captain.user_id)
    token = make_api_token(session, NOON, user, name="laptop")
    disable_user(session, NOON, user, actor_id=user.id)
    assert find_token_user(session, token) is None


def test_approval_is_audited_with_both_states(session, captain):
    set_team_state(
        session, NOON, session.get_one(Team, captain.team_id), "approved", actor_id=captain.user_id
    )
    session.flush()
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "set team state")).one()
    assert event.details == {"from": "waiting", "to": "approved"}
