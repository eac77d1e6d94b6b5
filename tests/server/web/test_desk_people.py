import re

import pytest
from sqlalchemy import select

from desk_world import World
from page_form import check_well_made
from raim.server.database import Member, Team, User
from server_site import ADDRESS, PASSWORD


@pytest.fixture
def olga(site):
    return site.organiser()


@pytest.fixture
def world(site):
    return World(database=site.server.database, definition=site.definition, now=site.clock.now)


def number_of(world, table, **where):
    column, value = next(iter(where.items()))
    with world.database.reading() as session:
        return session.scalars(select(table.id).where(getattr(table, column) == value)).one()


def test_a_team_that_waits_is_approved_with_one_button(world, olga):
    number = world.team("Ada", state="waiting")
    assert "Approve" in olga.get("/desk/teams?state=waiting").text
    answer = olga.post(f"/desk/teams/{number}", state="approved")
    assert answer.headers["location"] == f"/desk/teams/{number}?note=saved"
    assert world.row(Team, number).state == "approved"
    assert "Saved." in olga.get(answer.headers["location"]).text


def test_a_suspended_team_sees_no_data_any_more(site, world, olga):
    ada = site.member("ada")
    number = number_of(world, Team, name="Team ada")
    assert ada.get("/data-sets/tuning-pairs/inputs.zip").status_code == 200
    olga.post(f"/desk/teams/{number}", state="suspended")
    assert ada.get("/data-sets/tuning-pairs/inputs.zip").status_code == 403


def test_a_state_that_is_none_shows_the_page_again_with_the_reason(world, olga):
    number = world.team("Ada")
    answer = olga.post(f"/desk/teams/{number}", state="merged")
    assert answer.status_code == 422
    assert "approved" in answer.text
    assert "<h1>Ada</h1>" in answer.text


def test_marks_are_set_and_taken_away_by_boxes(world, olga):
    number = world.team("Ada")
    olga.post(f"/desk/teams/{number}", is_baseline="true", is_out_of_competition="true")
    row = world.row(Team, number)
    assert (row.is_baseline, row.is_out_of_competition) == (True, True)
    assert "baseline" in olga.get("/desk/teams").text
    olga.post(f"/desk/teams/{number}", is_baseline="false", is_out_of_competition="false")
    row = world.row(Team, number)
    assert (row.is_baseline, row.is_out_of_competition) == (False, False)


def test_a_merged_teams_members_go_over_and_nothing_can_be_decided_about_it(site, world, olga):
    first, second = world.team("Ada"), world.team("Bob")
    answer = olga.post(f"/desk/teams/{first}/merge", into=str(second))
    assert answer.headers["location"] == f"/desk/teams/{second}?note=merged"
    with world.database.reading() as session:
        assert set(session.scalars(select(Member.team_id))) == {second}
    page = olga.get(f"/desk/teams/{first}").text
    assert f'merged into <a href="/c/my-challenge/desk/teams/{second}">Bob</a>' in page
    assert "Suspend" not in page
    again = olga.post(f"/desk/teams/{first}/merge", into=str(second))
    assert again.status_code == 409
    assert "merged before" in again.text


def test_a_team_is_not_merged_into_itself_or_into_nothing(world, olga):
    number = world.team("Ada")
    assert olga.post(f"/desk/teams/{number}/merge", into=str(number)).status_code == 409
    assert olga.post(f"/desk/teams/{number}/merge", into="999").status_code == 404
    assert olga.post(f"/desk/teams/{number}/merge").status_code == 422


def test_hints_lead_to_the_teams_that_share_something(world, olga):
    first = world.team("Ada", email="same@example.org")
    world.team("Bob", email="same@example.org")
    assert "The same e-mail address" in olga.get("/desk/teams").text
    page = olga.get(f"/desk/teams/{first}").text
    assert "Second-account hints" in page
    assert ">Bob</a>" in page
    alone = olga.get("/desk/hints").text
    check_well_made(alone, "/desk/hints")
    assert "<h1>Hints</h1>" in alone
    assert "same@example.org" in alone
    assert re.search(r"<td>\s*Ada\s*,\s*Bob\s*</td>", alone)


def test_a_list_without_rows_says_so(world, olga):
    world.team("Ada")
    assert "There are none." in olga.get("/desk/hints").text


def test_names_of_teams_are_text_wherever_they_stand(world, olga):
    name = "<img src=x onerror=alert(1)>"
    number = world.team(name)
    world.submission(name, phase="feedback", state="failed")
    for path in ("/desk", "/desk/teams", f"/desk/teams/{number}", "/desk/submissions", "/desk/submissions/1"):
        page = olga.get(path).text
        assert "<img" not in page
        assert "&lt;img" in page


def link_on(page):
    return re.search(rf"{re.escape(ADDRESS)}(/reset/raim_link_[\w-]+)", page)[1]


def test_a_new_organiser_sets_a_password_by_the_link_and_reaches_the_desk(site, olga):
    answer = olga.post("/desk/users", login="otto", name="Otto", email="", role="organiser")
    assert answer.status_code == 200
    path = link_on(answer.text)
    assert path not in olga.get("/desk/users").text  # shown once
    otto = site.visitor()
    assert otto.post(path, password=PASSWORD).status_code == 303
    assert otto.get("/desk").status_code == 200
    assert site.visitor().get(path).status_code == 200  # opening uses nothing up
    assert site.visitor().post(path, password=PASSWORD).status_code == 409


def test_a_faulty_account_shows_what_was_typed_with_the_reason(olga):
    answer = olga.post("/desk/users", login="jim", name="Jim", email="none", role="judge")
    assert answer.status_code == 400
    assert "is not an e-mail address" in answer.text
    assert 'value="Jim"' in answer.text
    assert olga.post("/desk/users", login="jim", role="king").status_code == 404
    assert olga.post("/desk/users", login="OLGA", role="judge").status_code == 409


def test_a_link_for_a_new_password_is_handed_over_for_anybody(site, world, olga):
    ada = site.user("ada")
    answer = olga.post(f"/desk/users/{number_of(world, User, login='ada')}/reset")
    path = link_on(answer.text)
    assert "<strong>ada</strong>" in answer.text
    fresh = site.visitor()
    assert fresh.post(path, password="another sentence").status_code == 303
    assert ada.get("/account").status_code == 303  # every earlier login has ended


def test_a_shut_account_is_logged_out_and_can_be_opened(site, world, olga):
    ada = site.user("ada")
    number = number_of(world, User, login="ada")
    olga.post(f"/desk/users/{number}", is_disabled="true")
    assert ada.get("/account").status_code == 303
    assert "shut" in olga.get("/desk/users?q=ada").text
    olga.post(f"/desk/users/{number}", is_disabled="false")
    again = site.visitor()
    answer = again.post("/login", login="ada", password=PASSWORD)
    assert answer.status_code == 303


def test_the_last_administrator_cannot_shut_or_demote_themselves(world, olga):
    number = number_of(world, User, login="olga")
    for fields, words in (
        ({"is_disabled": "true"}, "the last administrator"),
        ({"role": "judge"}, "olga is an administrator"),
    ):
        answer = olga.post(f"/desk/users/{number}", **fields)
        assert answer.status_code == 409
        assert words in answer.text
    assert olga.get("/desk").status_code == 200


def test_a_role_decides_from_the_next_request_on(site, world, olga):
    ada = site.user("ada")
    number = number_of(world, User, login="ada")
    assert ada.get("/desk").status_code == 403
    olga.post(f"/desk/users/{number}", role="organiser")
    assert ada.get("/desk").status_code == 200
    olga.post(f"/desk/users/{number}", role="participant")
    assert ada.get("/desk").status_code == 403


def test_who_has_an_account_is_appointed_by_login(site, world, olga):
    ada = site.user("ada")
    assert olga.post("/desk/appointments", login="ADA").status_code == 303
    assert ada.get("/desk").status_code == 200
    assert "no account with the login &#39;eve&#39;" in olga.post("/desk/appointments", login="eve").text


def test_an_organiser_who_is_no_administrator_changes_no_administrators_account(site, world, olga):
    ada = site.user("ada")
    olga.post("/desk/appointments", login="ada")
    number = number_of(world, User, login="olga")
    for path, fields in (
        (f"/desk/users/{number}", {"is_disabled": "true"}),
        (f"/desk/users/{number}/reset", {}),
    ):
        answer = ada.post(path, **fields)
        assert answer.status_code == 403
        assert "ask an administrator" in answer.text


def test_accounts_are_found_by_team_name_and_role(world, olga):
    world.team("Ada")
    world.user("jim", office="judge")
    assert "1 account<" in olga.get("/desk/users?role=judge").text
    assert "1 account<" in olga.client.get("/desk/users", params={"q": "Ada", "role": "participant"}).text
