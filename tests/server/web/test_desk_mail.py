import pytest

from page_form import check_well_made
from raim.server.database import Challenge, Mail, Member, Team, User
from raim.server.mail.outbox import begin_sending, end_mail, take_mail


@pytest.fixture
def olga(mail_site):
    return mail_site.organiser()


def let(site, state, why=""):
    """Let the mail that is due end."""
    with site.server.database.writing() as session:
        row = take_mail(session, site.clock.now)
        if state != "sending":
            end_mail(session, site.clock.now, row.id, row.tries, state=state, why=why)
        else:
            begin_sending(session, site.clock.now, row.id, row.tries)


def test_organisers_see_what_became_of_mail_and_never_its_text(mail_site, olga):
    ada = mail_site.user("ada", email="ada@example.org")
    path = mail_site.link("verify", "ada@example.org")
    let(mail_site, "failed", "550 <nobody> here")
    mail_site.user("bob", email="bob@example.org")
    page = olga.get("/desk/mail").text
    check_well_made(page, "/desk/mail")
    assert "550 &lt;nobody&gt; here" in page
    assert "2 mails" in page
    assert path not in page
    assert "ada@example.org" not in olga.get("/desk/mail?state=waiting").text
    answer = olga.api("GET", "/desk/mail?state=failed").json()
    assert answer["counts"] == {"failed": 1, "waiting": 1}
    assert [each["address"] for each in answer["mails"]] == ["ada@example.org"]
    assert "text" not in answer["mails"][0]
    assert ada.get("/desk/mail").status_code == 403


def test_a_mail_that_failed_is_sent_again_by_a_button(mail_site, olga, clock):
    mail_site.user("ada", email="ada@example.org")
    assert olga.post("/desk/mail/1/retry").status_code == 409
    let(mail_site, "failed", "550 no")
    assert "/desk/mail/1/retry" in olga.get("/desk/mail").text
    assert olga.post("/desk/mail/1/retry").headers["location"] == "/desk/mail?note=resent"
    assert [each.state for each in mail_site.mails()] == ["waiting"]
    let(mail_site, "sending")
    clock.move(minutes=11)
    with mail_site.server.database.writing() as session:
        assert take_mail(session, clock.now) is None
    assert "unclear" in olga.get("/desk/mail").text
    assert olga.api("POST", "/desk/mail/1/retry").json()["state"] == "waiting"
    assert olga.post("/desk/mail/2/retry").status_code == 404


def test_what_a_reader_wants_no_more_is_not_sent_again(mail_site, olga):
    captain = mail_site.member("ada")
    captain.post("/team/invitations", email="bob@example.org")
    let(mail_site, "failed", "550 no")
    bob = mail_site.verified("bob")
    bob.post("/account/mail", kinds="")
    answer = olga.post("/desk/mail/1/retry")
    assert answer.status_code == 409
    assert "wants no mail" in answer.text


def test_another_challenges_mail_is_not_shown(mail_site, olga):
    ada = mail_site.member("ada")
    mail_site.user("cyn", email="cyn@example.org")
    ada.post("/team/invitations", email="bob@example.org")
    challenge = {"slug": "other", "title": "Other", "definition": {}, "definition_sha256": "0" * 64}
    with mail_site.server.database.writing() as session:
        other = Challenge(profile="p", scorer_version="s", created_at=mail_site.clock.now, **challenge)
        session.add(other)
        session.flush()
        team = Team(challenge_id=other.id, name="T", name_key="t", created_at=mail_site.clock.now)
        session.add(team)
        session.flush()
        person = session.query(User).filter_by(login="cyn").one()
        person.registered_in, cyn = other.id, person.id
        session.add(
            Member(challenge_id=other.id, team_id=team.id, user_id=cyn, joined_at=mail_site.clock.now)
        )
        session.query(Mail).filter_by(kind="member").one().challenge_id = other.id
    page = olga.get("/desk/mail").text
    assert "bob@example.org" not in page
    assert "cyn@example.org" not in page
    assert olga.post("/desk/mail/1/retry").status_code == 404


def test_administrators_see_all_mail_and_have_any_sent_again(mail_site, olga):
    ada = mail_site.member("ada")
    ada.post("/team/invitations", email="bob@example.org")
    mail_site.user("cyn", email="cyn@example.org")
    with mail_site.server.database.writing() as session:
        session.query(User).filter_by(login="cyn").one().registered_in = None
    let(mail_site, "failed", "550 no")  # what somebody has asked for goes first
    assert "cyn@example.org" not in olga.get("/desk/mail").text
    page = olga.get("/admin/mail").text
    check_well_made(page, "/admin/mail")
    assert all(address in page for address in ("bob@example.org", "cyn@example.org"))
    assert olga.post("/admin/mail/2/retry").headers["location"] == "/admin/mail?note=resent"
    assert olga.api("GET", "/admin/mail").json()["counts"] == {"waiting": 2}
    assert ada.get("/admin/mail").status_code == 403


def test_without_mail_the_page_says_so(site):
    assert "sends no mail" in site.organiser().get("/desk/mail").text
