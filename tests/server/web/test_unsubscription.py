"""Mail is ended by one click, without a login, by nobody who only looks; and chosen on the account's page."""

import pytest
from sqlalchemy import select

from raim.server.database import MailRefusal
from raim.server.mail.letters import build_message
from raim.server.mail.wishes import CHOSEN


def refusals(site):
    with site.server.database.reading() as session:
        rows = session.execute(select(MailRefusal.kind, MailRefusal.address).order_by(MailRefusal.kind))
        return [tuple(row) for row in rows]


@pytest.fixture
def path(mail_site):
    """Give the path that ends invitations to somebody without an account."""
    mail_site.member("ada").post("/team/invitations", email="bob@example.org")
    (mail,) = mail_site.mails(kind="member")
    with mail_site.server.database.reading() as session:
        message = build_message(session, mail, "raim@example.org", mail_site.server.secret)
    return message["List-Unsubscribe"][1:-1].removeprefix(mail_site.server.settings.public_url)


def test_looking_at_the_link_changes_nothing_and_one_click_ends_the_kind(mail_site, path):
    visitor = mail_site.visitor()
    for method in ("GET", "HEAD", "GET"):
        answer = visitor.client.request(method, path)
        assert answer.status_code == 200
    assert "No more of this kind" in answer.text
    assert refusals(mail_site) == []
    body = {"List-Unsubscribe": "One-Click"}
    answer = visitor.client.post(path, data=body, follow_redirects=False)  # RFC 8058: no redirect
    assert answer.status_code == 200
    assert "No more mail of this kind is sent to you" in answer.text
    assert refusals(mail_site) == [("member", "bob@example.org")]
    assert visitor.client.post(path, data=body).status_code == 200
    assert refusals(mail_site) == [("member", "bob@example.org")]
    assert f'action="{path}/back"' in answer.text
    assert visitor.post(f"{path}/back").status_code == 303
    assert refusals(mail_site) == []
    assert [each.state for each in mail_site.mails()] == ["dropped"]


def test_a_link_that_was_cut_or_changed_ends_nothing(mail_site, path):
    for wrong in (path[:-1], path.replace("unsubscribe/", "unsubscribe/x"), "/unsubscribe/x"):
        assert mail_site.visitor().get(wrong).status_code == 404
        assert mail_site.visitor().post(wrong).status_code == 404
    assert refusals(mail_site) == []


def test_a_person_chooses_on_the_accounts_page(mail_site):
    ada = mail_site.verified("ada")
    assert 'id="mail-result" name="kinds" value="result" checked' in ada.get("/account").text
    answer = ada.client.post("/account/mail", data={"kinds": ["", "announcement"]}, follow_redirects=False)
    assert answer.headers["location"] == "/account?note=saved"
    page = ada.get("/account").text
    assert 'value="announcement" checked' in page
    assert 'value="result" checked' not in page
    assert len(refusals(mail_site)) == len(CHOSEN) - 1
    assert ada.client.post("/account/mail", data={"kinds": ["password"]}).status_code == 404
    ada.client.post("/account/mail", data={"kinds": ["", *CHOSEN]})
    assert refusals(mail_site) == []
    ada.post("/account/mail", kinds="")
    ada.post("/account/delete", present_password="correct horse battery")
    assert refusals(mail_site) == []


def test_without_mail_the_account_has_no_wishes_to_choose(site):
    assert "What you want by mail" not in site.user("ada").get("/account").text
