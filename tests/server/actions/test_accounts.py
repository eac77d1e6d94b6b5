import pytest
from sqlalchemy import select

from desk_world import NOON, make_world
from raim.errors import AccessError, StateError, UnknownNameError
from raim.server.actions.accounts import (
    appoint,
    check_is_theirs,
    delete_account,
    find_appointment,
    make_administrator,
    reopen_account,
    shut_account,
)
from raim.server.actions.links import make_account, make_reset_link, use_reset_link
from raim.server.actions.tokens import make_api_token
from raim.server.database import ApiToken, Challenge, Member, User


@pytest.fixture
def world(database):
    return make_world(database)


def make_judge(world, session, **changes):
    given = {"login": "jim", "name": "", "email": "", "office": "judge", **changes}
    return make_account(
        session, NOON, password_hash="nobody's", challenge_id=1, actor_id=world.organiser, **given
    )


def test_an_account_comes_with_a_link_that_sets_its_password_once(world):
    with world.database.writing() as session:
        user, token = make_judge(world, session)
        assert (user.login, user.name, user.email) == ("jim", "jim", None)
        assert find_appointment(session, 1, user.id).office == "judge"
        assert use_reset_link(session, NOON, token, password_hash="own").id == user.id
        assert user.password_hash == "own"
        with pytest.raises(StateError, match="used before"):
            use_reset_link(session, NOON, token, password_hash="again")


def test_an_account_is_refused_with_an_unknown_role_or_a_taken_login(world):
    with world.database.writing() as session:
        with pytest.raises(UnknownNameError, match="did you mean 'judge'"):
            make_judge(world, session, office="juge")
        with pytest.raises(StateError, match="'Olga' is taken"):
            make_judge(world, session, login="Olga")


def test_the_last_administrator_can_neither_be_shut_nor_made_another(world):
    with world.database.writing() as session:
        olga = session.get_one(User, world.organiser)
        for change in (
            lambda: shut_account(session, NOON, olga, actor_id=olga.id),
            lambda: make_administrator(session, NOON, olga, is_administrator=False, actor_id=olga.id),
        ):
            with pytest.raises(StateError, match="olga is the last administrator"):
                change()
        second, _ = make_judge(world, session)
        make_administrator(session, NOON, second, is_administrator=True, actor_id=olga.id)
        shut_account(session, NOON, second, actor_id=olga.id)
        with pytest.raises(StateError):  # one that is shut does not count
            shut_account(session, NOON, olga, actor_id=olga.id)
        reopen_account(session, NOON, second, actor_id=olga.id)
        shut_account(session, NOON, olga, actor_id=second.id)
        assert olga.disabled_at == NOON


def test_an_account_that_is_opened_again_has_its_password_and_no_token(world):
    with world.database.writing() as session:
        jim, _ = make_judge(world, session)
        make_api_token(session, NOON, jim, name="laptop")
        shut_account(session, NOON, jim, actor_id=world.organiser)
        reopen_account(session, NOON, jim, actor_id=world.organiser)
        assert jim.disabled_at is None
        assert jim.password_hash == "nobody's"
        assert session.scalars(select(ApiToken)).one().revoked_at == NOON


def test_a_deleted_account_stays_shut(world):
    with world.database.writing() as session:
        jim, _ = make_judge(world, session)
        delete_account(session, NOON, jim, actor_id=jim.id)
        with pytest.raises(StateError, match="was deleted by its person"):
            reopen_account(session, NOON, jim, actor_id=world.organiser)


def test_a_role_is_changed_and_written_down_once(world):
    with world.database.writing() as session:
        jim, _ = make_judge(world, session)
        for _ in range(2):
            appoint(session, NOON, 1, jim, "participant", actor_id=world.organiser)
        assert find_appointment(session, 1, jim.id) is None
    assert world.actions().count("change role") == 2  # the account was made a judge's


def test_an_organiser_changes_no_account_that_others_rely_on(world):
    with world.database.writing() as session:
        jim, _ = make_judge(world, session)
        check_is_theirs(session, 1, jim)
        other = Challenge(slug="other", title="Other", definition={}, definition_sha256="0" * 64,
                          profile="raim-2024", scorer_version="x", created_at=NOON)  # fmt: skip
        session.add(other)
        session.flush()
        appoint(session, NOON, other.id, jim, "judge", actor_id=world.organiser)
        for user in (jim, session.get_one(User, world.organiser)):
            with pytest.raises(AccessError, match="more than this challenge"):
                check_is_theirs(session, 1, user)


def test_a_deleted_accounts_links_are_ended_and_its_team_gets_another_captain(world):
    team_id = world.team("Ada")
    with world.database.writing() as session:
        captain = session.scalars(select(Member).where(Member.team_id == team_id)).one()
        ada = session.get_one(User, captain.user_id)
        bob, _ = make_judge(world, session, login="bob", office="participant")
        member = Member(
            challenge_id=captain.challenge_id, team_id=team_id, user_id=bob.id, role="member", joined_at=NOON
        )
        session.add(member)
        token = make_reset_link(session, NOON, ada, actor_id=world.organiser)
        delete_account(session, NOON, ada, actor_id=ada.id)
        assert (captain.role, member.role) == ("member", "captain")
        with pytest.raises(StateError, match="was used before"):
            use_reset_link(session, NOON, token, password_hash="own")
        assert ada.password_hash == "deleted"
