import re
import threading
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select, text
from starlette.testclient import TestClient

from raim.server.actions import passwords
from raim.server.actions.links import make_reset_link
from raim.server.database import AuditEvent, User
from raim.server.web.routes import accounts
from server_site import ADDRESS, PASSWORD
from server_site import place as path_of


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


def test_a_taken_login_is_reported(site):
    site.user("ada")
    answer = site.visitor().post("/register", login="ADA", password=PASSWORD, consent="yes")
    assert answer.status_code == 409
    assert "is taken" in answer.text


def test_a_login_leads_on_to_where_it_was_asked_for_and_nowhere_else(site):
    site.user("ada")
    for following, reached in (("/data", "/data"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        answer = site.visitor().post("/login", login="ada", password=PASSWORD, following=following)
        assert answer.headers["location"] == reached


def test_who_has_logged_in_before_is_not_locked_out_by_others(site):
    site.user("ada").post("/logout")
    ada, eve = site.visitor(), site.visitor()
    ada.post("/login", login="ada", password=PASSWORD)
    ada.post("/logout")
    for _ in range(5):
        eve.post("/login", login="ada", password="wrong horse")
    assert eve.post("/login", login="ada", password=PASSWORD).status_code == 429
    mark = ada.client.cookies["raim_browser"]
    assert ada.post("/login", login="ada", password=PASSWORD).status_code == 303
    eve.client.cookies["raim_browser"] = f"forged.{mark.partition('.')[2]}"
    assert eve.post("/login", login="ada", password=PASSWORD).status_code == 429
    site.user("bob")
    eve.client.cookies["raim_browser"] = mark  # of another login
    for _ in range(5):
        eve.post("/login", login="bob", password="wrong horse")
    assert eve.post("/login", login="bob", password=PASSWORD).status_code == 429


def test_addresses_of_one_network_of_ipv6_count_as_one(site):
    site.user("ada")

    def try_from(host, password):
        client = TestClient(site.app, base_url=ADDRESS, client=(host, 1))
        return client.post("/login", data={"login": "ada", "password": password}, follow_redirects=False)

    for number in range(5):
        assert try_from(f"2001:db8:1:2::{number}", "wrong horse").status_code == 400
    assert try_from("2001:db8:1:2:ffff::9", PASSWORD).status_code == 429
    assert try_from("2001:db8:1:3::1", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/reset/raim_link_unknown", {}, 409),
        ("/first/raim_link_unknown", {"login": "eve"}, 409),
        ("/register", {"login": "eve", "consent": "yes"}, 429),
    ],
)
def test_no_password_is_hashed_before_the_limit_or_the_link_was_looked_at(
    site, monkeypatch, path, fields, status
):
    monkeypatch.setattr(accounts, "REGISTRATIONS", 0)
    monkeypatch.setattr(accounts.passwords, "hash_password", None)  # a call would be a fault of ours: 500
    assert site.visitor().post(path, password=PASSWORD, **fields).status_code == status


def test_too_many_who_log_in_at_once_are_asked_to_come_again(site, monkeypatch):
    monkeypatch.setattr(passwords, "_COMING", threading.Semaphore(0))
    answer = site.visitor().post("/login", login="ada", password=PASSWORD)
    assert answer.status_code == 503
    assert "too many people log in at once" in answer.text


def test_the_log_has_neither_the_tokens_of_links_nor_what_the_database_was_given(site, monkeypatch, caplog):
    def fail(session, now, token, purpose):
        session.execute(
            text("SELECT * FROM no_such_table WHERE email = :email"), {"email": "ada@example.org"}
        )

    monkeypatch.setattr(accounts.links, "find_link", fail)
    answer = site.visitor().post("/reset/raim_link_secret", password=PASSWORD)
    assert answer.status_code in {500, 503}
    assert "/reset/{token}" in caplog.text
    assert "no_such_table" in caplog.text
    assert not any(word in caplog.text for word in ("raim_link_secret", "ada@example.org", PASSWORD))


def with_token(person, **fields):
    page = person.post("/account/tokens", name="tests", **fields).text
    person.token = re.search(r"raim_api_[\w-]+", page)[0]
    return {"Authorization": f"Bearer {person.token}"}


def test_a_token_is_good_for_the_api_only_and_makes_no_other(site):
    olga = site.organiser()
    token = with_token(olga, scope="all")
    program = site.visitor().client
    assert program.get("/api/v1/desk/users", headers=token).status_code == 200
    for path in ("/account", "/desk", "/team", "/desk/users"):
        answer = program.get(path, headers=token, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/login?next={quote(path_of(path))}",
        )
    answer = program.post("/account/tokens", data={"name": "more"}, headers=token)
    assert answer.status_code == 401


def test_a_token_that_reads_changes_nothing_and_one_that_takes_part_has_no_office(site):
    olga = site.organiser()
    reads, takes_part = with_token(olga, scope="read"), with_token(olga)
    program = site.visitor().client
    assert program.get("/api/v1/desk/teams", headers=reads).status_code == 200
    assert program.get("/api/v1/desk/teams", headers=takes_part).status_code == 403
    assert program.get("/api/v1/admin", headers=takes_part).status_code == 403
    assert program.get("/api/v1/me", headers=takes_part).status_code == 200
    ada = site.member("ada")
    reads, takes_part = with_token(ada, scope="read"), with_token(ada)
    refused = program.post("/api/v1/team/invitations", headers=reads)
    assert (refused.status_code, "only reads" in refused.text) == (403, True)
    assert program.post("/api/v1/team/invitations", headers=takes_part).status_code == 201


def test_a_token_says_what_it_may_and_when_it_ends_and_ends_with_the_password(site, clock):
    ada = site.user("ada")
    token = with_token(ada, days="3")
    page = ada.get("/account").text
    assert "take part: read and hand in, without an office of mine" in page
    assert ada.post("/account/tokens", name="long", days="367").status_code == 422
    program = site.visitor().client
    assert program.get("/api/v1/me", headers=token).status_code == 200
    clock.move(days=3)
    assert program.get("/api/v1/me", headers=token).status_code == 401
    token = with_token(ada)
    with site.server.database.writing() as session:
        user = session.scalars(select(User).where(User.login == "ada")).one()
        link = make_reset_link(session, clock(), user, actor_id=user.id)
    assert site.visitor().post(f"/reset/{link}", password=PASSWORD).status_code == 303
    assert program.get("/api/v1/me", headers=token).status_code == 401


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
    site.change(registration=replace(site.definition.registration, team_size=1))
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
