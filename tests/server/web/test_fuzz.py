"""Requests that nobody would send: by the API's own document, and files that are no submissions."""

import io
import zipfile
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

EXAMPLES = 8
CALM = settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["organiser", "member", "visitor"])
def test_no_request_by_the_document_breaks_the_server(site, who):
    people = {"organiser": site.organiser, "member": lambda: site.member("ada"), "visitor": site.visitor}
    person = people[who]()
    site.submit(site.member("bob"), site.zip_of())
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", site.app, headers={"Host": "127.0.0.1:8000"}
    )
    headers = {"Authorization": f"Bearer {person.token}"} if person.token else {}
    headers["Host"] = "127.0.0.1:8000"
    broken = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def send(case):
            site.app.state.buckets.kept.clear()
            answer = case.call(headers=headers)
            if answer.status_code >= 500 and answer.status_code != 507:
                broken.append(
                    f"{case.method} {case.formatted_path}: {answer.status_code} {answer.text[:200]}"
                )
            elif answer.status_code >= 400 and case.method != "HEAD":
                assert "error" in answer.json(), answer.text

        send()
    assert broken == []


@settings(CALM, max_examples=25)
@given(
    path=st.text(max_size=40),
    query=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
    header=st.binary(max_size=30),
)
def test_no_address_breaks_the_server(fuzzed, path, query, header):
    site, person = fuzzed
    for start in (
        "/",
        "/leaderboard/",
        "/submissions/",
        "/data-sets/feedback-pairs/input/",
        "/join/",
        "/gallery/1/",
    ):
        answer = person.client.get(start + quote(path), params=query, follow_redirects=False)
        assert answer.status_code < 500, (start, path)
    value = header.replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")
    cookies = {b"cookie": b"raim_session=" + value, b"authorization": b"Bearer " + value}
    for name, content in cookies.items():
        answer = site.visitor().client.get("/api/v1/me", headers={name: content.strip()})
        assert answer.status_code in {400, 401}


@settings(CALM, max_examples=25)
@given(
    fields=st.dictionaries(
        st.sampled_from(["login", "password", "name", "email", "consent", "following"]), st.text(max_size=30)
    )
)
def test_no_form_breaks_the_server(fuzzed, fields):
    site, _ = fuzzed
    visitor = site.visitor()
    for path in ("/register", "/login"):
        answer = visitor.client.post(path, data=fields, follow_redirects=False)
        assert answer.status_code < 500, (path, fields)


@settings(CALM, max_examples=30)
@given(
    offset=st.one_of(st.integers(-5, 200), st.text(max_size=5).filter(str.isascii)),
    content=st.binary(max_size=200),
    kind=st.sampled_from(["application/offset+octet-stream", "text/plain", ""]),
)
def test_no_piece_of_an_upload_breaks_the_server(fuzzed, offset, content, kind):
    site, person = fuzzed
    good = b"x" * 100
    url = site.begin(person, good).json()["upload"]["url"]
    text = "".join(sign for sign in str(offset) if sign.isprintable()).strip()
    headers = {"Authorization": f"Bearer {person.token}", "Upload-Offset": text, "Content-Type": kind}
    answer = person.client.patch(url, headers=headers, content=content)
    assert answer.status_code in {204, 400, 409}
    site.app.state.buckets.kept.clear()


def test_a_file_that_is_no_zip_is_taken_whole_and_left_to_the_check(fuzzed):
    site, person = fuzzed
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../etc/passwd", b"x")
    number = site.submit(person, packed.getvalue())
    assert person.api("GET", f"/submissions/{number}").json()["state"] == "checking"
    assert person.get(f"/submissions/{number}/restored/0001").status_code == 404


@pytest.fixture(scope="module")
def fuzzed(example_folder, tmp_path_factory):
    """Give one server for many requests, and a member of a team."""
    import shutil

    from server_site import Clock, Site

    folder = shutil.copytree(example_folder, tmp_path_factory.mktemp("fuzz") / "challenge")
    site = Site(folder, Clock())
    yield site, site.member("ada")
    site.server.database.engine.dispose()
