import io
import zipfile

import pytest

from desk_world import World
from raim.server.database import Phase, Submission, Team, User


@pytest.fixture
def olga(site):
    return site.organiser()


@pytest.fixture
def world(site):
    made = World(database=site.server.database, definition=site.definition, now=site.clock.now)
    made.team("Ada")
    made.team("Bob")
    return made


def ask(person, method, path, status=200, **body):
    answer = person.api(method, f"/desk{path}", **({"json": body} if body else {}))
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_the_overview_has_what_the_dashboard_has(world, olga):
    world.submission("Ada", phase="feedback", state="failed")
    world.submission("Bob", phase="feedback", state="queued")
    found = ask(olga, "GET", "")
    assert found["queue"]["states"] == {"failed": 1, "queued": 1}
    assert [each["state"] for each in found["phases"] if each["id"] == "feedback"] == ["open"]
    assert (found["n_failures"], found["queue"]["n_waiting"], found["queue"]["workers"]) == (1, 1, [])
    assert found["failures"][0]["reason"] == "the disk is full"
    assert found["folder_free_bytes"] > 0


def test_teams_are_listed_read_changed_and_merged(world, olga):
    found = ask(olga, "GET", "/teams?q=ad")
    assert [(each["name"], each["n_members"]) for each in found["teams"]] == [("Ada", 1)]
    changed = ask(olga, "POST", "/teams/1", state="suspended", is_baseline=True)
    assert (changed["state"], changed["is_baseline"], changed["is_out_of_competition"]) == (
        "suspended",
        True,
        False,
    )
    changed = ask(olga, "POST", "/teams/1", is_out_of_competition=True)
    assert (changed["state"], changed["is_baseline"], changed["is_out_of_competition"]) == (
        "suspended",
        True,
        True,
    )
    merged = ask(olga, "POST", "/teams/1/merge", into=2)
    assert [each["login"] for each in merged["members"]] == ["of Ada", "of Bob"]
    assert ask(olga, "GET", "/teams/1")["merged_into"] == 2
    assert ask(olga, "POST", "/teams/1", status=409, state="approved")["error"]["code"] == "not_possible"
    assert world.row(Team, 1).state == "merged"


def test_hints_are_shown(world, olga):
    for name in ("Cleo", "Dan"):
        world.team(name, email="same@example.org")
    found = ask(olga, "GET", "/hints")
    assert [(each["shared"], sorted(each["teams"].values())) for each in found] == [
        ("e-mail", ["Cleo", "Dan"])
    ]


def test_accounts_are_made_changed_and_reset(site, world, olga):
    made = ask(olga, "POST", "/users", status=201, login="jim", role="judge")
    assert made["url"].startswith("http://127.0.0.1:8000/reset/raim_link_")
    user = ask(olga, "GET", "/users?q=jim")["users"][0]
    assert user["role"] == "judge"
    ask(olga, "POST", f"/users/{user['id']}", status=204, role="organiser", is_disabled=True)
    row = world.row(User, user["id"])
    assert ask(olga, "GET", "/users?q=jim")["users"][0]["role"] == "organiser"
    assert row.disabled_at is not None
    ask(olga, "POST", f"/users/{user['id']}", status=204, is_disabled=False)
    assert world.row(User, user["id"]).disabled_at is None
    assert ask(olga, "POST", f"/users/{user['id']}/reset", status=201)["login"] == "jim"
    assert ask(olga, "POST", "/users", status=404, login="x", role="king")["error"]["code"] == "not_found"


def test_a_submission_is_read_marked_commented_scored_again_and_restarted(world, olga):
    number = world.submission("Ada", phase="feedback", score=71.5, flags={"same-file": "it is that of Bob"})
    failed = world.submission("Bob", phase="feedback", state="failed")
    found = ask(olga, "GET", f"/submissions/{number}")
    assert [each["score"] for each in found["entries"]] == [71.5]
    assert found["unseen_flags"] == ["same-file"]
    changed = ask(olga, "POST", f"/submissions/{number}", is_verified=True, flags_looked_at=True)
    assert (changed["is_verified"], changed["unseen_flags"]) == (True, [])
    region = {"region_x": 0, "region_y": 0, "region_width": 8, "region_height": 8}
    ask(olga, "POST", f"/submissions/{number}/comments", status=201, text="here", image="0001", **region)
    ask(olga, "POST", f"/submissions/{number}/comments", status=400, text="here", **region)
    assert ask(olga, "POST", f"/submissions/{number}/rescore") == {"submissions": 1}
    assert ask(olga, "POST", "/phases/feedback/rescore") == {"submissions": 0}  # it waits already
    assert ask(olga, "POST", f"/submissions/{failed}/rescore", status=409)["error"]["code"] == "not_possible"
    assert ask(olga, "POST", f"/submissions/{failed}/restart")["state"] == "checking"
    assert world.row(Submission, failed).state == "checking"


def test_a_phase_is_moved_and_paused(world, olga):
    def ask_phase(**wanted):
        found = ask(olga, "POST", "/phases/feedback", **wanted)
        return next(each for each in found["phases"] if each["id"] == "feedback")

    found = ask_phase(is_paused=True)
    assert (found["state"], found["paused_at"] is not None) == ("paused", True)
    found = ask_phase(closes="2026-04-10T14:00:00+02:00", is_paused=False)
    assert (found["state"], found["closes"]) == ("open", "2026-04-10T12:00:00Z")
    assert found["stated_closes"] != found["closes"]
    assert (
        world.row(Phase, world.challenge().phase_ids["feedback"]).closes_at.isoformat()
        == "2026-04-10T12:00:00+00:00"
    )
    ask(olga, "POST", "/phases/feedback", status=400, closes="2020-01-01T00:00:00Z")
    ask(olga, "POST", "/phases/feedback", status=400, closes="2026-04-10T14:00:00")  # no zone


def test_the_file_is_read_again(site, olga):
    path = site.folder / "challenge.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("count = 10", "count = 0"), encoding="utf-8")
    assert len(ask(olga, "POST", "/challenge/read")["problems"]) == 1
    path.write_text(text, encoding="utf-8")
    assert ask(olga, "POST", "/challenge/read")["problems"] == []


def test_announcements_are_published_and_withdrawn(site, olga):
    made = ask(olga, "POST", "/announcements", status=201, title="Welcome", text="*all*")
    assert len(site.visitor().client.get("/api/v1/announcements").json()) == 1
    ask(olga, "POST", f"/announcements/{made['id']}/withdraw")
    assert site.visitor().client.get("/api/v1/announcements").json() == []


def test_finalists_are_proposed_invited_answered_and_replaced(world, olga):
    for name, score in (("Ada", 80.0), ("Bob", 70.0)):
        world.submission(name, phase="feedback", score=score)
    found = ask(olga, "GET", "/finalists")
    assert [(each["team"], each["rank"]) for each in found["proposed"]] == [("Ada", 1), ("Bob", 2)]
    assert (found["places"], found["n_vacant"]) == (10, 8)
    assert [each["place"] for each in ask(olga, "POST", "/finalists", teams=[1])["invited"]] == [1]
    found = ask(olga, "POST", "/finalists/1/answer", accepts=False)
    assert found["invited"][0]["declined_at"] is not None
    found = ask(olga, "POST", "/finalists/1/replace", team_id=2)
    assert [(each["place"], each["team"], each["replaces"]) for each in found["invited"]] == [
        (1, "Ada", None),
        (1, "Bob", 1),
    ]
    ask(olga, "POST", "/finalists", status=400, teams=[])


def test_the_checklist_is_read_and_ticked(olga):
    found = ask(olga, "GET", "/checklist")
    assert not any(each["is_done"] for each in found["manual"])
    found = ask(olga, "POST", "/checklist", point="prizes", is_done=True)
    assert [each["key"] for each in found["manual"] if each["ticked_by"] == "olga"] == ["prizes"]
    ask(olga, "POST", "/checklist", status=404, point="none", is_done=True)


def test_the_gallery_is_published(site, olga):
    ask(olga, "POST", "/publish", shown_to="everybody")
    assert site.visitor().get("/gallery").status_code == 200
    ask(olga, "POST", "/publish", shown_to="organisers")
    assert site.visitor().get("/gallery").status_code == 403


def test_exports_and_log_come_over_the_api(world, olga):
    answer = olga.api("GET", "/desk/exports/everything.zip")
    assert "teams.csv" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert len(olga.api("GET", "/desk/exports/teams.json").json()) == 2
    found = ask(olga, "GET", "/audit?action=export")
    assert [(each["actor"], each["details"]) for each in found["events"]] == [
        ("olga", {"file": "teams.json"}),
        ("olga", {"file": "everything.zip"}),
    ]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/teams/1", {"state": "merged"}),
        ("POST", "/teams/1", {"is_basline": True}),
        ("POST", "/teams/1/merge", {"into": 2**40}),
        ("POST", "/announcements", {"title": "a\0b", "text": "c"}),
        ("POST", "/users", {"login": "a\0b"}),
        ("POST", "/checklist", {"point": "prizes", "is_done": "perhaps"}),
        ("POST", "/submissions/1/comments", {"text": "x", "image": "0001", "region_x": -1}),
    ],
)
def test_a_body_that_has_not_the_form_is_refused(world, olga, method, path, body):
    world.submission("Ada", phase="feedback")
    assert ask(olga, method, path, status=422, **body)["error"]["code"] == "invalid"


def test_members_are_refused_by_the_whole_desk(site, olga):
    ada = site.member("ada")
    for method, path in (
        ("GET", ""),
        ("GET", "/audit"),
        ("GET", "/exports/everything.zip"),
        ("POST", "/users"),
    ):
        assert ada.api(method, f"/desk{path}").status_code == 403


def test_half_a_character_is_refused(olga):
    headers = {"Authorization": f"Bearer {olga.token}", "Content-Type": "application/json"}
    body = rb'{"title": "a", "text": "\ud800"}'
    answer = olga.client.post("/api/v1/desk/announcements", content=body, headers=headers)
    assert answer.status_code == 422
