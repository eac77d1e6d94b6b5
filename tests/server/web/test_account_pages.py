import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from raim.server.actions.links import make_reset_link
from raim.server.database import AuditEvent, User
from server_site import PASSWORD


def find_link(page, kind):
    return re.search(rf"/{kind}/raim_\w+_[\w-]+", page)[0]


def test_the_first_link_makes_the_organiser_once(site):
    olga = site.organiser()
    assert olga.get("/").text.count("Desk") == 1
    again = site.visitor()
    path = site.first_link.partition("8000")[2]
    answer = again.post(path, login="eve", password=PASSWORD)
    assert answer.status_code == 409
    assert "was used before" in answer.text


def test_a_form_shows_what_was_wrong_and_keeps_what_was_typed(site):
    visitor = site.visitor()
    answer = visitor.post("/register", login="ada", password="short", name="Ada L.", consent="yes")
    assert answer.status_code == 400
    assert "it must have 10 to 1000" in answer.text
    assert 'value="Ada L."' in answer.text
    assert "short" not in answer.text
    answer = visitor.post("/register", login="ada", password=PASSWORD)
    assert "needs your consent" in answer.text


def test_a_taken_login_is_told(site):
    site.user("ada")
    answer = site.visitor().post("/register", login="ADA", password=PASSWORD, consent="yes")
    assert answer.status_code == 409
    assert "is taken" in answer.text


def test_a_login_leads_on_to_where_it_was_asked_for_and_nowhere_else(site):
    site.user("ada")
    for following, reached in (("/data", "/data"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        answer = site.visitor().post("/login", login="ada", password=PASSWORD, following=following)
        assert answer.headers["location"] == reached


def test_too_many_tries_wait_and_say_how_long(site, clock):
    site.user("ada")
    eve = site.visitor()
    for _ in range(5):
        assert eve.post("/login", login="ada", password="wrong horse").status_code == 400
    answer = eve.post("/login", login="ada", password=PASSWORD)
    assert answer.status_code == 429
    assert "too many tries" in answer.text
    clock.move(minutes=16)
    assert eve.post("/login", login="ada", password=PASSWORD).status_code == 303


def test_a_session_ends_by_logging_out_and_by_time(site, clock):
    ada = site.user("ada")
    cookie = ada.client.cookies["raim_session"]
    ada.post("/logout")
    ada.client.cookies.set("raim_session", cookie)
    assert ada.get("/account").status_code == 303
    bob = site.user("bob")
    clock.move(hours=336)
    assert bob.get("/account").status_code == 303


def test_a_new_password_ends_other_logins_and_keeps_this_one(site):
    ada = site.user("ada")
    other = site.visitor()
    other.post("/login", login="ada", password=PASSWORD)
    assert other.get("/account").status_code == 200
    answer = ada.post("/account/password", present_password=PASSWORD, password="another horse battery")
    assert answer.status_code == 303
    assert ada.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert (
        "present password is wrong"
        in ada.post("/account/password", present_password=PASSWORD, password="x" * 12).text
    )


def test_a_token_is_shown_once_and_ends_when_revoked(site):
    ada = site.with_token(site.user("ada"))
    assert ada.api("GET", "/me").json()["login"] == "ada"
    page = ada.get("/account").text
    assert ada.token not in page
    ada.post(re.search(r"/account/tokens/\d+/revoke", page)[0])
    answer = ada.api("GET", "/me")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "login_needed"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_nobody_revokes_anothers_token(site):
    ada, bob = site.with_token(site.user("ada")), site.user("bob")
    path = re.search(r"/account/tokens/\d+/revoke", ada.get("/account").text)[0]
    assert bob.post(path).status_code == 404
    assert ada.api("GET", "/me").status_code == 200


def test_a_deleted_account_leaves_no_name_behind(site):
    ada = site.member("ada")
    answer = ada.post("/account/delete", present_password="wrong horse battery")
    assert answer.status_code == 400
    answer = ada.post("/account/delete", present_password=PASSWORD)
    assert answer.headers["location"] == "/?note=goodbye"
    assert ada.api("GET", "/me").status_code == 401
    with site.server.database.reading() as session:
        user = session.scalars(select(User)).one()
        assert "ada" not in (user.login, user.login_key, user.name)
        assert user.email is None
        assert (
            session.scalars(select(AuditEvent).where(AuditEvent.action == "delete account")).one().subject_id
            == user.id
        )
    assert site.user("ada").get("/account").status_code == 200


def test_the_last_administrator_cannot_leave(site):
    olga = site.organiser()
    answer = olga.post("/account/delete", present_password=PASSWORD)
    assert "the last administrator" in answer.text


def test_a_reset_link_sets_a_password_once(site, clock):
    olga, ada = site.organiser(), site.user("ada")
    with site.server.database.writing() as session:
        users = {each.login: each for each in session.scalars(select(User))}
        token = make_reset_link(session, clock(), users["ada"], actor_id=users[olga.login].id)
    visitor = site.visitor()
    assert visitor.post(f"/reset/{token}", password="short").status_code == 400
    answer = visitor.post(f"/reset/{token}", password="another horse battery")
    assert answer.headers["location"] == "/account?note=password"
    assert ada.get("/account").status_code == 303
    answer = site.visitor().post(f"/reset/{token}", password="third horse battery")
    assert answer.status_code == 409


def test_teams_grow_by_invitation(site, clock):
    ada, bob = site.member("ada", "The A Team"), site.user("bob")
    path = find_link(ada.post("/team/invitations").text, "join")
    assert "Join the team" in bob.get(path).text
    assert "Log in" in site.visitor().get(path).text
    assert bob.post(path).headers["location"] == "/team?note=joined"
    assert "The A Team" in bob.get("/team").text
    assert bob.post("/team/invitations").status_code == 403
    assert site.user("eve").post(path).status_code == 409
    clock.move(minutes=1)


def test_a_full_team_takes_nobody(site):
    rules = site.server.definition.registration
    site.server.replace_challenge(
        type(site.server.definition)(
            **{
                name: getattr(site.server.definition, name)
                for name in site.server.definition.__slots__
                if name != "registration"
            },
            registration=type(rules)(team_size=1),
        )
    )
    ada, bob = site.member("ada"), site.user("bob")
    path = find_link(ada.post("/team/invitations").text, "join")
    answer = bob.post(path)
    assert answer.status_code == 409
    assert "as many as this challenge allows" in answer.text


def test_members_leave_until_they_have_handed_something_in(site):
    ada, bob = site.member("ada"), site.user("bob")
    path = find_link(ada.post("/team/invitations").text, "join")
    bob.post(path)
    site.submit(ada, site.zip_of())
    assert bob.post("/team/leave").headers["location"] == "/?note=left"
    answer = ada.post("/team/leave")
    assert answer.status_code == 409
    assert "stay with the team" in answer.text


def test_the_fact_sheet_keeps_half_a_sheet_and_says_what_is_missing(site):
    ada = site.member("ada")
    page = ada.get("/team/fact-sheet").text
    assert "Title of the method, Members, Affiliations" in page
    ada.post("/team/fact-sheet", title="A <b>net</b>", members="Ada")
    page = ada.get("/team/fact-sheet").text
    assert "A &lt;b&gt;net&lt;/b&gt;" in page
    assert "nothing more" not in page
    fields = dict.fromkeys(("affiliations", "description", "training_data", "runtime"), "x")
    ada.post("/team/fact-sheet", **fields)
    assert "nothing more" in ada.get("/team/fact-sheet").text


@pytest.mark.parametrize("path", ["/team", "/submit", "/submissions", "/team/fact-sheet"])
def test_without_a_team_one_is_led_to_make_one(site, path):
    assert site.user("ada").get(path).headers["location"] == "/team/new"


def test_old_logins_are_forgotten(site, clock):
    from raim.server.actions.logins import forget_logins

    site.user("ada")
    clock.now += timedelta(days=30)
    with site.server.database.writing() as session:
        forget_logins(session, clock())
