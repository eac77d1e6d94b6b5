"""One request, one session: at most one connection at a time, none over slow work, and a burst that is answered."""

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy import update
from starlette.testclient import TestClient

from held_images import note_zip
from patience import PATIENCE_S
from raim.records.record import Record, Wanted
from raim.server.actions import passwords
from raim.server.database import ApiToken
from raim.server.submissions.states import change_state
from raim.server.web import restored, threads
from raim.server.web.access import ROUTE_RULES
from raim.server.web.context import RequestContext
from raim.server.web.failures import add_handlers
from raim.server.web.restored import answer_with_restored
from raim.server.web.routing import REGISTER, Area
from server_site import ADDRESS, PASSWORD, Held

FILE_THREADS = 40  # anyio's own


class Note(Record):
    text: str


class NewNote(Wanted):
    text: str
    times: int = 1


@pytest.fixture
def area():
    """Give an area of a test; what it registers is forgotten afterwards."""
    known = set(REGISTER)
    yield Area("tests")
    for name in set(REGISTER) - known:
        del ROUTE_RULES[name], REGISTER[name]


def serve(site, area):
    app = FastAPI()
    app.state.server, app.state.buckets = site.server, site.app.state.buckets
    app.include_router(area.pages)
    app.include_router(area.api)
    add_handlers(app)
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)


def test_a_function_answers_as_json_with_its_record(site, area):
    @area.get("/notes/{name}", who="anyone")
    def show(context: RequestContext, name: str) -> Note:
        return Note(text=f"{name} of {context.challenge.definition.id}")

    client = serve(site, area)
    assert client.get("/api/v1/c/my-challenge/notes/a").json() == {"text": "a of my-challenge"}
    assert client.get("/api/v1/c/another/notes/a").status_code == 404


def test_what_is_wrong_with_json_is_reported_by_field_and_only_to_who_may(site, area):
    @area.post("/notes", who="organiser")
    def make(context: RequestContext, wanted: NewNote) -> Note:
        del context
        return Note(text=wanted.text * wanted.times)

    client, olga, ada = serve(site, area), site.organiser(), site.member("ada")

    def post(token, **body):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.post("/api/v1/c/my-challenge/notes", json=body, headers=headers)

    assert post(olga.token, text="ab", times=2).json() == {"text": "abab"}
    wrong = post(olga.token, times="x", wrong=1)
    assert wrong.status_code == 422
    problems = wrong.json()["error"]["problems"]
    assert sorted(each.partition(":")[0] for each in problems) == ["text", "times", "wrong"]
    assert post(ada.token, wrong=1).status_code == 403
    assert post("", wrong=1).status_code == 401


def test_slow_work_is_done_while_no_connection_is_held(site, area):
    held, seen = Held(site.server.database.engine), []

    @area.post("/slow", who="anyone")
    def work(context: RequestContext) -> Note:
        seen.append(held.now)
        seen.append(context.aside(lambda: held.now))
        context.session.execute(update(ApiToken).values(name="changed"))
        return Note(text=str(held.now))

    client = serve(site, area)
    assert client.post("/api/v1/c/my-challenge/slow").json() == {"text": "1"}
    assert seen == [1, 0]
    assert (held.now, held.most) == (0, 1)


def test_passwords_are_hashed_while_no_connection_is_held_and_only_where_a_link_works(site, monkeypatch):
    held, seen = Held(site.server.database.engine), []

    def watch(name):
        work = getattr(passwords, name)

        def watched(*given):
            seen.append((name, held.now))
            return work(*given)

        monkeypatch.setattr(passwords, name, watched)

    watch("hash_password")
    watch("is_password")
    visitor = site.visitor()
    assert visitor.post("/first/none", login="eve", password=PASSWORD).status_code == 409
    assert visitor.post("/reset/none", password=PASSWORD).status_code == 409
    assert visitor.post("/register", login="eve", password=PASSWORD).status_code == 400
    assert seen == []
    olga = site.organiser()
    olga.post("/account/password", present_password=PASSWORD, password=PASSWORD)
    assert seen == [("hash_password", 0), ("is_password", 0), ("hash_password", 0)]
    assert olga.post("/account/password", present_password="wrong", password=PASSWORD).status_code == 400
    assert (len(seen), held.now, held.most) == (4, 0, 1)


def test_a_form_that_is_shown_again_holds_no_password(site):
    olga = site.organiser()
    page = olga.post("/account/password", present_password="wrong horse", password="battery staple").text
    assert "present password is wrong" in page
    assert "horse" not in page
    assert "staple" not in page


def test_a_function_that_fails_changes_nothing(site, area):
    ada = site.member("ada")

    @area.post("/fails", who="anyone")
    def fail(context: RequestContext) -> Note:
        context.session.execute(update(ApiToken).values(name="changed"))
        context.session.flush()
        raise ValueError("a bug")

    assert serve(site, area).post("/api/v1/c/my-challenge/fails").status_code == 500
    assert "changed" not in ada.get("/account").text


def test_a_page_waits_neither_for_who_writes_nor_for_files_that_are_sent(site, area):
    gate, came = threading.Event(), threading.Semaphore(0)

    def be_stuck():
        came.release()
        return gate.wait(PATIENCE_S)

    @area.post("/stuck", who="anyone")
    def write(context: RequestContext) -> Note:
        return Note(text=str(context.aside(be_stuck)))

    @area.get("/read", who="anyone")
    def read(context: RequestContext) -> Note:
        return Note(text=context.challenge.definition.id)

    with serve(site, area) as client, ThreadPoolExecutor(threads.WRITERS) as pool:
        for _ in range(FILE_THREADS):
            client.portal.start_task_soon(to_thread.run_sync, be_stuck)
        writing = [pool.submit(client.post, "/api/v1/c/my-challenge/stuck") for _ in range(threads.WRITERS)]
        try:
            for _ in range(FILE_THREADS + threads.WRITERS):
                assert came.acquire(timeout=PATIENCE_S)

            assert client.get("/api/v1/c/my-challenge/read").json() == {"text": "my-challenge"}
            assert not any(each.done() for each in writing)
        finally:
            gate.set()
    assert {each.result().json()["text"] for each in writing} == {"True"}


OTHERS = ["/", "/submissions", "/submit", "/leaderboard", "/data", "/account"]


@pytest.mark.parametrize("path", OTHERS)
def test_a_page_holds_one_connection_at_most(site, path):
    ada = site.member("ada")
    held = Held(site.server.database.engine)
    assert ada.get(path).status_code == 200
    assert (held.now, held.most) == (0, 1)


def fill(path):
    values = {
        "token": "none",
        "name": "0001",
        "phase_id": "feedback",
        "table": "teams.csv",
        "file": "votes.csv",
    }
    return path.format_map(defaultdict(lambda: "1", values))


def test_every_registered_route_holds_one_connection_at_most(site):
    people = site.organiser(), site.member("ada")
    site.submit(people[1], site.zip_of())
    for route in [each for each in REGISTER.values() if each.method == "GET"]:
        for person in people:
            for place in (route.path, f"/api/v1{route.path}"):
                held = Held(site.server.database.engine)
                path = fill(place)
                assert person.get(path).status_code < 500, path
                assert (held.now, held.most <= 1) == (0, True), path


def test_a_zip_is_read_while_no_connection_is_held(site, monkeypatch):
    ada, held, seen = site.member("ada"), Held(site.server.database.engine), []
    number = site.submit(ada, site.zip_of())
    with site.server.database.writing() as session:
        note_zip(session, site.server.storage, change_state(session, site.clock(), number, "queued"))

    def read_slowly(*given):
        seen.append(held.now)
        return answer_with_restored(*given)

    monkeypatch.setattr(restored, "answer_with_restored", read_slowly)
    assert ada.get(f"/submissions/{number}/restored/0001").headers["content-type"] == "image/png"
    assert seen == [0]


@pytest.mark.parametrize(
    ("path", "n"), [("/api/v1/team", 30), ("/submissions", 40), ("/api/v1/submissions", 40)]
)
def test_a_burst_is_answered(site, path, n):
    """Tokens were not used for long, so that each request has something to write down too."""
    ada = site.member("ada")
    with site.server.database.writing() as session:
        session.execute(update(ApiToken).values(last_used_at=site.clock() - timedelta(days=1)))
    headers = {
        "Authorization": f"Bearer {ada.token}",  # of the API, the cookie of pages
        "Cookie": f"raim_session={ada.client.cookies['raim_session']}",
    }
    with ThreadPoolExecutor(n + 1) as pool:
        jobs = [pool.submit(site.visitor().client.get, path, headers=headers) for _ in range(n)]
        health = [site.visitor().client.get("/robots.txt").status_code for _ in range(5)]
        codes = [job.result().status_code for job in jobs]
    assert (codes, health) == ([200] * n, [200] * 5)


def test_a_pool_that_is_used_up_is_reported_with_a_time_to_come_back(site, monkeypatch):
    engine = site.server.database.engine
    monkeypatch.setattr(engine.pool, "_timeout", 0.01)
    taken = [engine.connect() for _ in range(40)]
    try:
        answer = site.visitor().client.get("/api/v1/challenge")
    finally:
        for each in taken:
            each.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"]["code"] == "busy"


@pytest.mark.parametrize("number", ["+-5", "--5", "9" * 5000, "-1", "1.5", "abc", "\u0663"], ids=ascii)
def test_absurd_numbers_in_addresses_are_not_there(site, number):
    olga = site.organiser()
    for path in ("/submissions/{}", "/desk/teams/{}", "/api/v1/submissions/{}"):
        assert olga.get(path.format(number)).status_code in {404, 422}


def test_head_is_answered_where_get_is(site):
    ada = site.member("ada")
    for path in ("/team", "/api/v1/team", "/team/fact-sheet"):
        headers = {"Authorization": f"Bearer {ada.token}"}
        assert ada.client.head(path, headers=headers).status_code == 200


def test_an_address_is_compared_with_a_few_routes_only(site):
    for route in (each for each in site.app.routes if hasattr(each, "methods")):
        found = site.app.router.candidates(route.path_format.replace("{", "").replace("}", ""))
        assert route in found
        assert len(found) <= 6, route.path_format
    assert site.app.router.candidates("/c/my-challenge/no-such-page") == []
    assert site.visitor().client.get("/c/my-challenge/no-such-page").status_code == 404
    assert site.visitor().client.put("/c/my-challenge/rules").status_code == 405
