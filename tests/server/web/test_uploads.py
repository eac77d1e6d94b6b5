import asyncio
import hashlib
import threading
import uuid
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import event, select
from starlette.requests import Request

from page_form import check_well_made
from raim.errors import StorageFullError
from raim.server import gathering
from raim.server import storage as storing
from raim.server.database import Submission, Team, Upload
from raim.server.gathering import list_gathered
from raim.server.storage import has_file, open_storage
from raim.server.submissions import uploads
from raim.server.submissions.tries import BEGUN_AT_ONCE
from raim.server.submissions.uploads import abandon_silent_uploads, drop_ended
from raim.server.web.app import make_app
from raim.server.web.routes import submissions
from raim.server.web.routes.submissions import ComingFile
from server_site import ADDRESS, PASSWORD, Browser


def head(person, url):
    return person.client.head(url, headers={"Authorization": f"Bearer {person.token}"})


@pytest.fixture
def ada(site):
    return site.member("ada")


@pytest.fixture
def content(site):
    return site.zip_of()


def test_a_file_arrives_in_pieces_and_is_then_checked(site, ada, content):
    started = site.begin(ada, content).json()
    url, half = started["upload"]["url"], len(content) // 2
    answer = site.send(ada, url, content[:half])
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(half))
    assert head(ada, url).headers["upload-offset"] == str(half)
    assert ada.api("GET", "/submissions/1").json()["received_bytes"] == half
    assert site.send(ada, url, content[half:], offset=half).status_code == 204
    shown = ada.api("GET", "/submissions/1").json()
    assert (shown["state"], shown["upload"]) == ("checking", None)
    assert ada.get("/submissions/1/file").content == content
    assert list_gathered(site.server.storage) == set()


def test_beginning_writes_once_and_a_piece_twice(site, ada, content):
    ada.api("GET", "/team")  # notes that the token is used
    asked = []
    event.listen(site.server.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    url = site.begin(ada, content).json()["upload"]["url"]
    assert asked.count("BEGIN IMMEDIATE") == 1
    asked.clear()
    assert site.send(ada, url, content[:100]).status_code == 204
    assert asked.count("BEGIN IMMEDIATE") == 2  # its turn; how much there is, with the end of its turn
    assert head(ada, url).headers["upload-offset"] == "100"


@pytest.mark.parametrize("place", ["a folder", "elsewhere"])
def test_another_host_goes_on_with_what_one_has_begun(site, ada, content, tmp_path, place):
    if place == "elsewhere":
        site.server.storage = open_storage(f"memory://{uuid.uuid4()}")
    other = replace(site.server, settings=replace(site.server.settings, folder=tmp_path / "another host"))
    elsewhere = Browser(make_app(other), base_url=ADDRESS)
    elsewhere.cookies.update(ada.client.cookies)
    there = replace(ada, client=elsewhere)
    url, half = site.begin(ada, content).json()["upload"]["url"], len(content) // 2
    assert site.send(ada, url, content[:half]).status_code == 204
    assert head(there, url).headers["upload-offset"] == str(half)
    assert site.send(there, url, content[half:], offset=half).status_code == 204
    assert ada.api("GET", "/submissions/1").json()["state"] == "checking"
    assert there.get("/submissions/1/file").content == content


def test_the_same_file_goes_on_where_it_stopped_and_takes_one_try(site, ada, content):
    first = site.begin(ada, content).json()
    site.send(ada, first["upload"]["url"], content[:1000])
    again = site.begin(ada, content).json()
    assert again["submission"]["id"] == first["submission"]["id"]
    assert again["upload"] == {"url": first["upload"]["url"], "offset": 1000}
    assert site.send(ada, again["upload"]["url"], content[1000:], offset=1000).status_code == 204
    assert ada.api("GET", "/me").json()["intakes"]["feedback"][0]["left_today"] == 4


def test_a_wrong_offset_is_reported_and_nothing_is_lost(site, ada, content):
    url = site.begin(ada, content).json()["upload"]["url"]
    site.send(ada, url, content[:1000])
    for offset in (0, 999, 1001):
        answer = site.send(ada, url, content[offset:], offset=offset)
        assert answer.status_code == 409
        assert "has 1000 bytes" in answer.json()["error"]["message"]
    assert site.send(ada, url, content[1000:], offset=1000).status_code == 204


def test_more_than_promised_is_refused(site, ada, content):
    url = site.begin(ada, content).json()["upload"]["url"]
    answer = site.send(ada, url, content + b"x")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "content_mismatch"


def test_another_file_than_promised_begins_again(site, ada, content):
    url = site.begin(ada, content).json()["upload"]["url"]
    answer = site.send(ada, url, b"x" * len(content))
    assert answer.status_code == 409
    assert "was promised" in answer.json()["error"]["message"]
    assert head(ada, url).headers["upload-offset"] == "0"
    assert site.send(ada, url, content).status_code == 204


def test_headers_that_are_no_numbers_or_types_are_refused(site, ada, content):
    url = site.begin(ada, content).json()["upload"]["url"]
    token = {"Authorization": f"Bearer {ada.token}"}
    kind = {"Content-Type": "application/offset+octet-stream"}
    for headers in ({}, {"Upload-Offset": "-1"}, {"Upload-Offset": "9" * 20}, {"Upload-Offset": "0x1"}):
        assert ada.client.patch(url, headers={**token, **kind, **headers}, content=b"x").status_code == 400
    answer = ada.client.patch(url, headers={**token, "Upload-Offset": "0"}, content=b"x")
    assert answer.status_code == 400


def test_another_team_neither_sees_nor_adds(site, ada, content):
    url = site.begin(ada, content).json()["upload"]["url"]
    bob = site.member("bob")
    assert head(bob, url).status_code == 404
    assert site.send(bob, url, content).status_code == 404
    assert site.send(site.visitor(), url, content).status_code == 401


def test_an_upload_that_began_in_time_counts_within_the_grace(site, ada, content, clock):
    clock.now = site.definition.phase("feedback").closes.replace(second=0)
    clock.move(seconds=-1)
    started = site.begin(ada, content).json()
    clock.move(seconds=3600)
    assert site.send(ada, started["upload"]["url"], content).status_code == 204
    assert ada.api("GET", "/submissions/1").json()["state"] == "checking"


def test_an_upload_that_ends_after_the_grace_is_given_up_with_its_reason(site, ada, content, clock):
    clock.now = site.definition.phase("feedback").closes
    clock.move(seconds=-1)
    started = site.begin(ada, content).json()
    clock.move(seconds=3602)
    answer = site.send(ada, started["upload"]["url"], content)
    assert answer.status_code == 409
    assert "after the deadline and its grace of 3600 s" in answer.json()["error"]["message"]
    shown = ada.api("GET", "/submissions/1").json()
    assert (shown["state"], shown["takes_try"]) == ("abandoned", False)
    ada.post("/login", login="ada", password=PASSWORD)  # the first one is over by now
    page = ada.get("/submissions/1")
    assert "after the deadline and its grace" in page.text
    assert site.begin(ada, content).status_code == 409


def test_the_page_states_the_rule_that_is_enforced(site, ada):
    assert (
        "An upload counts if it has begun before 2026-04-30 12:00 UTC and ends by 2026-04-30 13:00 UTC"
        in ada.get("/submit").text
    )


def test_giving_up_gives_the_try_back(site, ada, content):
    started = site.begin(ada, content).json()
    site.send(ada, started["upload"]["url"], content[:100])
    answer = ada.client.delete(started["upload"]["url"], headers={"Authorization": f"Bearer {ada.token}"})
    assert answer.status_code == 204
    assert ada.api("GET", "/submissions/1").json()["state"] == "withdrawn"
    assert ada.api("GET", "/me").json()["intakes"]["feedback"][0]["left_today"] == 5
    assert list_gathered(site.server.storage) == set()
    assert site.send(ada, started["upload"]["url"], content[100:], offset=100).status_code == 404


def test_a_silent_upload_is_given_up_after_a_day(site, ada, content, clock):
    url = site.begin(ada, content).json()["upload"]["url"]
    site.send(ada, url, content[:100])
    clock.move(hours=25)
    with site.server.database.writing() as session:
        assert abandon_silent_uploads(session, clock()) == 1
        assert abandon_silent_uploads(session, clock()) == 0
    assert ada.api("GET", "/submissions/1").json()["error"].startswith("nothing came for 24 hours")
    assert head(ada, url).status_code == 404


def test_a_full_disk_is_reported_and_the_same_request_works_later(site, ada, content, monkeypatch):
    started = site.begin(ada, content).json()

    def full(*_args, **_options):
        raise StorageFullError("a file of 9 bytes cannot be kept: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("raim.server.gathering.adopt_file", full)
        answer = site.send(ada, started["upload"]["url"], content)
        assert answer.status_code == 507
        assert answer.json()["error"]["code"] == "storage_full"
        assert head(ada, started["upload"]["url"]).status_code == 507
    assert head(ada, started["upload"]["url"]).headers["upload-offset"] == str(len(content))
    assert ada.api("GET", "/submissions/1").json()["state"] == "checking"


def test_too_little_room_refuses_before_the_first_byte(site, ada, content):
    site.server.storage = type(site.server.storage)(
        system=site.server.storage.system, root=site.server.storage.root, keep_free_bytes=2**60
    )
    answer = site.begin(ada, content)
    assert answer.status_code == 507
    with site.server.database.reading() as session:
        assert session.scalars(select(Submission)).all() == []


def test_many_pieces_at_once_leave_one_whole_file(site, ada, content):
    url = site.begin(ada, content).json()["upload"]["url"]
    ends = []

    def post():
        ends.append(site.send(ada, url, content).status_code)

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends.count(204) >= 1
    assert set(ends) <= {204, 409}
    assert ada.get("/submissions/1/file").content == content


def test_a_client_that_goes_away_leaves_what_has_come(site, ada, content):
    url = site.begin(ada, content).json()["upload"]["url"]
    messages = iter(
        [{"type": "http.request", "body": content[:5000], "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive():
        return next(messages)

    async def send(_message):
        pass

    headers = {
        "host": "127.0.0.1:8000",
        "authorization": f"Bearer {ada.token}",
        "content-type": "application/offset+octet-stream",
        "upload-offset": "0",
    }
    scope = {
        "type": "http",
        "method": "PATCH",
        "path": url,
        "raw_path": url.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "http_version": "1.1",
    }
    asyncio.run(site.app(scope, receive, send))
    offset = int(head(ada, url).headers["upload-offset"])
    assert offset == 5000
    assert site.send(ada, url, content[offset:], offset=offset).status_code == 204


def test_a_plain_form_takes_a_file_without_scripts(site, ada, content):
    fields = {"target": "feedback/scored", "note": "first"}
    answer = ada.client.post(
        "/submit", data=fields, files={"file": ("a.zip", content)}, follow_redirects=False
    )
    assert answer.headers["location"] == "/submissions/1?note=sent"
    with site.server.database.reading() as session:
        submission, upload = session.scalars(select(Submission)).one(), session.scalars(select(Upload)).one()
        assert submission.state == "checking"
        assert submission.committed_sha256 == hashlib.sha256(content).hexdigest()
        assert upload.file_name == "a.zip"


def test_a_plain_form_without_a_file_says_so(site, ada):
    answer = ada.client.post("/submit", data={"target": "feedback/scored"}, files={"other": b"x"})
    assert answer.status_code == 400
    assert "choose a zip file" in answer.text
    fields = {"target": "feedback/nothing"}
    answer = ada.client.post("/submit", data=fields, files={"file": ("a.zip", b"x")})
    assert answer.status_code == 404
    assert "no kind of submission named" in answer.text


@pytest.fixture
def unread(monkeypatch):
    """Let nobody read a form: what is refused is refused before its first byte."""

    def read(*_args, **_options):
        raise AssertionError("the form was read")

    monkeypatch.setattr(Request, "form", read)


def send_form(person):
    files = {"file": ("a.zip", b"x" * 1000)}
    return person.client.post("/submit", data={"target": "feedback/scored"}, files=files)


def test_a_form_counts_with_the_teams_other_uploads_before_its_file_comes(site, ada, unread):
    for number in range(BEGUN_AT_ONCE):
        site.begin(ada, bytes([number])).json()
    answer = send_form(ada)
    assert answer.status_code == 409
    assert "3 uploads of your team are under way" in answer.text


def test_forms_that_are_still_coming_count_for_their_own_team(site, ada, content, monkeypatch):
    with site.server.database.reading() as session:
        team_id = session.scalars(select(Team.id)).one()
    site.app.state.coming += [ComingFile(team_id=team_id, n_bytes=1) for _ in range(BEGUN_AT_ONCE)]
    bob = site.member("bob")
    sent = {"data": {"target": "feedback/scored"}, "files": {"file": ("a.zip", content)}}
    assert bob.client.post("/submit", **sent, follow_redirects=False).status_code == 303
    assert len(site.app.state.coming) == BEGUN_AT_ONCE
    monkeypatch.setattr(Request, "form", None)  # would be a fault of ours: 500
    assert send_form(ada).status_code == 409


def test_a_form_far_beyond_the_teams_quota_is_not_read(site, ada, unread):
    uploads = replace(site.definition.uploads, team_bytes=2**20)
    site.change(uploads=uploads)
    files = {"file": ("a.zip", bytes(2 * 2**20 + 1))}
    answer = ada.client.post("/submit", data={"target": "feedback/scored"}, files=files)
    assert answer.status_code == 507
    assert "your team has 0 bytes of at most 1.0 MiB here" in answer.text


def test_a_form_for_whose_file_the_temporary_folder_has_no_room_is_not_read(site, ada, unread, monkeypatch):
    site.app.state.coming.append(ComingFile(team_id=0, n_bytes=10**6))
    monkeypatch.setattr(submissions.shutil, "disk_usage", lambda _path: SimpleNamespace(free=10**6 + 900))
    answer = send_form(ada)
    assert answer.status_code == 507
    assert "there is no room for a file of this form now" in answer.text


def test_the_offset_is_asked_for_while_the_last_piece_is_kept(site, ada, content, monkeypatch):
    url = site.begin(ada, content).json()["upload"]["url"]
    asked, kept = [], []
    keep = gathering.adopt_file

    def keep_slowly(storage, part, **promised):
        kept.append(part)
        if not asked:
            asked.append(None)
            asked[0] = head(ada, url).status_code
        keep(storage, part, **promised)

    monkeypatch.setattr(gathering, "adopt_file", keep_slowly)
    assert site.send(ada, url, content).status_code == 204
    assert asked == [200]
    assert len(kept) == 1


def test_a_form_sent_twice_at_once_is_one_submission(site, ada, content, monkeypatch):
    """The second one comes while the first is being kept."""
    answers = []
    keep = storing.put_file

    def post():
        fields = {"target": "feedback/scored"}
        files = {"file": ("a.zip", content)}
        answer = ada.client.post("/submit", data=fields, files=files, follow_redirects=False)
        answers.append(answer.headers.get("location") or answer.text)

    def keep_slowly(*args, **promised):
        if not answers:
            answers.append(None)
            post()
        keep(*args, **promised)

    monkeypatch.setattr(uploads, "put_file", keep_slowly)
    post()
    assert answers == [None, "/submissions/1?note=sent", "/submissions/1?note=sent"]


def test_what_came_of_uploads_that_were_given_up_is_deleted(site, ada, content, clock):
    given_up, running = (
        site.begin(ada, zipped).json()["upload"]["url"] for zipped in (content, content + b"x")
    )
    site.send(ada, given_up, content[:100])
    clock.move(hours=23)
    site.send(ada, running, content[:100])
    clock.move(hours=2)
    with site.server.database.writing() as session:
        assert abandon_silent_uploads(session, clock()) == 1
    assert drop_ended(site.server.database, site.server.storage) == 1
    assert list_gathered(site.server.storage) == {running.rpartition("/")[2]}
    assert head(ada, running).headers["upload-offset"] == "100"


def test_a_file_beyond_the_teams_quota_is_refused_before_it_is_sent_and_takes_no_try(site, ada, content):
    site.submit(ada, content)
    uploads = replace(site.definition.uploads, team_bytes=len(content) + 10)
    site.change(uploads=uploads)
    before = ada.api("GET", "/me").json()["intakes"]["feedback"][0]["left_today"]
    answer = site.begin(ada, content + b"11 bytes...")
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    assert "your team has" in answer.json()["error"]["message"]
    assert ada.api("GET", "/me").json()["intakes"]["feedback"][0]["left_today"] == before
    form = {"target": "feedback/scored"}
    files = {"file": ("other.zip", content + b"11 bytes...")}
    page = ada.client.post("/submit", data=form, files=files, follow_redirects=False)
    assert page.status_code == 507
    assert "would be beyond that; ask the organisers for room" in page.text
    assert "The files of your team take" in ada.get("/submit").text
    assert not has_file(site.server.storage, hashlib.sha256(content + b"11 bytes...").hexdigest())
    shown = ada.api("GET", "/team").json()["kept"]
    assert shown == {
        "n_bytes": len(content),
        "quota_bytes": len(content) + 10,
        "kinds": {"under way": len(content)},
    }
    page = ada.get("/team").text
    check_well_made(page, "/team")
    assert "Why it is kept" in page
    assert "may take" in ada.get("/rules").text
