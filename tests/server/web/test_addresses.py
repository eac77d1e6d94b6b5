"""Addresses are verified by a mailed link, which programs that open links cannot use; only verified ones count."""

import pytest
from sqlalchemy import select

from raim.server.database import AuditEvent, User
from server_site import PASSWORD

ADA = "ada@example.org"


def user(site, login):
    with site.server.database.reading() as session:
        found = session.scalars(select(User).where(User.login == login)).one()
        session.expunge(found)
        return found


def test_an_address_is_verified_by_the_button_behind_the_link_and_once(mail_site):
    ada = mail_site.user("ada", email=ADA)
    path = mail_site.link("verify", ADA)
    assert "not verified" in ada.get("/account").text
    scanner = mail_site.visitor()
    for method in ("GET", "HEAD"):
        assert scanner.client.request(method, path).status_code == 200
    assert user(mail_site, "ada").email_verified_at is None
    assert scanner.post(path).headers["location"] == "/?note=verified"
    assert user(mail_site, "ada").email_verified_at == mail_site.clock.now
    assert ">verified<" in ada.get("/account").text
    answer = scanner.post(path)
    assert answer.status_code == 409
    assert "was used before" in answer.text


def test_without_mail_an_account_has_its_address_as_before(site):
    ada = site.user("ada", email=ADA)
    assert site.mails() == []
    page = ada.get("/account").text
    assert "not verified" in page
    assert "Send the link again" not in page
    assert "/forgot" not in site.visitor().get("/login").text
    assert "sends no mail" in site.visitor().post("/forgot", login="ada").text


def test_another_address_is_not_verified_and_ends_the_links_to_the_first(mail_site):
    ada = mail_site.verified("ada")
    old = mail_site.visitor()
    old.post("/forgot", login="ada")
    answer = ada.post("/account/email", email="new@example.org", present_password="wrong horse battery")
    assert "present password is wrong" in answer.text
    assert 'value="new@example.org"' in answer.text
    answer = ada.post("/account/email", email=" new@example.org ", present_password=PASSWORD)
    assert answer.headers["location"] == "/account?note=saved"
    assert (user(mail_site, "ada").email, user(mail_site, "ada").email_verified_at) == (
        "new@example.org",
        None,
    )
    assert old.post(mail_site.link("password", ADA), password="another horse battery").status_code == 409
    ada.post(mail_site.link("verify", "new@example.org"))
    assert user(mail_site, "ada").email_verified_at is not None
    ada.post("/account/email", email="", present_password=PASSWORD)
    assert (user(mail_site, "ada").email, user(mail_site, "ada").email_verified_at) == (None, None)
    answer = ada.post("/account/email", email="x@y, z@y", present_password=PASSWORD)
    assert "is not an e-mail address" in answer.text


def test_a_link_to_an_address_that_was_changed_since_verifies_nothing(mail_site):
    ada = mail_site.user("ada", email=ADA)
    path = mail_site.link("verify", ADA)
    ada.post("/account/email", email="new@example.org", present_password=PASSWORD)
    assert ada.post(path).status_code == 409
    assert user(mail_site, "ada").email_verified_at is None


def test_nobody_is_flooded_with_links(mail_site, clock):
    ada = mail_site.user("ada", email=ADA)
    for _ in range(2):
        assert ada.post("/account/email/verify").headers["location"] == "/account?note=verify"
    assert "too many within an hour" in ada.post("/account/email/verify").text
    mail_site.user("eve", email=ADA)  # another account with the same address
    assert len(mail_site.mails(kind="verify")) == 3
    clock.move(hours=2)
    assert ada.post("/account/email/verify").status_code == 303
    ada.post(mail_site.link("verify", ADA))
    assert "no link was sent" in ada.post("/account/email/verify").text


@pytest.mark.parametrize("typed", ["ada", "ADA", ADA, "Ada@Example.org"])
def test_a_forgotten_password_is_set_by_a_mailed_link(mail_site, typed):
    ada = mail_site.verified("ada")
    visitor = mail_site.visitor()
    assert "/forgot" in visitor.get("/login").text
    visitor.post("/forgot", login=typed)
    path = mail_site.link("password", ADA)
    assert (
        visitor.post(path, password="another horse battery").headers["location"] == "/account?note=password"
    )
    assert ada.get("/account").status_code == 303
    assert visitor.post(path, password="third horse battery").status_code == 409


def test_the_answer_is_the_same_whether_there_is_such_an_account(mail_site):
    mail_site.verified("ada")
    mail_site.user("bob", email="bob@example.org")  # not verified
    answers = set()
    for typed in (
        "ada",
        "bob",
        "bob@example.org",
        "nobody",
        "nobody@example.org",
        "\x01\ufffe",
        "ß" * 200,
        "ada",
    ):
        answer = mail_site.visitor().post("/forgot", login=typed, follow=True)
        answers.add((answer.status_code, answer.text))
    ((code, text),) = answers
    assert code == 200
    assert "a link is on its way there" in text
    assert {each.address for each in mail_site.mails(kind="password")} == {ADA}


def test_asking_for_passwords_is_limited_by_address_of_network_and_of_mail(mail_site, clock):
    mail_site.verified("ada")
    visitor = mail_site.visitor()
    for _ in range(20):
        assert visitor.post("/forgot", login="ada").status_code == 303
    answer = visitor.post("/forgot", login="ada")
    assert answer.status_code == 429
    assert len(mail_site.mails(kind="password")) == 3
    clock.move(minutes=16)
    assert visitor.post("/forgot", login="ada").status_code == 303
    assert len(mail_site.mails(kind="password")) == 3


def test_an_account_that_an_organiser_makes_is_mailed_its_link_which_verifies_its_address(mail_site):
    olga = mail_site.organiser()
    page = olga.post("/desk/users", login="jim", name="Jim", email="jim@example.org", role="judge").text
    (mail,) = mail_site.mails(kind="account")
    assert "as a judge" in mail.text
    path = mail_site.link("account", "jim@example.org")
    assert path not in page  # the link that organisers see verifies nothing
    visitor = mail_site.visitor()
    visitor.post(path, password=PASSWORD)
    assert user(mail_site, "jim").email_verified_at is not None
    olga.post("/desk/users", login="otto", name="", email="otto@example.org", role="organiser")
    shown = olga.post(f"/desk/users/{user(mail_site, 'otto').id}/reset").text
    assert (
        visitor.post(shown[shown.index("/reset/raim") :].split("<")[0], password=PASSWORD).status_code == 303
    )
    assert user(mail_site, "otto").email_verified_at is None


def test_a_deleted_account_leaves_no_address_behind(mail_site):
    ada = mail_site.verified("ada")
    mail_site.visitor().post("/forgot", login="ada")
    ada.post("/account/delete", present_password=PASSWORD)
    assert mail_site.mails() == []
    with mail_site.server.database.reading() as session:
        assert ADA not in str([each.details for each in session.scalars(select(AuditEvent))])
