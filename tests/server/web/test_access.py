"""Every route, as everybody, against the table in docs/server-access.md: what is not in the table must not exist."""

import importlib.util
import re
from pathlib import Path

import pytest

from raim.server.database import ChallengeUpload
from raim.server.web.access import ROUTE_RULES, Viewer, decide
from raim.server.web.routing import REGISTER

DOCS = Path(__file__).parents[3] / "docs"
PEOPLE = ("visitor", "other", "member", "judge", "elsewhere", "organiser", "administrator")
# Words of refusals; an answer that has none of them came from the route's own function.
REFUSALS = {
    "this is for the organisers": "no",
    "this is for the administrators": "no",
    "join or make a team first": "team",
    "there is no such submission": "hidden",
    "open the link that the organiser sent you": "link",
}


def load_document():
    """Load what writes the document."""
    found = importlib.util.spec_from_file_location("server_access", DOCS / "server_access.py")
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


def read_table():
    return {
        route: dict(zip(PEOPLE, said, strict=True)) for route, said in load_document().make_table().items()
    }


def list_routes(app):
    found = {}
    pending = [("", route) for route in app.routes]
    while pending:
        prefix, route = pending.pop()
        nested = getattr(route, "original_router", None)
        if nested is not None:
            pending += [(prefix + route.include_context.prefix, each) for each in nested.routes]
        elif hasattr(route, "methods"):
            known = REGISTER.get(route.name)
            is_twin = "GET" in route.methods or (known is not None and known.method == "GET")
            for method in route.methods - ({"HEAD"} if is_twin else set()):
                found[method, prefix + route.path] = route.name
    return found


def fill(path, upload):
    if path.startswith("/admin/uploads/file/"):
        return path.format(key="of-a-challenge")
    values = {
        "challenge_id": "my-challenge",
        "submission_id": "1",
        "key": upload,
        "phase_id": "feedback",
        "data_set_id": "feedback-pairs",
        "name": "0001",
        "source": "1",
        "token": "none",
        "table": "teams.csv",
        "token_id": "999",
        "slug": "no-such",
    }
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values.get(found[1], "1"), path)


def outcome(person, method, path):
    headers = {"Authorization": f"Bearer {person.token}"} if person.token else {}
    answer = person.client.request(method, path, headers=headers, follow_redirects=False)
    assert answer.status_code < 500 or answer.status_code == 507, (method, path, answer.text[:500])
    if answer.status_code == 401 or answer.headers.get("location", "").startswith("/login?next="):
        return "login"
    if answer.headers.get("location", "") == "/team/new":
        return "team"
    if method == "HEAD":  # has no words
        return {403: "no" if path.startswith("/admin/") else "team", 404: "hidden"}.get(
            answer.status_code, "yes"
        )
    said = answer.text if answer.status_code in {403, 404} else ""
    return next((word for text, word in REFUSALS.items() if text in said), "yes")


@pytest.fixture
def people(site):
    """Give one of each kind; the member's team has a submission under way."""
    administrator = site.organiser("root")
    organiser = site.with_office("olga")
    member = site.member("ada")
    other = site.member("bob")
    judge = site.judge()
    with site.server.database.writing() as session:
        sent = {"n_bytes": 9, "sha256": "d" * 64, "begun_at": site.clock(), "updated_at": site.clock()}
        session.add(ChallengeUpload(user_id=1, key="of-a-challenge", file_name="a.zip", **sent))
    started = site.begin(member, site.zip_of()).json()
    upload = started["upload"]["url"].rpartition("/")[2]
    elsewhere = site.with_office("otto", challenge="other")
    everyone = {
        "visitor": site.visitor(),
        "other": other,
        "judge": judge,
        "member": member,
        "elsewhere": elsewhere,
        "organiser": organiser,
        "administrator": administrator,
    }
    return everyone, upload


def test_the_table_has_every_route_and_no_other(site):
    assert sorted(list_routes(site.app)) == sorted(read_table())


def test_the_committed_document_is_the_one_that_the_register_gives():
    assert (DOCS / "server-access.md").read_text(encoding="utf-8") == load_document().make_document()


def test_every_route_has_a_rule_and_every_rule_a_route(site):
    assert set(list_routes(site.app).values()) == set(ROUTE_RULES)


def in_order(routes):
    """Put reading first, then what changes something, then what ends something."""

    def place(route):
        method, path = route
        ends = 1 if method == "DELETE" or path.endswith("/withdraw") else 0
        ends = 2 if path.endswith("/team/leave") else ends
        ends = 3 if path.endswith("/phases/{phase_id}/input") else ends  # makes an organiser a member
        ends = 4 if path in {"/account/delete", "/logout"} else ends
        return ends, method not in {"GET", "HEAD", "OPTIONS"}, path

    return sorted(routes, key=place)


@pytest.mark.parametrize("name", PEOPLE)
def test_everybody_may_what_the_table_says_on_every_route(people, name):
    everyone, upload = people
    table = read_table()
    wrong = []
    for method, path in in_order(table):
        if path == "/api/v1/c/{challenge_id}/team/leave":  # a team is left once, by its page
            continue
        said, expected = outcome(everyone[name], method, fill(path, upload)), table[method, path][name]
        if said != expected:
            wrong.append(f"{method} {path} is {said}, the table says {expected}")
    assert wrong == []


def test_a_route_outside_the_table_is_open_to_nobody():
    for role in ("public", "member", "judge", "organiser"):
        viewer = Viewer(role=role, user_id=1, member_id=1, team_id=1)
        assert decide("no such route", viewer) == "forbidden"


def test_hidden_references_are_behind_no_address(site, people):
    everyone, _ = people
    references = {
        path.read_bytes() for path in (site.folder / "data" / "feedback-pairs" / "reference").iterdir()
    }
    for name in ("visitor", "other", "member", "judge"):
        person = everyone[name]
        headers = {"Authorization": f"Bearer {person.token}"} if person.token else {}
        for path in (
            "/data-sets/feedback-pairs/reference/0001",
            "/data-sets/feedback-pairs/references.zip",
            "/api/v1/data-sets/feedback-pairs/references.zip",
            "/data-sets/feedback-pairs/input/..%2Freference%2F0001",
            "/data-sets/feedback-pairs/input/../reference/0001",
            "/static/../../../data/feedback-pairs/reference/0001.png",
            "/static/%2e%2e/%2e%2e/data/feedback-pairs/reference/0001.png",
            "/submissions/1/restored/..%2F..%2Freference%2F0001",
        ):
            answer = person.client.get(path, headers=headers, follow_redirects=False)
            assert answer.status_code in {303, 401, 403, 404}, path
            assert answer.content not in references


def test_given_out_references_come_to_members_only(site):
    ada = site.member("ada")
    assert ada.get("/data-sets/tuning-pairs/references.zip").status_code == 200
    assert ada.get("/data-sets/tuning-pairs/reference/0001").status_code == 200
    assert site.visitor().get("/data-sets/tuning-pairs/reference/0001").status_code == 303
