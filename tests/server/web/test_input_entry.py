"""The input itself as an entry: handed in at the desk, checked like any, listed without a rank."""

from desk_world import World
from raim.server.database import Submission, Team
from raim.server.jobs.archive_work import CheckTask, check_archive
from raim.server.storage import local_path
from raim.server.submissions.states import change_state
from server_site import Held


def test_the_input_is_entered_once_as_a_baseline_and_passes_the_check(site):
    olga, ada = site.organiser(), site.member("ada")
    world = World(database=site.server.database, definition=site.definition, now=site.clock.now)
    held = Held(site.server.database.engine)
    answer = olga.post("/desk/phases/feedback/input")
    assert answer.headers["location"] == "/desk/submissions/1?note=sent"
    row = world.row(Submission, 1)
    assert (row.state, row.takes_try, row.is_out_of_competition) == ("checking", False, True)
    team = world.row(Team, row.team_id)
    assert (team.name, team.is_baseline, team.is_out_of_competition) == ("The input", True, True)
    folder = site.folder / "data" / "feedback-pairs"
    path = local_path(site.server.storage, row.committed_sha256)
    manifest = (folder / "manifest.csv").read_text()
    task = CheckTask(path=path, label="input.zip", inputs=folder / "input", manifest=manifest)
    checked = check_archive(task, lambda _: None)
    assert checked.report["ok"], checked.text
    assert held.most == 1
    again = olga.api("POST", "/desk/phases/feedback/input")
    assert again.status_code == 409
    assert "entered in Phase 2: online feedback already, as submission 1" in again.text
    assert not list(site.folder.glob("input-*"))
    with site.server.database.writing() as session:
        for state in ("queued", "scoring", "scored"):
            change_state(session, site.clock(), 1, state)
        world.add_results(session, world.challenge(), session.get_one(Submission, 1), 50.0)
    (line,) = site.visitor().get("/api/v1/leaderboard/feedback").json()["rows"]
    assert (line["team"], line["rank"], line["why_unranked"]) == ("The input", None, "baseline")
    assert ada.post("/desk/phases/feedback/input").status_code == 403


def test_where_nothing_is_scored_or_the_organiser_has_a_team_the_input_is_not_entered(site):
    olga, rita = site.organiser(), site.with_office("rita")
    assert olga.api("POST", "/desk/phases/final/input").status_code == 409
    rita.post("/team/new", name="Team rita")
    answer = rita.api("POST", "/desk/phases/feedback/input")
    assert answer.status_code == 409
    assert "Team rita" in answer.text
