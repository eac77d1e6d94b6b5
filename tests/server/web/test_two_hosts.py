"""Two web processes on one PostgreSQL: what is done through one is so through the other, with its next request."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from challenge_zip import pack_folder
from desk_world import World
from many_site import write_challenges
from raim.errors import StateError
from raim.server.actions.challenge_folders import load_challenge
from raim.server.database import (
    Challenge,
    ChallengeUpload,
    DataSet,
    RequestRate,
    Submission,
    announce_change,
    migrate,
)
from raim.server.database.engine import PLACING_LOCK, try_turn
from raim.server.jobs.context import start_heartbeat
from raim.server.serving import open_server
from raim.server.settings import read_settings
from raim.server.submissions.states import change_state
from raim.server.web.placement import place_uploads
from raim.server.web.rate_limit import Buckets
from server_site import ADDRESS, PASSWORD, Clock, Person, Site

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
NIGHT = {'id = "my-challenge"': 'id = "night"', 'name = "My image': 'name = "Night image'}


class Host(Site):
    """A web process, whose people may go on through the other one."""

    def goes_on(self, person):
        """Give somebody's browser, with its cookies, whose requests come to this host now."""
        other = self.visitor()
        other.client.cookies.update(person.client.cookies)
        return Person(client=other.client, login=person.login, token=person.token)


@pytest.fixture
def hosts(tmp_path, database_url):
    """Give two hosts of a folder with two challenges."""
    folder, clock = tmp_path / "all", Clock()
    write_challenges(folder, ("my-challenge", "moire"))
    both = [Host(folder, clock, database_url) for _ in range(2)]
    yield both
    for each in both:
        each.server.database.engine.dispose()


@pytest.fixture
def roots(hosts):
    """Give the administrator's browser at each host."""
    first, second = hosts
    person = first.visitor()
    person.post(second.first_link.removeprefix(ADDRESS), login="root", password=PASSWORD)
    first.with_token(person)
    return person, second.goes_on(person)


def edit(site, challenge, old, new):
    file = site.folder / challenge / "challenge.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def names(host):
    return sorted(each["id"] for each in host.visitor().get("/api/v1/challenges").json())


def test_a_challenge_that_is_found_through_one_host_is_served_by_the_other(hosts, roots):
    first, second = hosts
    write_challenges(first.folder, ("dusk",))
    (first.folder / "series.toml").write_text('name = "A workshop"', encoding="utf-8")
    (first.folder / "broken").mkdir()
    (first.folder / "broken" / "challenge.toml").write_text("id = 1", encoding="utf-8")
    assert "A workshop" not in second.visitor().get("/").text
    assert roots[0].post("/admin/look").status_code == 303
    assert "Challenge dusk" in roots[1].get("/c/dusk/").text
    assert "A workshop" in second.visitor().get("/").text
    assert "<code>broken</code> cannot be taken" in roots[1].get("/admin").text
    assert roots[1].post("/admin/challenges/dusk", status="open").status_code == 303
    assert names(first) == names(second) == ["dusk", "moire", "my-challenge"]


def test_what_an_organiser_changes_through_one_host_holds_at_the_other(hosts, roots):
    first, second = hosts
    assert first.visitor().get("/").status_code == second.visitor().get("/c/my-challenge/").status_code == 200
    edit(first, "my-challenge", 'name = "Challenge my-challenge"', 'name = "By night"')
    assert "challenge.toml was read" in roots[0].post("/c/my-challenge/desk/challenge/read").text
    assert "By night" in second.visitor().get("/c/my-challenge/").text
    with second.server.database.reading() as session:
        closes = second.server.challenge(session, "my-challenge").definition.phase("feedback").closes
    later = closes + timedelta(hours=5)
    extended = roots[1].post(
        "/c/my-challenge/desk/phases/feedback/extend",
        closes=f"{later:%Y-%m-%dT%H:%M:%SZ}",
        tries="none",
        reason="the network was down",
    )
    assert extended.status_code == 303, extended.text
    assert f"{later:%Y-%m-%d %H:%M}" in first.visitor().get("/c/my-challenge/").text
    paused = roots[0].post("/c/my-challenge/desk/phases/feedback", is_paused="true")
    assert paused.status_code == 303, paused.text
    with second.server.database.reading() as session:
        assert "feedback" in second.server.challenge(session, "my-challenge").paused_at
    ada = second.visitor()
    ada.post("/register", login="ada", password=PASSWORD, consent="yes", following="/c/my-challenge/")
    roots[1].post("/admin/challenges/my-challenge", status="paused")
    assert first.goes_on(ada).post("/team/new", name="A", consent="yes").status_code == 409
    roots[0].post("/admin/challenges/my-challenge", status="retired")
    assert names(second) == ["moire"]


def test_a_challenge_that_is_uploaded_through_one_host_is_placed_by_one_of_both(hosts, roots, example_folder):
    first, second = hosts
    content = pack_folder(example_folder, changes=NIGHT)
    wanted = {
        "file_name": "night.zip",
        "n_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    begun = roots[0].api("POST", "/admin/uploads", json=wanted).json()
    half = len(content) // 2
    url = begun["upload"]["url"]
    assert first.send(roots[0], url, content[:half]).status_code == 204
    assert second.send(roots[1], url, content[half:], offset=half).status_code == 204
    with first.server.database.writing() as session:
        session.scalars(select(ChallengeUpload)).one().state = "placing"  # as a worker does
    with try_turn(second.server.database, PLACING_LOCK) as is_ours:
        assert is_ours
        place_uploads(first.server)
        assert roots[0].api("GET", f"/admin/uploads/{begun['id']}").json()["state"] == "placing"
    place_uploads(second.server)
    place_uploads(first.server)
    assert roots[0].api("GET", f"/admin/uploads/{begun['id']}").json()["state"] == "taken"
    assert "Night image" in roots[0].get("/c/night/").text
    assert "Night image" in roots[1].get("/c/night/").text


def test_who_is_logged_in_at_one_host_is_so_at_the_other_until_they_log_out(hosts, roots):
    first, second = hosts
    ada = first.visitor()
    ada.post("/register", login="ada", password=PASSWORD, consent="yes", following="/c/my-challenge/")
    ada.post("/team/new", name="Team A", consent="yes")
    first.with_token(ada)
    there = second.goes_on(ada)
    assert "Team A" in there.get("/team").text
    assert there.api("GET", "/submissions").status_code == 200
    roots[1].post("/c/my-challenge/desk/teams/1", state="suspended")
    assert "suspended" in ada.get("/team").text
    page = there.get("/account").text
    number = re.search(r"/account/tokens/(\d+)/revoke", page)[1]
    assert there.post(f"/account/tokens/{number}/revoke").status_code == 303
    assert ada.api("GET", "/submissions").status_code == 401
    assert there.post("/logout").status_code == 303
    assert ada.get("/team").headers["location"].startswith("/login")


def test_boards_and_forecasts_are_those_of_the_other_host_too(hosts):
    first = hosts[0]
    definition = load_challenge(first.folder / "my-challenge")
    world = World(
        database=first.server.database, definition=definition, now=definition.phase("feedback").opens
    )
    world.team("Team Z")
    number = world.submission("Team Z", state="scoring", phase="feedback")
    for each in hosts:
        assert "Team Z" not in each.visitor().get("/c/my-challenge/leaderboard/feedback").text
        with each.server.database.reading() as session:
            assert each.server.forecasts.get(session, each.clock()).workers == ()
    with first.server.database.writing() as session:
        start_heartbeat(session, first.clock(), "on a third host")
        world.add_results(session, world.challenge(), session.get_one(Submission, number), 71.0)
        change_state(session, world.now, number, "scored")
    for each in hosts:
        assert "Team Z" in each.visitor().get("/c/my-challenge/leaderboard/feedback").text
        with each.server.database.reading() as session:
            (worker,) = each.server.forecasts.get(session, each.clock()).workers
            assert worker.name == "on a third host"


def test_who_asks_too_often_is_refused_by_every_host(hosts):
    first, second = hosts
    slow = Buckets(per_minute=1, burst=4)  # filled so slowly that a slow machine changes nothing
    for each in hosts:
        each.app.state.buckets = slow
    ada, bob = (
        first.user("ada", following="/c/my-challenge/"),
        first.user("bob", following="/c/my-challenge/"),
    )
    first.with_token(ada)
    first.with_token(bob)
    there = second.goes_on(ada)
    answers = [person.api("GET", "/challenge") for person in (ada, there) * 3]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert slow.kept == {}
    assert bob.api("GET", "/challenge").status_code == 200
    with first.server.database.reading() as session:
        rows = session.scalars(select(RequestRate).order_by(RequestRate.name)).all()
    assert [(row.name, row.wait > 0) for row in rows] == [("user 1", True), ("user 2", False)]


def test_a_host_goes_on_beside_one_of_a_newer_raim_that_has_brought_the_database_up(hosts):
    first, second = hosts
    with second.server.database.writing() as session:  # as the newer one does: a step only adds
        session.execute(text("ALTER TABLE team ADD COLUMN motto VARCHAR(200)"))
        session.execute(text("ALTER TABLE challenge ADD COLUMN colour VARCHAR(200) NOT NULL DEFAULT 'red'"))
        session.execute(text("UPDATE alembic_version SET version_num = 's9999'"))
        row = session.scalars(select(Challenge).where(Challenge.slug == "my-challenge")).one()
        row.definition = row.definition | {"name": "By a newer one", "colour": "red"}
        row.definition_sha256 = "0" * 64
        announce_change(session, row.id)
    assert "By a newer one" in first.visitor().get("/c/my-challenge/").text
    ada = first.user("ada", following="/c/my-challenge/")
    assert ada.post("/team/new", name="A", consent="yes").status_code == 303
    with pytest.raises(StateError, match="another version of raim"):
        migrate(first.server.database.engine)
    with first.server.database.writing() as session:
        row = session.scalars(select(Challenge).where(Challenge.slug == "moire")).one()
        row.definition, row.definition_sha256 = row.definition | {"name": {"en": "Moire"}}, "1" * 64
        announce_change(session, row.id)
    answer = first.visitor().get("/c/moire/")
    assert answer.status_code == 409
    assert "was read by a newer raim; upgrade this host too" in answer.text
    assert first.visitor().get("/c/my-challenge/").status_code == 200


def test_hosts_that_start_at_once_bring_in_each_challenge_once(tmp_path, database_url):
    write_challenges(tmp_path, ("moire", "night"))
    settings = read_settings({"RAIM_DATABASE_URL": database_url, "RAIM_SMTP_URL": "smtp://localhost",
                              "RAIM_MAIL_FROM": "raim@example.org"}, folder=tmp_path)  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_server(settings, clock=Clock()), range(4)))
    for each in opened:
        assert sorted(one.definition.id for one in each.challenges) == ["moire", "night"]
        assert each.problems == {}
    with opened[0].server.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(DataSet)) == 2 * 4
    for each in opened:
        each.server.database.engine.dispose()
