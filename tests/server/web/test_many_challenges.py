"""Several challenges on one server: each at its address, its people's and nobody else's."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from many_site import IDS, Somebody, demand, office, write_challenges
from page_form import check_well_made
from raim.errors import BackupError, ChallengeError, InputError, StateError, UnknownNameError
from raim.server.actions.challenge_folders import find_challenges
from raim.server.backup import make_backup, recover_backup
from raim.server.database import (
    Announcement,
    AuditEvent,
    Challenge,
    EntryResult,
    Member,
    Submission,
    Team,
    User,
    WorkerHeartbeat,
    announce_change,
)
from raim.server.jobs.context import start_heartbeat
from raim.server.serving import open_server
from raim.server.settings import read_settings
from raim.server.study.closed_folder import open_material
from server_site import ADDRESS, PASSWORD, Clock, Site


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "all"
    write_challenges(folder)
    made = Site(folder, Clock())
    yield made
    made.server.database.engine.dispose()


@pytest.fixture
def admin(site):
    person = Somebody(site)
    path = site.first_link.removeprefix(ADDRESS)
    assert person.post(path, login="root", password=PASSWORD).status_code == 303
    return person


def test_the_first_page_lists_the_challenges_and_each_has_its_own(site):
    page = Somebody(site).get("/").text
    assert [name for name in IDS if f'href="/c/{name}/"' in page] == list(IDS)
    for name in IDS:
        assert f"Challenge {name}" in Somebody(site).get(f"/c/{name}/").text
    listed = Somebody(site).get("/api/v1/challenges").json()
    assert sorted(each["id"] for each in listed) == sorted(IDS)
    assert {each["status"] for each in listed} == {"open"}


def test_one_account_is_in_teams_of_several_challenges_and_judge_in_another(site):
    ada = Somebody(site).registers("ada").makes_team("denoising", "Team A").makes_team("moire", "Team B")
    office(site, "ada", "night")
    assert "Team A" in ada.get("/c/denoising/team").text
    assert "Team B" in ada.get("/c/moire/team").text
    assert ada.get("/c/night/desk").status_code == 200
    assert ada.get("/c/moire/desk").status_code == 403
    assert ada.get("/c/night/team").headers["location"] == "/c/night/team/new"


@pytest.fixture
def secret(site):
    """Fill the challenge "moire" with what nobody of another one may come to know; give its numbers and names."""
    bob = Somebody(site).registers("secret-bob", on="/c/moire/").makes_team("moire", "Secret Team")
    Somebody(site).registers("secret-eve", on="/c/moire/")
    now = site.clock()
    with site.server.database.writing() as session:
        challenge = site.server.challenge(session, "moire")
        team = session.scalars(select(Team).where(Team.name == "Secret Team")).one()
        member_id = session.execute(select(User.id).where(User.login == "secret-bob")).scalar_one()
        session.add(
            Announcement(
                challenge_id=challenge.id,
                author_id=member_id,
                title="Secret news",
                text="Secret words",
                published_at=None,
                withdrawn_at=None,
            )
        )
        member = session.scalars(select(Member).where(Member.team_id == team.id)).one()
        row = Submission(
            team_id=team.id, phase_id=challenge.phase_ids["feedback"],
            data_set_id=challenge.data_set_ids["feedback-pairs"],
            member_id=member.id, kind="scored", state="failed", received_at=now, state_at=now, committed_bytes=1,
            committed_sha256="5" * 64, takes_try=True, error="Secret failure", note="Secret note",
            flags={"same-file": "Secret flag"},
        )  # fmt: skip
        session.add(row)
        session.flush()
        numbers = {"submission_id": row.id, "team_id": team.id, "announcement_id": 1, "member_id": member.id}
    return bob, numbers


def test_what_is_said_of_an_unknown_challenge_and_of_a_draft_is_the_same(site, admin):
    with site.server.database.writing() as session:
        session.scalars(select(Challenge).where(Challenge.slug == "night")).one().status = "draft"
        announce_change(session, None)
    visitor = Somebody(site)
    for path in ("/", "/rules", "/desk", "/leaderboard"):
        there, not_there = visitor.get(f"/c/night{path}"), visitor.get(f"/c/never{path}")
        assert there.status_code == not_there.status_code == 404
        number = there.headers["X-Request-ID"], not_there.headers["X-Request-ID"]
        assert there.text.replace("night", "never").replace(*number) == not_there.text
    assert "/c/night/" not in visitor.get("/").text
    assert admin.get("/c/night/").status_code == 200
    assert "/c/night/" in admin.get("/").text


@pytest.mark.parametrize(("status", "organiser_may"), [("paused", True), ("retired", False)])
def test_a_paused_challenge_is_changed_by_organisers_only_and_a_retired_one_by_nobody(
    site, admin, status, organiser_may
):
    mia = Somebody(site).registers("mia").makes_team("night", "Owls")
    with site.server.database.writing() as session:
        session.scalars(select(Challenge).where(Challenge.slug == "night")).one().status = status
        announce_change(session, None)
    refused = mia.post("/c/night/team/invitations")
    assert refused.status_code == 409
    assert status in refused.text
    assert mia.get("/c/night/team").status_code == 200
    answer = admin.post("/c/night/desk/announcements", title="Hello", text="Text")
    assert (answer.status_code == 303) == organiser_may
    mia.makes_team("moire", "Owls")


def test_a_token_for_one_challenge_is_good_for_no_other(site):
    ada = Somebody(site).registers("ada").makes_team("denoising", "A").makes_team("moire", "B")
    page = ada.post("/account/tokens", name="all")
    everywhere = re.search(r"raim_api_[\w-]+", page.text)[0]
    page = ada.post("/account/tokens", name="one", challenge="moire")
    one = re.search(r"raim_api_[\w-]+", page.text)[0]
    visitor = Somebody(site).client

    def team(token, challenge):
        headers = {"Authorization": f"Bearer {token}"}
        return visitor.get(f"/api/v1/c/{challenge}/team", headers=headers).status_code

    assert [team(everywhere, each) for each in ("denoising", "moire")] == [200, 200]
    assert [team(one, each) for each in ("denoising", "moire")] == [401, 200]


def test_a_change_in_one_challenge_raises_no_others_version(site):
    def versions():
        with site.server.database.reading() as session:
            return dict(session.execute(select(Challenge.slug, Challenge.version)).all())

    before = versions()
    Somebody(site).registers("ada").makes_team("moire", "A")
    after = versions()
    assert after["moire"] > before["moire"]
    assert {name: after[name] for name in ("denoising", "night")} == {
        name: before[name] for name in ("denoising", "night")
    }


def test_a_board_that_is_kept_is_the_challenges_own_though_counters_and_phases_are_alike(site, secret):
    with site.server.database.writing() as session:
        row = session.scalars(select(Submission)).one()
        row.state = "scored"
        session.get(Team, row.team_id).state = "approved"
        references = site.server.challenge(session, "moire").newest["feedback-pairs"][1]
        session.add(
            EntryResult(
                submission_id=row.id,
                scorer_version=site.server.challenge(session, "moire").scorer_version,
                reference_version=references,
                scored_at=site.clock(),
                n_images=1,
                n_scored=1,
                unscorable=None,
                scenarios={},
                score=61.25,
                measures={},
            )
        )
    with site.server.database.writing() as session:
        session.execute(update(Challenge).values(version=1000))
    boards = {name: Somebody(site).get(f"/c/{name}/leaderboard/feedback").text for name in ("moire", "night")}
    assert "Secret Team" in boards["moire"]
    assert "Secret Team" not in boards["night"]
    assert "/c/moire/" not in boards["night"]


def test_two_files_with_one_id_are_an_error_that_names_both(tmp_path):
    write_challenges(tmp_path, ("a", "b"))
    file = tmp_path / "b" / "challenge.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('id = "b"', 'id = "a"'), encoding="utf-8")
    with pytest.raises(ChallengeError, match=r"a/challenge.toml and b/challenge.toml have one id, 'a'"):
        find_challenges(tmp_path)


def test_a_challenge_with_problems_takes_down_no_other(tmp_path):
    write_challenges(tmp_path, ("a", "b"))
    (tmp_path / "b" / "challenge.toml").write_text("id = 1", encoding="utf-8")
    opened = open_server(read_settings({"RAIM_KEEP_FREE_BYTES": "0"}, folder=tmp_path), clock=Clock())
    assert [each.definition.id for each in opened.challenges] == ["a"]
    assert opened.problems["b"]
    opened.server.database.engine.dispose()


def test_another_challenge_in_a_folder_is_refused_and_the_rest_is_served(tmp_path):
    write_challenges(tmp_path, ("a", "b"))
    settings = read_settings({"RAIM_KEEP_FREE_BYTES": "0"}, folder=tmp_path)
    open_server(settings, clock=Clock()).server.database.engine.dispose()
    file = tmp_path / "b" / "challenge.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('id = "b"', 'id = "c"'), encoding="utf-8")
    opened = open_server(settings, clock=Clock())
    assert sorted(each.definition.id for each in opened.challenges) == ["a", "b"]
    assert "its folder was that of 'b'" in opened.problems["b"][0]
    opened.server.database.engine.dispose()


def test_a_judges_link_opens_nothing_in_another_challenge(site):
    visitor = Somebody(site)
    assert visitor.get("/c/moire/judge/raim_judge_none").status_code == 404
    assert visitor.get("/c/moire/judging").status_code == 403


def test_the_registration_asks_what_the_challenge_asks_that_one_comes_from(site):
    page = Somebody(site).get("/register?following=/c/moire/")
    assert "Challenge moire" in page.text
    assert 'name="following" value="/c/moire/"' in page.text
    assert "Restoration challenges" in Somebody(site).get("/register").text
    answer = Somebody(site).post(
        "/register", login="eva", password=PASSWORD, consent="yes", following="/c/moire/"
    )
    assert answer.headers["location"] == "/c/moire/?note=welcome"


def test_a_second_challenge_asks_for_its_consent_and_address_when_a_team_is_made_or_joined(site):
    demand(site, "moire", "email_required = false", "email_required = true")
    demand(site, "night", "My name,", "Of the night: my name,")
    ada = Somebody(site).registers("ada", on="/c/denoising/").makes_team("night", "Owls")
    link = re.search(r"/c/night/join/[\w-]+", ada.post("/c/night/team/invitations").text)[0]
    bob = Somebody(site).registers("bob", on="/c/denoising/")
    for page, fields in (("/c/night/team/new", {"name": "Bats"}), (link, {})):
        shown = bob.get(page).text
        assert "Of the night: my name," in shown
        check_well_made(shown, page)
        refused = bob.post(page, **fields)
        assert (refused.status_code, "Challenge night needs your consent" in refused.text) == (400, True)
        assert "Of the night" not in bob.get(page.replace("night", "denoising")).text
    elsewhere = bob.post(link.replace("night", "moire"), consent="yes")
    assert (elsewhere.status_code, "asks for an e-mail" in elsewhere.text) == (400, True)
    assert bob.post(link.replace("night", "denoising")).status_code == 409  # it is of another challenge
    assert bob.post(link, consent="yes").status_code == 303
    assert "account&#39;s page</a> first" in bob.get("/c/moire/team/new").text.replace("'", "&#39;")
    refused = bob.post("/c/moire/team/new", name="Bats", consent="yes")
    assert (refused.status_code, "asks for an e-mail address" in refused.text) == (400, True)
    bob.post("/account/email", email="bob@example.org", present_password=PASSWORD)
    bob.makes_team("moire", "Bats")
    site.clock.move(hours=1)
    assert bob.post("/c/denoising/team/new", name="Bats").status_code == 303  # the registration has asked
    with site.server.database.reading() as session:
        moments = dict(
            session.execute(
                select(Challenge.slug, Member.consented_at)
                .join(Challenge, Challenge.id == Member.challenge_id)
                .join(User, User.id == Member.user_id)
                .where(User.login == "bob")
            ).all()
        )
    assert moments == dict.fromkeys(IDS, site.clock() - timedelta(hours=1))
    office(site, "ada", "night")
    users = ada.get("/c/night/desk/exports/users.csv").text.splitlines()
    column = users[0].split(",").index("consented_at")
    assert {line.split(",")[1]: line.split(",")[column] for line in users[1:]} == {"ada": "", "bob": ""}
    assert "2026-04-01T12:00:00" in ada.get("/c/night/desk/exports/members.csv").text


def test_a_challenge_that_is_put_beside_the_others_is_served_as_a_draft_and_opened(site, admin):
    write_challenges(site.folder, ("dusk",))
    (site.folder / "broken").mkdir()
    (site.folder / "broken" / "challenge.toml").write_text("id = 1", encoding="utf-8")
    assert admin.post("/admin/look").headers["location"] == "/admin?note=looked"
    page = admin.get("/admin").text
    assert "Challenge dusk" in page
    assert "<code>broken</code> cannot be taken" in page
    assert Somebody(site).get("/c/dusk/").status_code == 404
    assert admin.post("/admin/challenges/dusk", status="open").status_code == 303
    assert Somebody(site).get("/c/dusk/").status_code == 200
    assert admin.post("/admin/challenges/dusk", status="shut").status_code == 422
    assert admin.post("/admin/challenges/never", status="open").status_code == 404
    admin.post("/admin/challenges/dusk", status="retired")
    assert "/c/dusk/" not in Somebody(site).get("/").text
    assert Somebody(site).get("/c/dusk/").status_code == 200


def test_administrators_see_every_challenge_in_figures_and_nobody_else_does(site, admin, secret):
    numbers = admin.get("/api/v1/admin").json()
    by_id = {each["id"]: each for each in numbers["challenges"]}
    assert sorted(by_id) == sorted(IDS)
    assert (by_id["moire"]["n_teams"], by_id["moire"]["n_submissions"], by_id["moire"]["n_failed"]) == (
        1,
        1,
        1,
    )
    assert by_id["night"]["n_teams"] == by_id["night"]["n_submissions"] == 0
    assert secret[0].get("/admin").status_code == 403
    check_well_made(admin.get("/admin").text, "/admin")
    check_well_made(admin.get("/admin/users").text, "/admin/users")


def test_the_desk_shows_which_worker_serves_what_and_the_server_what_nobody_serves(site, admin, secret):
    with site.server.database.writing() as session:
        start_heartbeat(session, site.clock(), "lent", ["moire", "night"])
        session.query(Submission).one().state = "queued"
    moire = admin.get("/c/moire/desk").text
    assert "<td>moire</td>" in moire
    assert "night" not in re.search('id="queue".*', moire, flags=re.DOTALL)[0]
    assert "No worker serves this challenge" in admin.get("/c/denoising/desk").text
    page = admin.get("/admin").text
    assert "<td>moire, night</td>" in page
    check_well_made(page, "/admin")
    numbers = {each["id"]: each["n_workers"] for each in admin.get("/api/v1/admin").json()["challenges"]}
    assert numbers == {"moire": 1, "night": 1, "denoising": 0}
    assert "nobody serves it" not in page
    with site.server.database.writing() as session:
        session.get_one(WorkerHeartbeat, "lent").challenges = ["night"]
    assert admin.get("/admin").text.count("nobody serves it") == 1


def test_administrators_see_what_is_kept_and_set_quotas(site, admin):
    ada = Somebody(site).registers("ada").makes_team("moire", "Team ada")
    numbers = admin.get("/api/v1/admin").json()
    kept = {each["id"]: each["kept"] for each in numbers["challenges"]}
    assert {each["n_bytes"] for each in kept.values()} == {
        numbers["kept"]["n_bytes"]
    }  # all have the same images
    assert min(numbers["bundle_bytes"].get(each["id"], 0) for each in numbers["challenges"]) > 0
    assert admin.post("/admin/challenges/moire", quota_gib="-1").status_code == 422
    assert ada.post("/admin/challenges/moire", quota_gib="1").status_code == 403
    for asked, quota in (("1.5", 3 * 2**29), ("1e-9", 1), ("0", None), ("2", 2**31)):
        admin.post("/admin/challenges/moire", quota_gib=asked)
        now = {each["id"]: each["kept"] for each in admin.get("/api/v1/admin").json()["challenges"]}
        assert now == kept | {"moire": kept["moire"] | {"quota_bytes": quota}}
    check_well_made(admin.get("/admin").text, "/admin")
    assert "of at most 2.0 GiB" in admin.get("/c/moire/desk").text
    assert "of at most" not in admin.get("/c/night/desk").text
    with site.server.database.reading() as session:
        assert site.server.challenge(session, "moire").status == "open"
        actions = session.scalars(select(AuditEvent.action).where(AuditEvent.action == "set quota")).all()
    assert len(actions) == 4


def test_administrators_change_any_account(site, admin):
    ada = Somebody(site).registers("ada")
    with site.server.database.reading() as session:
        number = session.scalars(select(User.id).where(User.login == "ada")).one()
    assert ada.get("/admin").status_code == 403
    admin.post(f"/admin/users/{number}", is_administrator="true")
    assert ada.get("/c/night/desk").status_code == 200
    assert "/reset/" in admin.post(f"/admin/users/{number}/reset").text
    admin.post(f"/admin/users/{number}", is_administrator="false", is_disabled="true")
    assert ada.get("/c/night/desk").headers["location"].startswith("/login")


SERIES = """
name = "Workshop on restoration"
tagline = "Three challenges"
description = "All **together**."
rules = "One rule for all."
url = "https://example.org/workshop"
accent = "#5b2a86"
"""


def test_a_series_gives_its_challenges_a_page_a_look_and_rules(site, admin, secret):
    (site.folder / "series.toml").write_text(SERIES, encoding="utf-8")
    admin.post("/admin/look")
    with site.server.database.writing() as session:
        row = session.scalars(select(Submission)).one()
        row.state = "scored"
        team = session.get(Team, row.team_id)
        team.state = "approved"
        challenge = site.server.challenge(session, "moire")
        version, references = challenge.newest["feedback-pairs"]
        session.add(
            EntryResult(
                submission_id=row.id,
                scorer_version=version,
                reference_version=references,
                scored_at=site.clock(),
                n_images=1,
                n_scored=1,
                unscorable=None,
                scenarios={},
                score=61.25,
                measures={},
            )
        )
        announce_change(session, None)
    visitor = Somebody(site)
    page = visitor.get("/").text
    check_well_made(page, "/")
    for words in (
        "Workshop on restoration",
        "<strong>together</strong>",
        "One rule for all.",
        "Secret Team, 61.25",
    ):
        assert words in page
    assert "One rule for all." in visitor.get("/c/night/rules").text
    assert "/series.css" in visitor.get("/c/night/").text
    style = visitor.get("/series.css")
    assert (style.headers["content-type"], "--accent: #5b2a86" in style.text) == (
        "text/css; charset=utf-8",
        True,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tagline = 'x'", "has no 'name'"),
        ("name = 'x'\naccent = 'red'", "expected a colour"),
        ("name = 'x'\nurl = 'javascript:x'", "begins with https://"),
        ("name = 'x'\ncolor = '#000000'", "no key 'color'"),
        ("name = ", "not TOML"),
    ],
)
def test_a_series_with_problems_is_reported_and_takes_down_nothing(site, admin, text, words):
    (site.folder / "series.toml").write_text(text, encoding="utf-8")
    admin.post("/admin/look")
    page = html.unescape(admin.get("/admin").text)
    assert "series.toml" in page
    assert words in page
    assert Somebody(site).get("/").status_code == 200


def test_one_makes_a_team_in_several_challenges_at_once_in_all_or_in_none(site):
    Somebody(site).registers("bob").makes_team("night", "Owls")
    ada = Somebody(site).registers("ada").makes_team("moire", "Moths")
    page = ada.get("/enrol").text
    assert 'value="denoising"' in page
    assert 'value="moire"' not in page
    both = ["denoising", "night"]
    refused = ada.post("/enrol", name="Owls", challenges=both, consents=both)
    assert refused.status_code == 409
    assert ada.get("/c/denoising/team").status_code == 303
    assert ada.post("/enrol", name="Bats").status_code == 422
    assert ada.post("/enrol", name="Bats", challenges=["never"]).status_code == 404
    refused = ada.post("/enrol", name="Bats", challenges=both, consents=["denoising"])
    assert "Challenge night needs your consent" in refused.text
    check_well_made(refused.text, "/enrol")
    assert ada.get("/c/denoising/team").status_code == 303
    assert ada.post("/enrol", name="Bats", challenges=both, consents=both).status_code == 303
    assert "Bats" in ada.get("/c/denoising/team").text
    assert "Bats" in ada.get("/c/night/team").text


def test_mail_of_one_challenge_reaches_nobody_of_another_and_the_servers_names_none(tmp_path):
    folder = tmp_path / "all"
    write_challenges(folder, ("moire", "night"))
    mail = {"RAIM_SMTP_URL": "smtp://localhost", "RAIM_MAIL_FROM": "raim@example.org"}
    site = Site(folder, Clock(), **mail)
    admin = Somebody(site)
    admin.post(site.first_link.removeprefix(ADDRESS), login="root", password=PASSWORD)
    for login, challenge in (("ada", "moire"), ("bob", "night")):
        person = Somebody(site)
        email = f"{login}@example.org"
        person.post(
            "/register",
            login=login,
            password=PASSWORD,
            consent="yes",
            email=email,
            following=f"/c/{challenge}/",
        )
        person.post(site.link("verify", email))
        person.makes_team(challenge, f"Team {login}")
    admin.post("/c/moire/desk/announcements", title="Of moire", text="None.")
    assert [(each.address, each.subject) for each in site.mails(kind="announcement")] == [
        ("ada@example.org", "Challenge moire: Of moire")
    ]
    assert not any("Challenge" in each.subject + each.text for each in site.mails(kind="verify"))
    shown = {each: admin.get(f"/c/{each}/desk/mail").text for each in ("moire", "night")}
    assert ("ada@example.org" in shown["moire"], "bob@example.org" in shown["moire"]) == (True, False)
    assert ("ada@example.org" in shown["night"], "bob@example.org" in shown["night"]) == (False, True)
    assert admin.post("/c/night/desk/mail/3/retry").status_code == 404
    site.server.database.engine.dispose()


def test_the_servers_mail_does_not_name_its_only_challenge_while_it_is_a_draft(tmp_path):
    folder = tmp_path / "all"
    write_challenges(folder, ("moire",))
    site = Site(folder, Clock(), RAIM_SMTP_URL="smtp://localhost", RAIM_MAIL_FROM="raim@example.org")
    Somebody(site).post("/register", login="ada", password=PASSWORD, consent="yes", email="ada@example.org")
    with site.server.database.writing() as session:
        row = session.scalars(select(Challenge)).one()
        row.status = "draft"
        announce_change(session, row.id)
    Somebody(site).post("/register", login="bob", password=PASSWORD, consent="yes", email="bob@example.org")
    subjects = [each.subject for each in site.mails(kind="verify")]
    assert subjects == ["Verify your address for Challenge moire", "Verify your address for 127.0.0.1"]
    site.server.database.engine.dispose()


def test_a_backup_brings_every_challenge_back_into_its_folder(site, secret, tmp_path):
    (site.folder / "series.toml").write_text(SERIES, encoding="utf-8")
    make_backup(site.server.settings, tmp_path / "all.zip", now=site.clock())
    settings = read_settings({"RAIM_KEEP_FREE_BYTES": "0"}, folder=tmp_path / "again")
    (note,) = recover_backup(tmp_path / "all.zip", settings, now=site.clock()).notes
    assert "5" * 64 in note  # the submission's file, which was never there
    opened = open_server(settings, clock=site.clock)
    assert sorted(each.definition.id for each in opened.challenges) == sorted(IDS)
    assert opened.problems == {}
    pictures = "data/feedback-pairs/input/0001.png"
    for name in IDS:
        assert (settings.folder / name / pictures).read_bytes() == (
            site.folder / name / pictures
        ).read_bytes()
    with opened.server.database.reading() as session:
        assert opened.server.hosted(session).series.name == "Workshop on restoration"
        assert session.scalars(select(Team.name)).all() == ["Secret Team"]
    opened.server.database.engine.dispose()


def test_a_backup_whose_challenge_would_leave_the_folder_is_refused(site, tmp_path):
    with site.server.database.writing() as session:
        session.scalars(select(Challenge).where(Challenge.slug == "night")).one().folder = "../night"
    make_backup(site.server.settings, tmp_path / "all.zip", now=site.clock())
    settings = read_settings({}, folder=tmp_path / "again")
    with pytest.raises(BackupError, match="outside of the server's folder"):
        recover_backup(tmp_path / "all.zip", settings, now=site.clock())
    assert not (tmp_path / "night").exists()


def test_a_report_names_the_challenge_where_there_are_several(site):
    def report(**named):
        with open_material(site.server.settings, now=site.clock(), **named):
            pass

    for named, error, words in (
        ({}, InputError, "denoising, moire, night\\); name one with --challenge"),
        ({"challenge_id": "nihgt"}, UnknownNameError, "did you mean 'night'"),
        ({"challenge_id": "night"}, StateError, r"has a \[study\], and none is revealed"),
    ):
        with pytest.raises(error, match=words):
            report(**named)


def test_the_file_of_one_of_several_challenges_is_read_again_from_its_own_folder(site, admin):
    file = site.folder / "night" / "challenge.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('name = "Challenge night"', 'name = "By night"', 1), encoding="utf-8")
    assert "challenge.toml was read" in admin.post("/c/night/desk/challenge/read").text
    assert "By night" in Somebody(site).get("/c/night/").text
    assert "By night" not in Somebody(site).get("/c/moire/").text
