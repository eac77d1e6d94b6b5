from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from raim.errors import AccessError, InputError, StateError, UnknownNameError
from raim.records.teams import TeamChange
from raim.server.actions.accounts import disable_user, register, set_password
from raim.server.actions.teams import (
    accept_invitation,
    change_team,
    invite,
    leave_team,
    make_team,
    merge_teams,
    revoke_invitation,
    set_team_state,
)
from raim.server.actions.tokens import make_api_token, revoke_api_token
from raim.server.database import ApiToken, AuditEvent, Challenge, Invitation, Member, Team, User
from raim.server.database.people import whose
from raim.server.tokens import proof

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
        accept_invitation(session, NOON, invite(session, NOON, captain), ada, challenge_id=challenge_id)


def test_an_invitation_lets_one_person_in(session, captain, challenge_id):
    token = invite(session, NOON, captain)
    bob = person(session, "bob")
    with pytest.raises(StateError, match="was used before"):
        accept_invitation(session, NOON, token, bob, challenge_id=challenge_id + 1)
    member = accept_invitation(session, NOON, token, bob, challenge_id=challenge_id, consented_at=NOON)
    assert member.consented_at == NOON
    assert (member.team_id, member.role) == (captain.team_id, "member")
    with pytest.raises(StateError, match="was used before"):
        accept_invitation(session, NOON, token, person(session, "eve"), challenge_id=challenge_id)
    with pytest.raises(AccessError, match="only a team's captain"):
        invite(session, NOON, member)


def test_an_invitation_ends_by_time_and_by_hand(session, captain, challenge_id):
    token = invite(session, NOON, captain)
    with pytest.raises(StateError):
        accept_invitation(
            session, NOON + timedelta(days=14), token, person(session, "bob"), challenge_id=challenge_id
        )
    revoke_invitation(session, NOON, session.scalars(select(Invitation)).one(), actor_id=captain.user_id)
    with pytest.raises(StateError):
        accept_invitation(session, NOON, token, person(session, "eve"), challenge_id=challenge_id)


def find_token(session, now, token):
    return session.scalar(whose(ApiToken, ApiToken), proof(now, token))


def test_a_members_token_works_until_it_is_revoked(session, captain):
    user = session.get_one(User, captain.user_id)
    token = make_api_token(session, NOON, user, name="laptop")
    kept = session.scalars(select(ApiToken)).one()
    assert find_token(session, NOON, token) == kept
    assert find_token(session, NOON, kept.token_sha256) is None
    revoke_api_token(session, NOON, kept, actor_id=captain.user_id)
    assert find_token(session, NOON, token) is None


def test_a_token_ends_after_its_days(session, captain):
    token = make_api_token(session, NOON, session.get_one(User, captain.user_id), name="laptop", days=2)
    assert find_token(session, NOON + timedelta(days=2, seconds=-1), token) is not None
    assert find_token(session, NOON + timedelta(days=2), token) is None


def test_a_new_password_ends_every_token(session, captain):
    user = session.get_one(User, captain.user_id)
    token = make_api_token(session, NOON, user, name="laptop")
    set_password(session, NOON, user, "new hash", actor_id=user.id)
    assert find_token(session, NOON, token) is None


def test_a_shut_account_has_no_tokens(session, captain):
    user = session.get_one(User, captain.user_id)
    token = make_api_token(session, NOON, user, name="laptop")
    disable_user(session, NOON, user, actor_id=user.id)
    assert find_token(session, NOON, token) is None


def test_approval_is_audited_with_both_states(session, captain):
    set_team_state(
        session, NOON, session.get_one(Team, captain.team_id), "approved", actor_id=captain.user_id
    )
    session.flush()
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "set team state")).one()
    assert event.details == {"before": "waiting", "after": "approved"}


def put_member(session, team_id, login, role="member"):
    user = person(session, login)
    team = session.get_one(Team, team_id)
    member = Member(
        challenge_id=team.challenge_id, team_id=team_id, user_id=user.id, role=role, joined_at=NOON
    )
    session.add(member)
    session.flush()
    return member


@pytest.fixture
def second(session, challenge_id):
    return make_team(
        session, NOON, challenge_id=challenge_id, name="Babbage", user=person(session, "charles")
    )


def change(session, team_id, **wanted):
    team = session.get_one(Team, team_id)
    change_team(session, NOON, team, TeamChange(**wanted), actor_id=1)
    session.flush()
    return team


def test_a_team_is_approved_and_suspended_and_that_is_written_down_once(session, captain):
    for state in ("approved", "approved", "suspended"):
        assert change(session, captain.team_id, state=state).state == state
    events = session.scalars(select(AuditEvent.action)).all()
    assert events.count("set team state") == 2
    with pytest.raises(ValidationError):
        TeamChange(state="merged")


def test_marks_of_a_team_are_written_down_when_they_change(session, captain):
    for baseline in (False, True, True, None):
        team = change(session, captain.team_id, is_baseline=baseline)
    assert (team.is_baseline, team.is_out_of_competition) == (True, False)
    assert session.scalars(select(AuditEvent.action)).all().count("mark team") == 1


def test_an_organiser_appoints_a_captain_among_the_members(session, captain, second):
    member = put_member(session, captain.team_id, "bob")
    change(session, captain.team_id, captain=member.id)
    assert (captain.role, member.role) == ("member", "captain")
    with pytest.raises(UnknownNameError, match="has no member"):
        change(session, captain.team_id, captain=second.id)


def test_merged_members_are_members_and_nothing_is_decided_about_their_team_any_more(
    session, captain, second
):
    one, other = session.get_one(Team, captain.team_id), session.get_one(Team, second.team_id)
    merge_teams(session, NOON, one, other, actor_id=1, team_size=2)
    session.flush()
    session.refresh(captain)
    assert (captain.team_id, captain.role, one.merged_into) == (other.id, "member", other.id)
    with pytest.raises(StateError, match="Lovelace was merged into another team"):
        change(session, one.id, state="approved")


def test_teams_are_not_merged_beyond_the_size_or_into_one_that_takes_no_part(session, captain, second):
    one, other = session.get_one(Team, captain.team_id), session.get_one(Team, second.team_id)
    with pytest.raises(StateError, match="would have 2 members, and this challenge allows 1"):
        merge_teams(session, NOON, one, other, actor_id=1, team_size=1)
    other.state = "suspended"
    with pytest.raises(StateError, match="is suspended or has no members"):
        merge_teams(session, NOON, one, other, actor_id=1)


def test_a_team_that_was_merged_into_follows_on(session, captain, second, challenge_id):
    third = make_team(session, NOON, challenge_id=challenge_id, name="Byron", user=person(session, "george"))
    one, two, three = (session.get_one(Team, each.team_id) for each in (captain, second, third))
    merge_teams(session, NOON, one, two, actor_id=1)
    merge_teams(session, NOON, two, three, actor_id=1)
    session.refresh(one)
    assert one.merged_into == three.id


def test_a_captain_who_leaves_hands_on_to_a_member_whose_account_is_open(session, captain):
    shut, heir = put_member(session, captain.team_id, "bob"), put_member(session, captain.team_id, "eve")
    disable_user(session, NOON, session.get_one(User, shut.user_id), actor_id=1)
    leave_team(session, NOON, captain, actor_id=captain.user_id)
    assert (shut.role, heir.role) == ("member", "captain")
