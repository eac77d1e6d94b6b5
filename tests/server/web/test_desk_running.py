import csv
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from desk_world import World
from raim.errors import InputError
from raim.server.actions.checklist import BY_HAND
from raim.server.database import Finalist, Phase, Submission
from raim.server.web.routes.desk import parse_time


@pytest.fixture
def olga(site):
    return site.organiser()


@pytest.fixture
def world(site):
    return World(database=site.server.database, definition=site.definition, now=site.clock.now)


def phase_row(world, slug="feedback"):
    with world.database.reading() as session:
        row = session.scalars(select(Phase).where(Phase.slug == slug)).one()
        session.expunge(row)
        return row


def edit(site, old, new):
    path = site.folder / "challenge.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_dates_are_typed_in_the_challenges_zone_and_shown_beside_the_files(site, world, olga):
    before = phase_row(world)
    longer = before.closes_at - timedelta(hours=5)
    answer = olga.post(
        "/desk/phases/feedback",
        zone="UTC",
        opens=f"{before.opens_at:%Y-%m-%dT%H:%M}",
        closes=f"{longer:%Y-%m-%dT%H:%M}",
    )
    assert answer.headers["location"] == "/desk/phases?note=saved"
    row = phase_row(world)
    assert (row.closes_at, row.stated_closes_at) == (longer, before.closes_at)
    page = olga.get("/desk/phases").text
    assert longer.isoformat() in page
    assert before.closes_at.isoformat() in page
    assert f"{longer:%Y-%m-%d %H:%M}" in site.visitor().get("/").text


def test_an_extension_stands_beside_the_phase_for_everybody_and_added_tries_beside_a_teams(site, world, olga):
    opens, closes = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    with site.server.database.writing() as session:
        session.execute(update(Phase).where(Phase.slug == "final").values(opens_at=opens, closes_at=closes))
    before = phase_row(world)
    later = before.closes_at + (before.closes_at - before.opens_at)
    wanted = {"closes": f"{later:%Y-%m-%dT%H:%M}", "zone": "UTC", "reason": "the <network> was down"}
    answer = olga.post("/desk/phases/feedback/extend", **wanted)
    assert answer.status_code == 422  # what becomes of tries is chosen, never assumed
    assert "the &lt;network&gt; was down</textarea>" in answer.text
    answer = olga.post("/desk/phases/feedback/extend", **wanted, tries="pro rata")
    assert answer.headers["location"] == "/desk/phases?note=extended"
    for person in (olga, site.visitor()):
        page = person.get("/").text
        assert "the &lt;network&gt; was down" in page
        assert f"{before.closes_at:%Y-%m-%d %H:%M}" in page
    found = site.visitor().get("/api/v1/challenge").json()["phases"]
    (said,) = next(each for each in found if each["id"] == "feedback")["extensions"]
    assert (said["reason"], said["tries"]) == ("the <network> was down", "pro rata")
    ada = site.member("ada")
    assert "(60 added by extension)" in ada.get("/submit").text
    scored = ada.api("GET", "/me").json()["intakes"]["feedback"][0]
    assert (scored["tries_in_all"], scored["left_in_all"]) == (120, 120)


def test_dates_that_were_not_changed_stay_to_the_second_and_in_the_second_of_two_hours(site, world, olga):
    edit(site, 'timezone = "UTC"', 'timezone = "Europe/Zurich"')
    olga.post("/desk/challenge/read")
    opens, closes = datetime(2026, 4, 1, 9, 59, 59, 5, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    with (
        site.server.database.writing() as session
    ):  # the clocks show 02:30 for the second time when it closes
        session.execute(
            update(Phase)
            .where(Phase.slug == "final")
            .values(closes_at=closes + timedelta(days=9), opens_at=closes)
        )
        session.execute(
            update(Phase).where(Phase.slug == "feedback").values(opens_at=opens, closes_at=closes)
        )
    shown = re.findall(r'name="(?:opens|closes)" value="([^"]*)"', olga.get("/desk/phases").text)
    at = shown.index("2026-04-01T11:59:59")
    assert shown[at + 1] == "2026-10-25T02:30:00"
    for typed in (shown[at + 1], shown[at + 1].removesuffix(":00")):  # browsers leave seconds out that are 0
        answer = olga.post("/desk/phases/feedback", opens=shown[at], closes=typed, zone="Europe/Zurich")
        assert answer.headers["location"] == "/desk/phases?note=saved"
        row = phase_row(world)
        assert (row.opens_at, row.closes_at) == (opens, closes)
    olga.post("/desk/phases/feedback", opens="2026-04-01T11:58:57", zone="Europe/Zurich")
    assert (phase_row(world).opens_at, phase_row(world).closes_at) == (
        opens.replace(minute=58, second=57, microsecond=0),
        closes,
    )


@pytest.mark.parametrize(
    ("opens", "closes", "reason"),
    [
        ("2026-04-01T12:00", "2026-03-01T12:00", "before it opens"),
        ("soon", "2026-04-01T12:00", "is no time"),
        ("2026-01-01T12:00", "2026-06-01T12:00", "would overlap"),
        ("2026-04-01T12:00+02:00", "2026-04-02T12:00", "a zone of its own"),
        ("0001-01-01T00:00", "9999-12-31T23:59", "overlap"),
        ("", "", "is no time"),
    ],
)
def test_dates_that_cannot_be_are_shown_again_with_the_reason(world, olga, opens, closes, reason):
    before = phase_row(world)
    answer = olga.post("/desk/phases/feedback", opens=opens, closes=closes, zone="UTC")
    assert answer.status_code == 400
    assert reason in answer.text
    assert f'value="{closes}"' in answer.text or not closes
    assert phase_row(world).closes_at == before.closes_at


def test_the_boards_page_and_the_rules_say_which_entry_of_a_team_counts(site, world, olga):
    everybody = site.visitor()
    assert "The best entry of each team counts." in everybody.get("/leaderboard/feedback").text
    edit(site, 'counts = "best"                             # of', 'counts = "last"  # of')
    olga.post("/desk/challenge/read")
    for path in ("/leaderboard/feedback", "/rules"):
        assert "The last entry of each team that has a score counts." in everybody.get(path).text
    assert everybody.get("/api/v1/leaderboard/feedback").json()["counts"] == "last"


def test_the_rules_say_what_the_profile_is(site, world):
    assert f"</code>: {world.challenge().profile.note}." in unescape(site.visitor().get("/rules").text)


def test_an_hour_that_the_clocks_leave_out_is_refused_and_one_that_comes_twice_is_the_first():
    zone = ZoneInfo("Europe/Zurich")
    with pytest.raises(InputError, match="the clocks are put forward"):
        parse_time("2026-03-29T02:30", zone)
    assert parse_time("2026-10-25T02:30", zone) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_paused_phase_takes_nothing_until_it_is_resumed(site, world, olga):
    ada = site.member("ada")
    assert (
        olga.post("/desk/phases/feedback", is_paused="true").headers["location"] == "/desk/phases?note=saved"
    )
    assert "paused since" in olga.get("/desk/phases").text
    assert site.begin(ada, site.zip_of()).status_code == 409
    olga.post("/desk/phases/feedback", is_paused="false")
    assert site.begin(ada, site.zip_of()).status_code == 201
    assert olga.post("/desk/phases/none", is_paused="true").status_code == 404


def test_a_changed_file_is_in_force_without_a_restart(site, world, olga):
    edit(site, 'name = "My image restoration challenge"', 'name = "Renamed"')
    answer = olga.post("/desk/challenge/read")
    assert answer.status_code == 200
    assert "is in force" in answer.text
    assert "Renamed" in site.visitor().get("/").text


def test_a_faulty_file_changes_nothing_and_every_problem_is_shown(site, world, olga):
    edit(site, 'name = "My image restoration challenge"', 'nam = "Renamed"')
    edit(site, "count = 10", "count = 0")
    answer = olga.post("/desk/challenge/read")
    assert answer.status_code == 200
    assert "did you mean" in answer.text
    assert "nothing was changed" in answer.text
    assert len(re.findall(r"challenge\.toml:\d+", answer.text)) >= 2
    assert "My image restoration challenge" in site.visitor().get("/").text


def test_another_profile_offers_scoring_all_again_and_old_results_stay(site, world, olga):
    world.team("Ada")
    number = world.submission("Ada", phase="feedback", score=71.25)
    edit(site, 'profile = "raim-2024"', 'profile = "raim-2024-printed"')
    page = olga.post("/desk/challenge/read").text
    assert "the profile is raim-2024-printed, it was raim-2024" in page
    assert "until then the leaderboard stays as it is" in page
    assert 'action="/c/my-challenge/desk/phases/feedback/rescore"' in page
    assert "71.25" in site.visitor().get("/leaderboard/feedback").text
    olga.post("/desk/phases/feedback/rescore")
    assert world.row(Submission, number).rescore_asked_at is not None
    assert "71.25" in olga.get(f"/desk/submissions/{number}").text


def test_an_announcement_is_markdown_for_everybody_until_it_is_withdrawn(site, olga):
    answer = olga.post("/desk/announcements", title="Welcome", text="It *begins*. <script>alert(1)</script>")
    assert answer.headers["location"] == "/desk/announcements?note=announced"
    visitor = site.visitor()
    page = visitor.get("/announcements").text
    assert "It <em>begins</em>." in page
    assert "<script>alert" not in page
    olga.post("/desk/announcements/1/withdraw")
    assert "begins" not in visitor.get("/announcements").text
    assert "withdrawn" in olga.get("/desk/announcements").text
    assert olga.post("/desk/announcements/9/withdraw").status_code == 404


def test_an_empty_announcement_keeps_what_was_typed(olga):
    answer = olga.post("/desk/announcements", title="Welcome", text=" ")
    assert answer.status_code == 400
    assert 'value="Welcome"' in answer.text


def board(world, **scores):
    """Put teams with one scored entry each onto the leaderboard; give their numbers."""
    numbers = {}
    for name, score in scores.items():
        numbers[name] = world.team(name)
        world.submission(name, phase="feedback", score=score)
    return numbers


def finalists(world):
    with world.database.reading() as session:
        rows = session.scalars(select(Finalist).order_by(Finalist.position, Finalist.id)).all()
        return [(row.position, row.team_id, bool(row.accepted_at), bool(row.declined_at)) for row in rows]


def test_the_first_teams_are_proposed_and_a_tie_for_the_last_place_is_shown(site, world, olga):
    edit(site, "count = 10", "count = 2")
    olga.post("/desk/challenge/read")
    teams = board(world, Ada=80.0, Bob=70.0, Cleo=70.0, Dan=60.0)
    page = olga.get("/desk/finalists").text
    checked = re.findall(r'name="teams" value="(\d+)" checked', page)
    assert checked == [str(teams["Ada"]), str(teams["Bob"])]
    assert "A tie decides the last place: Cleo shares the rank" in page
    answer = olga.client.post(
        "/desk/finalists",
        data={"teams": checked},
        follow_redirects=False,
    )
    assert answer.headers["location"] == "/desk/finalists?note=invited"
    assert finalists(world) == [(1, teams["Ada"], False, False), (2, teams["Bob"], False, False)]


def test_a_place_goes_on_to_the_next_team_and_answers_are_written_down(world, olga):
    teams = board(world, Ada=80.0, Bob=70.0, Cleo=60.0)
    for name in ("Ada", "Bob"):
        olga.post("/desk/finalists", teams=str(teams[name]))
    olga.post("/desk/finalists/1/answer", accepts="true")
    olga.post("/desk/finalists/2/answer", accepts="false")
    page = olga.get("/desk/finalists").text
    offered = page[page.index('id="replace-2"') :].split("</select>")[0]
    assert re.findall(r'value="(\d+)"', offered) == [str(teams["Cleo"])]
    answer = olga.post("/desk/finalists/2/replace", team_id=str(teams["Cleo"]))
    assert answer.headers["location"] == "/desk/finalists?note=replaced"
    assert finalists(world) == [
        (1, teams["Ada"], True, False),
        (2, teams["Bob"], False, True),
        (2, teams["Cleo"], False, False),
    ]
    again = olga.post("/desk/finalists/2/replace", team_id=str(teams["Cleo"]))
    assert again.status_code == 400
    assert "is or was a finalist already" in again.text


@pytest.mark.parametrize(
    ("path", "fields", "reason"),
    [
        ("/desk/finalists", {}, "no team is ticked"),
        ("/desk/finalists", {"teams": "999"}, "is no approved team"),
        ("/desk/finalists/1/answer", {"accepts": "maybe"}, "valid boolean"),
    ],
)
def test_what_cannot_be_decided_about_finalists_shows_the_page_with_the_reason(
    world, olga, path, fields, reason
):
    (ada,) = board(world, Ada=80.0).values()
    olga.post("/desk/finalists", teams=str(ada))
    answer = olga.post(path, **fields)
    assert answer.status_code in {400, 422}
    assert reason in answer.text
    assert "<h1>Finalists</h1>" in answer.text


def test_a_finalist_who_is_not_there_is_not_there(olga):
    for path, fields in (("answer", {"accepts": "true"}), ("replace", {"team_id": "1"})):
        answer = olga.post(f"/desk/finalists/9/{path}", **fields)
        assert answer.status_code == 404
        assert "no finalist 9" in answer.text


def test_points_by_hand_are_ticked_by_name_and_taken_back(olga):
    left = len(BY_HAND)
    page = olga.get("/desk/checklist").text
    before = int(re.search(r"(\d+) points are left", page)[1])
    assert before > left
    olga.post("/desk/checklist", point="prizes", is_done="true")
    page = olga.get("/desk/checklist").text
    assert f"{before - 1} points are left" in page
    assert "(olga, <time" in page
    olga.post("/desk/checklist", point="prizes", is_done="false")
    assert f"{before} points are left" in olga.get("/desk/checklist").text
    answer = olga.post("/desk/checklist", point="prices", is_done="true")
    assert answer.status_code == 404
    assert "did you mean &#39;prizes&#39;" in answer.text


def test_prizes_awards_and_sponsors_stand_beside_the_checklist(olga):
    page = olga.get("/desk/checklist").text
    for words in ("First-class award (champion)", "A camera", "Example Cameras"):
        assert words in page


def test_the_gallery_is_published_and_hidden(site, world, olga):
    visitor = site.visitor()
    assert visitor.get("/gallery").status_code == 403
    assert (
        olga.post("/desk/publish", shown_to="everybody").headers["location"] == "/desk/checklist?note=saved"
    )
    assert visitor.get("/gallery").status_code == 200
    assert (
        olga.post("/desk/publish", shown_to="organisers").headers["location"] == "/desk/checklist?note=saved"
    )
    assert visitor.get("/gallery").status_code == 403
    assert olga.post("/desk/publish", shown_to="me").status_code == 422
    assert world.actions()[-2:] == ["publish results", "hide results"]


def test_everything_comes_as_one_zip_and_each_table_alone(world, olga):
    board(world, Ada=80.0)
    answer = olga.get("/desk/exports/everything.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert "my-challenge-everything.zip" in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    names = re.findall(r'href="/c/my-challenge/desk/exports/([\w.]+)"', olga.get("/desk/exports").text)
    assert {name for name in names if name != "everything.zip"} == set(archive.namelist()) - {
        "challenge.json"
    }
    assert olga.get("/desk/exports/teams.json").json() == json.loads(archive.read("teams.json"))
    alone = olga.get("/desk/exports/leaderboards.csv")
    assert alone.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(alone.text, newline="")))
    assert [(row["rank"], row["team"], row["score"]) for row in rows] == [("1", "Ada", "80.0")]
    assert world.actions().count("export") == 3


def test_the_log_is_found_by_action_and_by_person(site, world, olga):
    site.member("ada")
    olga.post("/desk/phases/feedback", is_paused="true")
    page = olga.get("/desk/audit?action=pause+phase").text
    assert ">1 event<" in page
    assert "olga" in page
    assert "make team" in olga.get("/desk/audit?actor=ADA").text
    assert "pause phase</th>" not in olga.get("/desk/audit?actor=ada").text
    server = olga.client.get("/desk/audit", params={"actor": "the server"}).text
    assert "read challenge</th>" in server
    assert "pause phase</th>" not in server


def test_every_action_of_the_desk_leaves_its_organiser_in_the_log(site, world, olga):
    world.team("Ada", state="waiting")
    number = world.submission("Ada", phase="feedback")
    actions = {
        "/desk/teams/1": {"state": "suspended", "is_baseline": "true"},
        "/desk/users": {"login": "jim", "role": "judge"},
        "/desk/users/3/reset": {},
        "/desk/users/3": {"role": "participant", "is_disabled": "true"},
        f"/desk/submissions/{number}/rescore": {},
        f"/desk/submissions/{number}": {"is_verified": "true"},
        f"/desk/submissions/{number}/comments": {"text": "fine"},
        "/desk/phases/feedback/rescore": {},
        "/desk/phases/feedback": {"is_paused": "true"},
        "/desk/challenge/read": {},
        "/desk/announcements": {"title": "a", "text": "b"},
        "/desk/announcements/1/withdraw": {},
        "/desk/checklist": {"point": "prizes", "is_done": "true"},
        "/desk/publish": {"shown_to": "everybody"},
    }
    for path, fields in actions.items():
        before = len(world.actions())
        assert olga.post(path, **fields).status_code in {200, 303}, path
        page = olga.get("/desk/audit").text
        assert len(world.actions()) > before, path
        newest = page[page.index("<tbody>") :].split("</tr>")[0]
        assert "<td>olga</td>" in newest, path
