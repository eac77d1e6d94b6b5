"""What a team sees of its submissions, as pages and as JSON."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from desk_world import World
from held_images import note_zip
from raim.server.database import Submission, User, WorkerHeartbeat
from raim.server.jobs.context import start_heartbeat
from raim.server.queries import submissions as queries
from raim.server.submissions.comments import add_comment
from raim.server.submissions.states import change_state
from server_site import Site


@pytest.fixture
def ada(site):
    return site.member("ada")


def test_the_page_is_shown_whole_again_once_a_submission_has_ended(site, ada):
    number = site.submit(ada, site.zip_of())
    assert "HX-Refresh" not in ada.get(f"/submissions/{number}/status").headers
    with site.server.database.writing() as session:
        change_state(session, site.clock(), number, "refused", error="no image is in order")
    answer = ada.get(f"/submissions/{number}/status")
    assert answer.headers["HX-Refresh"] == "true"
    assert "no image is in order" in answer.text


def test_json_has_images_results_and_the_comments_that_are_meant_for_who_asks(site, ada):
    olga = site.organiser()
    number = site.submit(ada, site.zip_of())
    with site.server.database.writing() as session:
        row, author = session.get_one(Submission, number), session.scalars(select(User)).first()
        for text, is_shown in (("well done", True), ("between us", False)):
            add_comment(
                session, site.clock(), submission=row, author=author, text=text, is_shown_to_team=is_shown
            )
    seen, known = (each.api("GET", f"/submissions/{number}").json() for each in (ada, olga))
    assert [each["text"] for each in seen["comments"]] == ["well done"]
    assert [each["text"] for each in known["comments"]] == ["well done", "between us"]
    assert (min(seen["images"]), seen["results"]) == ("0001", [])


def test_what_a_team_withdraws_stays_with_file_images_report_and_scores_for_organisers_only(site, ada):
    olga, content = site.organiser(), site.zip_of()
    number = site.submit(ada, content)
    world = World(database=site.server.database, definition=site.definition, now=site.clock.now)
    with site.server.database.writing() as session:
        for state in ("queued", "scoring", "scored"):
            change_state(session, site.clock(), number, state)
        row = session.get_one(Submission, number)
        note_zip(session, site.server.storage, row)
        row.report = {"ok": True, "problems": [], "notes": [{"message": "a note of the check"}]}
        world.add_results(session, world.challenge(), row, 71.25)
    assert "71.25" in ada.get("/submissions").text
    assert ada.post(f"/submissions/{number}/withdraw").status_code == 303
    for path in ("/submissions", f"/submissions/{number}", f"/submissions/{number}/results.csv"):
        assert "71.25" not in ada.get(path).text, path
    assert "withdrawn" in ada.get("/submissions").text
    mine = ada.api("GET", f"/submissions/{number}").json()
    assert (mine["state"], mine["score"], mine["results"]) == ("withdrawn", None, [])
    assert ada.get(f"/submissions/{number}/restored/0001").status_code == 404
    assert "71.25" not in site.visitor().get("/leaderboard/feedback").text
    page = olga.get(f"/desk/submissions/{number}").text
    for words in (
        "Its team has taken it back",
        "71.25",
        "a note of the check",
        f"/submissions/{number}/file",
    ):
        assert words in page
    assert "71.25" in olga.get("/desk/submissions?state=withdrawn").text
    assert olga.get(f"/submissions/{number}/file").content == content
    assert olga.get(f"/submissions/{number}/restored/0001").status_code == 200
    assert olga.get(f"/desk/submissions/{number}/images/0001").status_code == 200


def test_what_was_given_up_while_it_came_has_no_file_to_show(site, ada):
    number = site.begin(ada, site.zip_of()).json()["submission"]["id"]
    ada.post(f"/submissions/{number}/withdraw")
    assert f"/submissions/{number}/file" not in ada.get(f"/submissions/{number}").text
    assert "has not come whole" in site.organiser().get(f"/desk/submissions/{number}").text


def test_what_was_typed_beside_a_file_that_is_not_taken_stays(ada):
    fields = {"target": "feedback/scored", "note": "the second model"}
    answer = ada.client.post("/submit", data=fields, files={"file": ("a.zip", b"")})
    assert answer.status_code == 400
    assert "the file is empty" in answer.text
    assert ">the second model</textarea>" in answer.text


def test_a_long_list_has_pages_and_organisers_are_given_all_teams(site, ada, monkeypatch):
    monkeypatch.setattr(queries, "PER_PAGE", 1)
    bob, olga = site.member("bob"), site.organiser()
    numbers = [site.submit(each, site.zip_of()) for each in (ada, ada, bob)]

    def listed(person, pages):
        page, seen = "", []
        for _ in range(pages):
            found = person.api("GET", f"/submissions?page={page}").json()
            seen.append([each["id"] for each in found["submissions"]])
            page = found["next_page"]
        assert page == ""
        return seen

    assert listed(ada, 2) == [[numbers[1]], [numbers[0]]]
    assert listed(bob, 1) == [[numbers[2]]]
    assert listed(olga, 3) == [[each] for each in reversed(numbers)]
    later = site.submit(bob, site.zip_of())  # what comes meanwhile moves no page
    assert (
        olga.api("GET", f"/submissions?page=after.{numbers[1]}").json()["submissions"][0]["id"] == numbers[0]
    )
    back = olga.api("GET", f"/submissions?page=before.{numbers[2]}").json()
    assert ([each["id"] for each in back["submissions"]], back["n_rows"]) == ([later], 4)
    assert "3 submissions" not in olga.get("/submissions").text
    assert "4 submissions" in olga.get("/submissions").text


def test_an_organiser_decides_nothing_in_a_teams_place(site, ada):
    number, olga = site.submit(ada, site.zip_of()), site.organiser()
    answer = olga.post(f"/submissions/{number}/withdraw")
    assert answer.status_code == 404
    assert "only the team decides about its submissions" in answer.text
    assert ada.api("GET", f"/submissions/{number}").json()["state"] == "checking"


def test_a_list_of_many_that_wait_asks_the_database_little(site, ada):
    numbers = [site.submit(site.member(f"u{each}"), site.zip_of()) for each in range(6)]
    with site.server.database.writing() as session:
        start_heartbeat(session, site.clock(), "worker-1")
        session.get(WorkerHeartbeat, "worker-1").seconds_per_image = 0.5
        for number in numbers:
            change_state(session, site.clock(), number, "queued")
    asked, olga = [], site.organiser()
    event.listen(site.server.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    found = olga.api("GET", "/submissions").json()["submissions"]
    assert sorted(each["position"] for each in found) == [1, 2, 3, 4, 5, 6]
    assert all(each["expected_at"] for each in found)
    assert len(asked) <= 30, "\n".join(asked)


@pytest.mark.parametrize(
    ("since", "until", "pause"),
    [(0, None, 2), (200, None, 10), (9000, None, 30), (9000, 30, 2), (0, 3600, 30)],
)
def test_a_page_asks_less_often_while_the_score_is_far(site, ada, since, until, pause):
    number = site.submit(ada, site.zip_of())
    site.clock.move(seconds=since)
    if until is not None:
        with site.server.database.writing() as session:
            start_heartbeat(session, site.clock(), "worker-1")
            session.get(WorkerHeartbeat, "worker-1").seconds_per_image = until / 2
            change_state(session, site.clock(), number, "queued")
    page = ada.get(f"/submissions/{number}").text
    assert f'hx-trigger="every {pause}s"' in page
    assert f'hx-trigger="every {pause}s"' in ada.get(f"/submissions/{number}/status").text


@pytest.fixture
def site_of_each(challenge_folder, clock, database_url):
    """Give a server on each database, whose forecast lasts as for people."""
    made = Site(challenge_folder, clock, database_url)
    made.server.forecasts.lasts = timedelta(seconds=1)
    yield made
    made.server.database.engine.dispose()


def test_asking_how_a_submission_stands_is_four_queries(site_of_each):
    site, ada = site_of_each, site_of_each.member("ada")
    number, asked = site.submit(ada, site.zip_of()), []
    ada.get(f"/submissions/{number}/status")  # the first makes the forecast
    event.listen(
        site.server.database.engine,
        "before_cursor_execute",
        lambda *given: asked.append(given[2]) if given[2] != "BEGIN" else None,
    )
    assert ada.get(f"/submissions/{number}/status").status_code == 200
    assert len(asked) <= 4, "\n".join(asked)
    assert not any("FROM entry_result" in each for each in asked)
