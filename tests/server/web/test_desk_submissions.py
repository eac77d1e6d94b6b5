import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from desk_world import World
from raim.server.database import Challenge, Comment, LogLine, Submission
from raim.server.jobs.context import start_heartbeat
from raim.server.submissions.states import change_state
from server_site import Held


@pytest.fixture
def olga(site):
    return site.organiser()


@pytest.fixture
def world(site):
    made = World(database=site.server.database, definition=site.definition, now=site.clock.now)
    made.team("Ada")
    made.team("Bob")
    return made


def put(world, team="Ada", **options):
    return world.submission(team, phase="feedback", **options)


def test_the_dashboard_tells_queue_workers_and_failures(site, world, olga):
    put(world, state="queued")
    failed = put(world, state="failed")
    put(world, team="Bob", state="failed", state_at=world.now - timedelta(days=2))
    assert "No worker serves this challenge, and submissions wait" in olga.get("/desk").text
    with world.database.writing() as session:
        start_heartbeat(session, world.now, "worker-1", sandbox="seccomp filter; no Landlock")
    page = olga.get("/desk/live").text
    assert "worker-1" in page
    assert "No worker serves this challenge" not in page
    assert "seccomp filter; no Landlock" in page
    assert "1 submission failed within a day" in page
    assert f'<a href="/c/my-challenge/desk/submissions/{failed}">{failed}</a>' in page
    assert "the disk is full" in page
    assert 'hx-get="/c/my-challenge/desk/live" hx-trigger="every 5s"' in page
    site.clock.move(minutes=2)
    assert "No worker serves this challenge" in olga.get("/desk/live").text


def test_filters_find_submissions_by_team_phase_kind_state_and_flags(world, olga):
    first = put(world, flags={"same-file": "it is that of Bob"})
    second = put(world, team="Bob", state="failed")
    third = put(world, state="accepted", kind="feedback")

    def listed(query):
        page = olga.get(f"/desk/submissions?{query}").text
        return {
            number
            for number in (first, second, third)
            if f'"/c/my-challenge/desk/submissions/{number}"' in page
        }

    assert listed("") == {first, second, third}
    assert listed(f"team={world.teams['Ada'][0]}") == {first, third}
    assert listed("phase=feedback&kind=feedback") == {third}
    assert listed("state=failed") == {second}
    assert listed("flagged=unseen") == {first}
    assert listed("phase=final") == set()
    assert listed("team=999&kind=none&state=none") == set()


def test_one_submission_shows_log_flags_and_the_results_of_every_version(world, olga):
    number = put(
        world, score=71.25, flags={"same-file": "it is that of Bob"}, report={"problems": [], "notes": []}
    )
    with world.database.writing() as session:
        row = session.get_one(Submission, number)
        world.add_results(
            session, world.challenge(), row, 65.5, scorer_version="older-1", measures={"psnr": 20.0}
        )
        session.add(
            LogLine(
                submission_id=number, logged_at=world.now, worker="worker-1", text="Traceback: <disk> is full"
            )
        )
    page = olga.get(f"/desk/submissions/{number}").text
    for words in (
        "71.25",
        "65.50",
        "older-1",
        "Traceback: &lt;disk&gt; is full",
        "it is that of Bob",
        "in force",
    ):
        assert words in page
    challenge = world.challenge()
    assert f"images under {challenge.scorer_version}, worst first" in page
    older = olga.get(f"/desk/submissions/{number}?result=2").text
    assert "images under older-1, worst first" in older
    assert olga.get(f"/desk/submissions/{number}?result=999").status_code == 200


def test_the_whole_file_comes_back_to_the_organiser(site, olga):
    ada = site.member("ada")
    content = site.zip_of()
    number = site.submit(ada, content)
    assert f'href="/c/my-challenge/submissions/{number}/file"' in olga.get(f"/desk/submissions/{number}").text
    assert olga.get(f"/submissions/{number}/file").content == content


def test_scoring_again_is_asked_for_once_and_only_of_what_is_scored(world, olga):
    number, waiting = put(world), put(world, state="queued")
    assert olga.post(f"/desk/submissions/{number}/rescore").headers["location"].endswith("?note=rescore")
    assert world.row(Submission, number).rescore_asked_at is not None
    assert "Score it again" not in olga.get(f"/desk/submissions/{number}").text
    answer = olga.post(f"/desk/submissions/{waiting}/rescore")
    assert answer.status_code == 409
    assert "only one that is scored" in answer.text


def test_all_entries_of_a_phase_are_scored_again(world, olga):
    numbers = [put(world), put(world, team="Bob")]
    answer = olga.post("/desk/phases/feedback/rescore")
    assert answer.headers["location"] == "/desk/submissions?phase=feedback&note=rescore_all"
    assert all(world.row(Submission, each).rescore_asked_at for each in numbers)
    assert "2 of them wait to be scored again" in olga.get("/desk/phases").text
    assert olga.post("/desk/phases/none/rescore").status_code == 404


def test_a_failed_submission_is_started_again(world, olga):
    number, fine = put(world, state="failed"), put(world)
    assert "Start it again" in olga.get(f"/desk/submissions/{number}").text
    olga.post(f"/desk/submissions/{number}/restart")
    assert world.row(Submission, number).state == "checking"
    assert olga.post(f"/desk/submissions/{fine}/restart").status_code == 409


def test_marks_and_looked_at_flags_are_kept(world, olga):
    number = put(world, flags={"same-file": "it is that of Bob"})
    olga.post(f"/desk/submissions/{number}", is_verified="true")
    assert "1 submission has flags" in olga.get("/desk").text
    olga.post(f"/desk/submissions/{number}", is_verified="true", flags_looked_at="true")
    assert "has flags" not in olga.get("/desk").text
    assert world.row(Submission, number).is_verified
    assert "verified" in olga.get("/leaderboard/feedback").text
    for _ in range(2):
        olga.post(f"/desk/submissions/{number}", flags_looked_at="true")
    assert world.actions().count("look at flags") == 1


def test_comments_on_the_whole_an_image_and_a_region_reach_the_team(site, world, olga):
    ada = site.member("ada2")
    number = site.submit(ada, site.zip_of())
    with world.database.writing() as session:
        change_state(session, world.now, number, "queued")
    path = f"/desk/submissions/{number}"
    assert (
        olga.post(f"{path}/comments", text="Well done", is_shown_to_team="true").headers["location"]
        == f"{path}?note=commented"
    )
    answer = olga.post(
        f"{path}/images/0001",
        text="Ringing here",
        region_x="8",
        region_y="0",
        region_width="16",
        region_height="32",
        is_shown_to_team="true",
    )
    assert answer.headers["location"] == f"{path}/images/0001?note=commented"
    olga.post(f"{path}/comments", text="Between us", image="0002", is_shown_to_team="false")
    seen = ada.get(f"/submissions/{number}").text
    assert "Well done" in seen
    assert "(16×32 at 8, 0)" in seen
    assert "Between us" not in seen
    page = olga.get(f"{path}/images/0002").text
    assert "Between us" in page
    assert "organisers only" in page
    with world.database.reading() as session:
        assert session.scalars(select(Comment.text)).all() == ["Well done", "Ringing here", "Between us"]


def test_a_team_answers_and_what_no_organiser_has_read_waits_at_the_desk(site, world, olga):
    ada, bob = site.member("ada2"), site.member("bob2")
    number = site.submit(ada, site.zip_of())
    desk = f"/desk/submissions/{number}"
    olga.post(f"{desk}/comments", text="What is your runtime?", is_shown_to_team="true")
    answer = ada.post(f"/submissions/{number}/comments", text="1.5 s, <see> 0001", image="0001")
    assert answer.headers["location"] == f"/submissions/{number}?note=commented"
    for person, path in ((ada, f"/submissions/{number}"), (olga, desk)):
        page = person.get(path).text
        assert "1.5 s, &lt;see&gt; 0001" in page
        assert page.index(">organiser</span>") < page.index(">team</span>")
    assert "1 comment of a team is not read" in olga.get("/desk").text
    assert olga.api("GET", "/desk").json()["n_unread"] == 1

    def unread():
        found = olga.api("GET", "/desk/submissions?flagged=unread").json()["submissions"]
        return [each["id"] for each in found if each["has_unread"]]

    assert unread() == [number]
    olga.post(desk, comments_read="true")
    assert unread() == []
    ada.api("POST", f"/submissions/{number}/comments", json={"text": "and so it stays"})
    assert unread() == [number]
    olga.post(f"{desk}/comments", text="Thank you", is_shown_to_team="true")  # who answers has read
    assert unread() == []
    said = [(each["author"], each["is_of_team"]) for each in olga.api("GET", desk).json()["comments"]]
    assert said == [("olga", False), ("ada2", True), ("ada2", True), ("olga", False)]
    assert bob.post(f"/submissions/{number}/comments", text="mine").status_code == 404
    assert olga.post(f"/submissions/{number}/comments", text="mine").status_code == 403
    assert ada.api("POST", f"/submissions/{number}/comments", json={"text": " "}).status_code == 400


def test_a_team_writes_no_end_of_comments_on_one_submission(site, world, olga, monkeypatch):
    monkeypatch.setattr("raim.server.submissions.comments.MOST_OF_TEAM", 1)
    ada = site.member("ada2")
    number = site.submit(ada, site.zip_of())
    answers = [ada.post(f"/submissions/{number}/comments", text="again") for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 409]
    assert "your team has written 1 comments here" in answers[1].text


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": " "}, "a comment has 1 to 5000 characters"),
        ({"text": "x" * 5001}, "this one 5001"),
        ({"text": "here", "image": "0001", "region_x": "3"}, "in whole pixels, or none of them"),
        (
            {"text": "here", "image": "0001", "region_x": "0", "region_y": "0", "region_width": "9999",
             "region_height": "1"},
            "is not inside of the image",
        ),
        (
            {"text": "here", "region_x": "0", "region_y": "0", "region_width": "1", "region_height": "1"},
            "a region is part of an image",
        ),
    ],
)  # fmt: skip
def test_a_comment_that_cannot_be_kept_is_shown_again_with_the_reason(world, olga, fields, reason):
    number = put(world)
    answer = olga.post(f"/desk/submissions/{number}/comments", **fields)
    assert answer.status_code == 400
    assert reason in answer.text
    assert fields["text"].strip() in answer.text
    with world.database.reading() as session:
        assert session.scalars(select(Comment.id)).all() == []


def test_organisers_see_the_reference_beside_input_and_restored(site, world, olga):
    ada = site.member("ada2")
    number = site.submit(ada, site.zip_of())
    page = olga.get(f"/desk/submissions/{number}/images/0001").text
    for path in (
        "/data-sets/feedback-pairs/input/0001",
        f"/submissions/{number}/restored/0001",
        f"/desk/submissions/{number}/reference/0001",
    ):
        assert path in page
    reference = site.folder / "data" / "feedback-pairs" / "reference" / "0001.png"
    answer = olga.get(f"/desk/submissions/{number}/reference/0001")
    assert answer.content == reference.read_bytes()
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert ada.get(f"/desk/submissions/{number}/reference/0001").status_code == 403


def test_the_log_says_who_saw_hidden_references_once_a_day_for_each_data_set(site, world, olga):
    number, rita = put(world), site.with_office("rita")
    held = Held(site.server.database.engine)

    def seen():
        rows = olga.api("GET", "/desk/audit?action=see hidden references").json()["events"]
        return [(each["actor"], each["details"]["data_set"]) for each in reversed(rows)]

    for path in (f"/submissions/{number}", f"/desk/submissions/{number}/images/0001"):
        olga.get(path)
    olga.client.head("/data-sets/feedback-pairs/reference/0001")
    assert olga.get("/data-sets/feedback-pairs/reference/none").status_code == 404
    assert olga.get("/data-sets/tuning-pairs/reference/0001").status_code == 200  # which teams have, too
    assert seen() == []
    for path in ("/desk/submissions/1/reference/0001", "/data-sets/feedback-pairs/reference/0002"):
        assert olga.get(path).status_code == 200
    assert seen() == [("olga", "feedback-pairs")]
    assert rita.api("GET", "/data-sets/feedback-pairs/references.zip").status_code == 200
    assert olga.get("/data-sets/feedback-pairs/references.zip").status_code == 200
    assert seen() == [("olga", "feedback-pairs"), ("rita", "feedback-pairs")]
    site.clock.move(days=1)
    olga.get("/data-sets/feedback-pairs/references.zip")
    assert len(seen()) == 3
    assert held.most == 1
    ada = site.member("ada2")
    assert ada.get("/data-sets/feedback-pairs/references.zip").status_code == 403
    assert len(seen()) == 3
    assert "see hidden references" in olga.get("/desk/audit").text


def test_an_image_without_a_reference_has_none_to_give(site, world, olga):
    number = put(world, state="accepted", kind="feedback")
    assert (
        f"/desk/submissions/{number}/reference"
        not in olga.get(f"/desk/submissions/{number}/images/0001").text
    )
    assert olga.get(f"/desk/submissions/{number}/reference/0001").status_code == 404


def test_a_new_scorer_version_leaves_the_old_results_on_the_page(world, olga):
    number = put(world, score=71.25)
    with world.database.writing() as session:
        session.get_one(Challenge, 1).scorer_version = "raim-2024-next"
    put(world, state="queued")  # something happens, so that the server looks again
    page = olga.get(f"/desk/submissions/{number}").text
    assert "71.25" in page
    assert page.count(">in force<") == 1


def test_a_freed_file_is_marked_on_its_pages_and_given_to_nobody(site, world, olga):
    ada = site.member("ada")
    number = site.submit(ada, site.zip_of(leave_out=("0001.png",)))
    with world.database.writing() as session:
        change_state(session, site.clock(), number, "refused", error="0001 is missing")
    freeable = olga.api("GET", "/admin").json()["freeable"]
    assert freeable == {"n_files": 0, "n_bytes": 0, "after_days": 14}
    assert "Free them" not in olga.get("/admin").text
    with world.database.writing() as session:
        session.get_one(Submission, number).state_at -= timedelta(days=15)
    freeable = olga.api("GET", "/admin").json()["freeable"]
    assert (freeable["n_files"], freeable["n_bytes"]) == (
        1,
        ada.api("GET", f"/submissions/{number}").json()["n_bytes"],
    )
    assert "Free them" in olga.get("/admin").text
    assert ada.post("/admin/free").status_code == 403
    assert olga.post("/admin/free").headers["location"] == "/admin?note=freed"
    assert olga.api("POST", "/admin/free").json()["n_files"] == 0
    day = f"{site.clock():%Y-%m-%d}"
    for page in (ada.get(f"/submissions/{number}").text, olga.get(f"/desk/submissions/{number}").text):
        assert re.search(f"file freed on <time[^>]*>{day}", page)
        assert "0001 is missing" in page
    answer = ada.get(f"/submissions/{number}/file")
    assert answer.status_code == 404
    assert f"was freed on {day}" in answer.text
    shown = ada.api("GET", f"/submissions/{number}").json()
    assert (shown["has_file"], shown["freed_at"][:10], shown["state"]) == (False, day, "refused")
    assert "free file" in olga.get("/desk/audit").text
    assert "refused" not in ada.api("GET", "/team").json()["kept"]["kinds"]
