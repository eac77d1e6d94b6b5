"""All pages of the desk: their form, their weight, and how often they ask the database."""

import html
import re

import pytest

from desk_world import CountedQueries, World
from page_form import check_well_made
from server_site import Site

PATHS = (
    "/desk", "/desk/live", "/desk/teams", "/desk/teams/1", "/desk/users", "/desk/submissions", "/desk/submissions/1",
    "/desk/submissions/1/images/0001", "/desk/phases", "/desk/announcements", "/desk/finalists", "/desk/checklist",
    "/desk/exports", "/desk/audit",
)  # fmt: skip
PART = frozenset({"/desk/live"})  # a part of a page
MOST_QUERIES = 25
MOST_BYTES = 300_000


@pytest.fixture
def world(site):
    """Give a site whose challenge has two teams with submissions of all states."""
    made = World(database=site.server.database, definition=site.definition, now=site.clock.now)
    site.olga = site.organiser()
    fill(made, 2)
    return made


def fill(world, n_teams):
    """Put teams with submissions, flags, failures, announcements and log lines into the challenge."""
    for _ in range(n_teams):
        name = f"Team {len(world.teams)}"
        world.team(name, email="same@example.org", address="192.0.2.1", state="approved")
        world.team(f"{name} waits", state="waiting")
        for score in (60.0, 61.5):
            world.submission(
                name, score=score, phase="feedback", flags={"same-file": "it is that of another team"}
            )
        for state in ("failed", "queued", "refused"):
            world.submission(name, state=state, phase="feedback")


def test_every_page_is_well_made(site, world):
    for path in PATHS:
        answer = site.olga.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert len(answer.content) < MOST_BYTES
        check_well_made(answer.text, path, is_part=path in PART)


def test_every_page_answers_on_both_databases(challenge_folder, clock, database_url):
    site = Site(challenge_folder, clock, database_url)
    olga = site.organiser()
    fill(World(database=site.server.database, definition=site.definition, now=clock.now), 2)
    filters = (
        "/desk/teams?q=team&state=waiting", "/desk/users?q=team&role=participant", "/desk/audit?actor=olga",
        "/desk/submissions?team=1&phase=feedback&kind=scored&state=scored&flagged=unseen",
        "/desk/exports/everything.zip", "/desk/submissions/1?result=1",
    )  # fmt: skip
    for path in (*PATHS, *filters):
        assert olga.get(path).status_code == 200, path
    assert olga.post("/desk/phases/feedback/rescore").status_code == 303
    site.server.database.engine.dispose()


def test_pages_ask_the_database_a_bounded_number_of_times(site, world):
    def count():
        counts = {}
        for path in PATHS:
            site.olga.get(path)  # what is kept between requests is made here
            with CountedQueries(world.database) as queries:
                assert site.olga.get(path).status_code == 200
            counts[path] = len(queries)
        return counts

    few = count()
    fill(world, 10)
    assert count() == few
    assert max(few.values()) <= MOST_QUERIES, few


def lines_of(page, path):
    return re.findall(rf'<th scope="row"[^>]*><a href="/c/my-challenge{path}/(\d+)"', page.text)


def link_of(page, way):
    (found,) = re.findall(rf'href="([^"]+)" rel="{way}"', page.text)
    return html.unescape(found)


def test_long_lists_come_in_pages_that_stay_light(site, world):
    fill(world, 30)
    for path, words in (("/desk/submissions", "160 submissions"), ("/desk/teams", "64 teams")):
        first = site.olga.get(path)
        assert words in first.text
        assert 'rel="prev"' not in first.text
        assert len(first.content) < MOST_BYTES
        seen = [lines_of(first, path)]
        page = first
        while 'rel="next"' in page.text:
            page = site.olga.get(path + link_of(page, "next"))
            seen.append(lines_of(page, path))
        every = [line for lines in seen for line in lines]
        assert len(every) == len(set(every)) == int(words.split()[0])
        for expected in reversed(seen[:-1]):  # and back again
            page = site.olga.get(path + link_of(page, "prev"))
            assert lines_of(page, path) == expected
        assert 'rel="prev"' not in page.text
        for asked in ("2", "after.", "behind.3", "after.x" if path == "/desk/submissions" else "before."):
            assert site.olga.get(f"{path}?page={asked}").status_code in {400, 422}, asked
    assert len(site.olga.get("/desk/audit").content) < MOST_BYTES


def test_nobody_but_organisers_sees_a_page(site, world):
    ada = site.member("ada")
    for path in PATHS:
        assert ada.get(path).status_code == 403, path
        assert site.visitor().get(path).headers["location"].startswith("/login"), path


@pytest.mark.parametrize(
    "path",
    [
        "/desk/teams/0", "/desk/teams/99999999999999999999", "/desk/teams/x", "/desk/submissions/2147483648",
        "/desk/submissions?page=0", "/desk/submissions?team=abc", "/desk/teams?page=99999999999999999999",
        "/desk/teams?q=%00", "/desk/audit?actor=%00", "/desk/users?q=" + "x" * 201,
    ],
)  # fmt: skip
def test_addresses_that_nobody_made_are_refused_politely(site, world, path):
    assert site.olga.get(path).status_code in {404, 422}


@pytest.mark.parametrize(
    "path",
    [
        "/desk/teams/999", "/desk/submissions/999", "/desk/submissions/1/images/none",
        "/desk/submissions/1/reference/none", "/desk/exports/none.csv", "/desk/exports/teams.xlsx",
        "/desk/exports/teams",
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_to_be_missing(site, world, path):
    assert site.olga.get(path).status_code == 404


def test_a_search_takes_any_text_for_what_it_is(site, world):
    for text in ("%", "_", "'; DROP TABLE team; --", "<script>alert(1)</script>", "ä\u202eö"):
        for path in ("/desk/teams", "/desk/users", "/desk/audit?action="):
            joint = "&" if "?" in path else "?"
            key = "actor" if "audit" in path else "q"
            answer = site.olga.client.get(f"{path}{joint}", params={key: text})
            assert answer.status_code == 200
            assert "<script>alert" not in answer.text
    assert "0 teams" in site.olga.client.get("/desk/teams", params={"q": "%"}).text
    assert "4 teams" in site.olga.client.get("/desk/teams", params={"q": "  TEAM "}).text
