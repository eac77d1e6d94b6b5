"""What is mailed when: invitations, the final, judging, results, announcements; each with names that are hostile."""

import pytest
from sqlalchemy import select

from desk_world import World
from raim.server.database import Invitation, Submission, Team, User
from raim.server.mail import refuse_kind
from raim.server.mail.letters import build_message
from raim.server.submissions.states import change_state
from server_site import ADDRESS, HERE
from study_world import StudyWorld

NASTY = 'Team <b>"x"</b> & {{ 7 * 7 }} https://evil.example'


def join(site, captain, login, **fields):
    captain.post("/team/invitations", email=f"{login}@example.org")
    person = site.verified(login, **fields)
    person.post(site.link("member", f"{login}@example.org").removeprefix(HERE))
    return person


@pytest.fixture
def team(mail_site):
    """Give a captain whose address is not verified, and a member whose address is."""
    captain = mail_site.member("ada", NASTY)
    return captain, join(mail_site, captain, "bob")


def shown(site, mail):
    with site.server.database.reading() as session:
        return build_message(session, mail, "raim@example.org", site.server.secret)


def test_a_captain_invites_by_an_address_and_no_name_brings_markup(mail_site):
    captain = mail_site.member("ada", NASTY)
    page = captain.post("/team/invitations", email=" bob@example.org ").text
    (mail,) = mail_site.mails(kind="member")
    assert f"mailed to {mail.address}" in captain.get("/team").text
    path = mail_site.link("member", "bob@example.org")
    assert path in page
    message = shown(mail_site, mail)
    html = message.get_body(["html"]).get_content()
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert "{{ 7 * 7 }}" in html
    assert html.count("<a ") == 3  # the invitation, the site, the end; never the name's
    assert f'<a href="{ADDRESS}{path}">' in html
    assert "\n" not in message["Subject"]
    assert NASTY in message["Subject"]


def test_invitations_to_what_is_no_address_and_too_many_are_refused(mail_site, clock):
    captain = mail_site.with_token(mail_site.member("ada"))
    answer = captain.post("/team/invitations", email="bob")
    assert answer.status_code == 400
    assert "no mail can be sent" in answer.text
    for number in range(20):
        assert (
            captain.api("POST", "/team/invitations", json={"email": f"{number}@example.org"}).status_code
            == 201
        )
    assert captain.api("POST", "/team/invitations", json={"email": "more@example.org"}).status_code == 409
    assert captain.api("POST", "/team/invitations").status_code == 201
    clock.move(hours=25)
    assert captain.api("POST", "/team/invitations", json={"email": "more@example.org"}).status_code == 201


def test_without_mail_an_invitation_by_address_is_refused_and_nothing_written(site):
    captain = site.member("ada")
    assert captain.post("/team/invitations").status_code == 200
    assert captain.post("/team/invitations", email="bob@example.org").status_code == 400
    with site.server.database.reading() as session:
        assert [each.address for each in session.scalars(select(Invitation))] == [None]
    assert "E-mail of a new member" not in captain.get("/team").text


def test_an_announcement_goes_to_members_with_a_verified_address_and_is_dropped_when_withdrawn(
    mail_site, team
):
    olga = mail_site.organiser()
    mail_site.verified("cyn")  # in no team
    olga.post(
        "/desk/announcements", title="New\nreferences\r\nBcc: eve@example.org", text="Two were **corrected**."
    )
    (mail,) = mail_site.mails(kind="announcement")
    assert mail.address == "bob@example.org"
    assert mail.subject.endswith(": New references Bcc: eve@example.org")
    assert "Bcc" not in shown(mail_site, mail)
    olga.post("/desk/announcements/1/withdraw")
    (mail,) = mail_site.mails(kind="announcement")
    assert (mail.state, mail.text, mail.why) == ("dropped", "", "it was withdrawn")


@pytest.mark.parametrize(("state", "words"), [("refused", "is refused"), ("failed", "has failed")])
def test_a_team_gets_one_mail_of_what_became_of_a_submission(mail_site, team, clock, state, words):
    captain, _ = team
    number = mail_site.submit(captain, mail_site.zip_of())
    assert mail_site.mails(kind="result") == []
    with mail_site.server.database.writing() as session:
        change_state(session, clock(), number, state, error="0007.png is missing")
    (mail,) = mail_site.mails(kind="result")
    assert mail.address == "bob@example.org"
    assert words in mail.subject
    assert "0007.png is missing" in mail.text
    assert f"{ADDRESS}{HERE}/submissions/{number}" in mail.text


def test_a_team_that_withdraws_gets_no_mail_about_it(mail_site, team):
    captain, _ = team
    number = mail_site.submit(captain, mail_site.zip_of())
    captain.post(f"/submissions/{number}/withdraw")
    with mail_site.server.database.reading() as session:
        assert session.get_one(Submission, number).state == "withdrawn"
    assert mail_site.mails(kind="result") == []


def test_members_of_finalists_are_invited_to_the_final(mail_site, team):
    olga = mail_site.organiser()
    with mail_site.server.database.writing() as session:
        (row,) = session.scalars(select(Team))
        row.state, number = "approved", row.id
    assert olga.post("/desk/finalists", teams=str(number)).status_code == 303
    (mail,) = mail_site.mails(kind="final")
    assert (mail.address, mail.what) == ("bob@example.org", "finalist 1")


def test_judges_are_mailed_their_links_and_reminders(mail_site):
    world = World(
        database=mail_site.server.database, definition=mail_site.definition, now=mail_site.clock.now
    )
    made = StudyWorld(world=world, phase="final", data_set="final-unpaired", board_phase="feedback")
    for team in ("Alpha", "Beta"):
        made.finalist(team, score=70.0)
    made.build()
    olga = mail_site.organiser()
    page = olga.post("/desk/studies/1/judges", lines="Jürg & Co, jim@example.org\nAnne").text
    (mail,) = mail_site.mails(kind="judge")
    path = mail_site.link("judge", "jim@example.org")
    assert path in page
    assert "mailed to jim@example.org" in page
    assert "Dear Jürg &amp; Co" in shown(mail_site, mail).get_body(["html"]).get_content()
    for _ in range(2):
        assert "mailed to" in olga.post("/desk/studies/1/judges/1/remind").text
    assert len(mail_site.mails(kind="reminder")) == 2
    with mail_site.server.database.writing() as session:
        refuse_kind(session, mail_site.clock.now, "reminder", "jim@example.org")
    assert "mailed to" not in olga.post("/desk/studies/1/judges/1/remind").text
    assert mail_site.visitor().get(path.removeprefix(HERE)).status_code in {200, 303}


def test_who_is_given_an_office_gets_a_mail_at_a_verified_address(mail_site):
    olga = mail_site.organiser()
    mail_site.verified("bob")
    mail_site.user("eve", email="eve@example.org")
    for login in ("bob", "eve"):
        assert olga.post("/desk/appointments", login=login, role="judge").status_code == 303
    (mail,) = mail_site.mails(kind="office")
    assert mail.address == "bob@example.org"
    assert "you are a judge" in mail.subject
    assert f"{ADDRESS}{HERE}/" in mail.text


def test_a_shut_account_gets_no_more_mail(mail_site, team):
    olga = mail_site.organiser()
    with mail_site.server.database.reading() as session:
        bob = session.scalars(select(User.id).where(User.login == "bob")).one()
    olga.post(f"/desk/users/{bob}", is_disabled="true")
    olga.post("/desk/announcements", title="News", text="None.")
    assert mail_site.mails(kind="announcement") == []
