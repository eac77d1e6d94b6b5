import pytest
from sqlalchemy import select

from desk_world import NOON, make_world
from raim.errors import InputError, StateError, UnknownNameError
from raim.server.accounts import make_api_token, merge_teams, use_reset_link
from raim.server.accounts.governing import (
    change_role,
    decide_about_team,
    make_account,
    mark_team,
    reopen_account,
    shut_account,
)
from raim.server.accounts.leaving import delete_account
from raim.server.database import ApiToken, Team, User


@pytest.fixture
def world(database):
    return make_world(database)


def make_judge(world, session, **changes):
    given = {"login": "jim", "name": "", "email": "", "role": "judge", **changes}
    return make_account(session, NOON, password_hash="nobody's", actor_id=world.organiser, **given)


def test_an_account_comes_with_a_link_that_sets_its_password_once(world):
    with world.database.writing() as session:
        user, token = make_judge(world, session)
        assert (user.login, user.name, user.email, user.role) == ("jim", "jim", None, "judge")
        assert use_reset_link(session, NOON, token, password_hash="own").id == user.id
        assert user.password_hash == "own"
        with pytest.raises(StateError, match="used before"):
            use_reset_link(session, NOON, token, password_hash="again")


def test_an_account_is_refused_with_an_unknown_role_or_a_taken_login(world):
    with world.database.writing() as session:
        with pytest.raises(UnknownNameError, match="did you mean 'judge'"):
            make_judge(world, session, role="juge")
        with pytest.raises(StateError, match="'Olga' is taken"):
            make_judge(world, session, login="Olga")


def test_the_last_organiser_can_neither_be_shut_nor_made_another(world):
    with world.database.writing() as session:
        olga = session.get_one(User, world.organiser)
        for change in (
            lambda: shut_account(session, NOON, olga, actor_id=olga.id),
            lambda: change_role(session, NOON, olga, "judge", actor_id=olga.id),
        ):
            with pytest.raises(StateError, match="olga is the last organiser"):
                change()
        second, _ = make_judge(world, session, role="organiser")
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
            change_role(session, NOON, jim, "participant", actor_id=world.organiser)
        assert jim.role == "participant"
    assert world.actions().count("change role") == 1


def test_a_team_is_approved_and_suspended_and_nothing_else(world):
    team_id = world.team("Ada", state="waiting")
    with world.database.writing() as session:
        team = session.get_one(Team, team_id)
        for state in ("approved", "approved", "suspended"):
            decide_about_team(session, NOON, team, state, actor_id=world.organiser)
            assert team.state == state
        for state in ("merged", "waiting", "", "x" * 50):
            with pytest.raises(InputError, match="approved or suspended"):
                decide_about_team(session, NOON, team, state, actor_id=world.organiser)
    assert world.actions().count("set team state") == 2


def test_a_merged_team_is_not_approved_again(world):
    first, second = world.team("Ada"), world.team("Bob")
    with world.database.writing() as session:
        team = session.get_one(Team, first)
        merge_teams(session, NOON, team, session.get_one(Team, second), actor_id=world.organiser)
        with pytest.raises(StateError, match="Ada was merged into another team"):
            decide_about_team(session, NOON, team, "approved", actor_id=world.organiser)


def test_marks_of_a_team_are_written_down_when_they_change(world):
    team_id = world.team("Ada")
    with world.database.writing() as session:
        team = session.get_one(Team, team_id)
        for baseline in (False, True, True):
            mark_team(
                session,
                NOON,
                team,
                is_baseline=baseline,
                is_out_of_competition=False,
                actor_id=world.organiser,
            )
        assert (team.is_baseline, team.is_out_of_competition) == (True, False)
    assert world.actions().count("mark team") == 1
