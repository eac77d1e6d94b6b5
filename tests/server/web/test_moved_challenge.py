"""A closed challenge on another server: the same numbers, the same people, at its address there."""

import io
import json
import re
import shutil
import zipfile
from dataclasses import dataclass

import pytest
from sqlalchemy import select, update

from desk_world import World
from raim.report.closed import write_report
from raim.server.backup import make_backup, recover_challenge
from raim.server.database import Challenge, Submission, Team, Upload, User
from raim.server.study import results as study_results
from raim.server.study.closed_folder import open_material
from server_case import keep
from server_site import PASSWORD, Clock, Site
from study_world import StudyWorld, by_strength

STRENGTHS = {"Alpha": 2.0, "Beta": 1.0, "Gamma": 0.0}
SHOWN = (
    "/api/v1/leaderboard/feedback",
    "/api/v1/results",
    "/api/v1/desk/studies/1/results",
    "/leaderboard/feedback/scores.csv",
    "/results/ranking.csv",
    "/results/charts/finals",
)
# Numbers of rows, which are others there.
NUMBER = re.compile(r'("(?:id|study_id|submission_id|team_id|judge_id|version)": ?|\+00:00,)\d+')
ELSEWHERE = "another password"


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(study_results, "DRAWS", 60)


@dataclass
class Closed:
    """A closed challenge whose results are published, and an organiser of it."""

    site: object
    study: object
    olga: object


@pytest.fixture
def closed(site):
    olga = site.organiser()
    ada = site.member("ada", team="Delta")
    with site.server.database.writing() as session:
        row = session.scalars(select(User).where(User.login == "ada")).one()
        row.email, row.email_verified_at = "ada@example.org", site.clock()
    assert ada.get("/team").status_code == 200
    world = World(database=site.server.database, definition=site.definition, now=site.clock.now)
    study = StudyWorld(world=world)
    for place, name in enumerate(STRENGTHS):
        study.finalist(name, score=70.0 + place / 7)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in study.image_names():
            archive.write(site.folder / "data" / "final-unpaired" / "input" / f"{name}.png", f"{name}.png")
    with world.database.writing() as session:
        stored = keep(site.server.storage, packed.getvalue())
        n_bytes = len(packed.getvalue())
        files = update(Submission).values(committed_sha256=stored, committed_bytes=n_bytes)
        session.execute(files)
    study.build().invite("Jo", "Kim", "Lee").open().vote(by_strength(STRENGTHS)).step("close").step("reveal")
    olga.post("/desk/publish", shown_to="everybody")
    return Closed(site=site, study=study, olga=olga)


@pytest.fixture
def new_site(example_folder, tmp_path):
    """Give a server with another challenge, a study in it, and people."""
    folder = tmp_path / "new"
    shutil.copytree(example_folder, folder / "second")
    file = folder / "second" / "challenge.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('id = "my-challenge"', 'id = "second"'))
    made = Site(folder, Clock())
    root = made.visitor()
    path = made.first_link.partition("/first/")[2]
    assert root.post(f"/first/{path}", login="olga", password=ELSEWHERE).status_code == 303
    made.root = root
    countess = made.visitor()
    countess.post("/register", login="countess", password=ELSEWHERE, consent="yes")
    with made.server.database.writing() as session:
        row = session.scalars(select(User).where(User.login == "countess")).one()
        row.email, row.email_verified_at = "Ada@example.org", made.clock()
    world = World(database=made.server.database, definition=made.definition, now=made.clock.now)
    study = StudyWorld(world=world)
    for name in ("One", "Two"):
        study.finalist(name, score=50.0)
    study.build()
    with made.server.database.writing() as session:
        session.execute(update(Upload).values(key="second" + Upload.key))  # random, but for these
    yield made
    made.server.database.engine.dispose()


def report(site, out, challenge_id):
    settings, now = site.server.settings, site.clock()
    with open_material(settings, now=now, challenge_id=challenge_id) as material:
        write_report(material, out, formats=("csv", "json"))
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def move(closed, new_site, tmp_path):
    make_backup(
        closed.site.server.settings,
        tmp_path / "out.zip",
        now=closed.site.clock(),
        challenge_id="my-challenge",
    )
    return recover_challenge(
        tmp_path / "out.zip", new_site.server.settings, "my-challenge", now=new_site.clock()
    )


def numbers(person, study_id):
    texts = {}
    for path in SHOWN:
        answer = person.get(path.replace("studies/1/", f"studies/{study_id}/"))
        assert answer.status_code == 200, (path, answer.text)
        texts[path] = NUMBER.sub(r"\1N", answer.text)
    return texts


def test_board_ranking_and_report_of_a_moved_challenge_say_the_same_numbers(closed, new_site, tmp_path):
    before = numbers(closed.olga, 1)
    report_before = report(closed.site, tmp_path / "before", "")
    assert json.loads(before["/api/v1/results"])
    found = move(closed, new_site, tmp_path)
    assert (found.reset.n_uploads, found.n_joined) == (0, 1)
    assert numbers(new_site.root, 2) == before  # while the server runs
    assert report(new_site, tmp_path / "after", "my-challenge") == report_before
    assert len(report_before) > 4
    with new_site.server.database.reading() as session:
        assert session.scalars(select(Challenge.status).order_by(Challenge.id)).all() == ["open", "open"]


def test_people_of_a_moved_challenge_log_in_there(closed, new_site, tmp_path):
    found = move(closed, new_site, tmp_path)
    assert found.notes == (
        "the login olga is somebody else's here; olga of the backup has olga-2",
        "olga ran the server of the backup, and holds no office here by that",
        "ada of the backup is countess here: their verified address is one",
    )
    new_site.root.post("/admin/look")

    def enter(login, password):
        person = new_site.visitor()
        assert person.post("/login", login=login, password=password).status_code == 303, login
        return person

    assert "Delta" in enter("countess", ELSEWHERE).get("/team").text
    assert enter("olga-2", PASSWORD).get("/admin").status_code == 403
    for login, password in (("countess", PASSWORD), ("olga", PASSWORD), ("ada", PASSWORD)):
        answer = new_site.visitor().post("/login", login=login, password=password)
        assert answer.status_code == 400
    with new_site.server.database.reading() as session:
        team = session.scalars(select(Team).where(Team.name == "Delta")).one()
    for page in (
        "/desk",
        "/desk/teams",
        f"/desk/teams/{team.id}",
        "/desk/submissions",
        "/desk/studies/2",
        "/gallery",
        "/desk/audit",
    ):
        assert new_site.root.get(page).status_code == 200, page
