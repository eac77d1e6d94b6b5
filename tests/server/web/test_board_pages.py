import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from benchmark_scripts import load_scripts
from held_images import note_zip
from raim.records.leaderboard import Line
from raim.server.actions.teams import merge_teams
from raim.server.auditing import record_event
from raim.server.database import Challenge, EntryResult, Submission, Team
from raim.server.queries import leaderboard as queries
from raim.server.queries.exports import export_tables
from raim.server.queries.leaderboard import newest_phase
from raim.server.standings import Standings, StandingsCache
from raim.server.submissions.states import change_state

crowd = load_scripts(["server_crowd"])["server_crowd"]
MEASURES = crowd.MEASURES
EMPTY = Standings(rows=(), scenarios=(), history={}, version=1, scorer_version="v")


def enter(site, person, score, *, scenario_score=None, **measures):
    """Hand something in and write results as a worker would."""
    number = site.submit(person, site.zip_of())
    with site.server.database.writing() as session:
        for state in ("queued", "scoring", "scored"):
            change_state(session, site.clock(), number, state)
        submission = session.get_one(Submission, number)
        note_zip(session, site.server.storage, submission)
        challenge = site.server.challenge(session)
        values = {**MEASURES, **measures}
        session.add(
            EntryResult(
                submission_id=number,
                scorer_version=challenge.scorer_version,
                reference_version=challenge.newest["feedback-pairs"][1],
                score=score,
                unscorable=None if score is not None else "0001: it is smaller than the border",
                measures=values,
                scenarios={
                    "denoising": {**values, "score": scenario_score if scenario_score is not None else score}
                },
                n_images=2,
                n_scored=2 if score is not None else 1,
                scored_at=site.clock(),
            )
        )
        session.flush()
        record_event(session, site.clock(), "score", submission, actor_id=None)
    site.clock.move(minutes=5)
    return number


@pytest.fixture
def teams(site):
    return {name: site.member(name.lower(), name) for name in ("Alpha", "Beta", "Gamma")}


def rows_of(site):
    return site.visitor().get("/api/v1/leaderboard/feedback").json()["rows"]


def test_the_board_ranks_best_entries_and_leaves_the_unscored_last(site, teams):
    enter(site, teams["Alpha"], 60.0)
    enter(site, teams["Alpha"], 55.0)
    enter(site, teams["Beta"], 70.0, psnr=float("inf").__str__())
    enter(site, teams["Gamma"], None)
    rows = rows_of(site)
    assert [(row["rank"], row["team"], row["score"], row["n_entries"]) for row in rows] == [
        (1, "Beta", 70.0, 1),
        (2, "Alpha", 60.0, 2),
        (None, "Gamma", None, 1),
    ]
    assert rows[0]["measures"]["psnr"] == "inf"
    page = site.visitor().get("/leaderboard").text
    assert page.index("Beta") < page.index("Alpha") < page.index("Gamma")
    assert "it is smaller than the border" in page
    assert "∞" in page


def test_the_newest_board_that_has_entries_is_opened(site, teams):
    enter(site, teams["Alpha"], 60.0)
    assert "1 line<" in site.visitor().get("/leaderboard").text
    server = site.server
    with server.database.reading() as session:
        challenge = server.challenge(session)
        old = challenge.definition.phase("feedback")
        new = replace(old, id="open-round")
        filled = server.standings.get(session, challenge, old, challenge.profile)
        cache = StandingsCache()
        cache.made = {
            (challenge.id, "feedback"): (challenge.version, filled),
            (challenge.id, "open-round"): (challenge.version, EMPTY),
        }
        rest = cache, challenge.profile
        assert newest_phase(session, challenge, [old, new], *rest) is old
        assert newest_phase(session, challenge, [new], *rest) is new
        assert newest_phase(session, challenge, [], *rest) is None


def test_a_column_is_declared_once_for_page_csv_json_and_exports(site, teams):
    enter(site, teams["Alpha"], 60.0)
    columns = list(Line.columns(["psnr", "ssim", "lpips", "dists", "niqe"]))
    page = site.visitor().get("/leaderboard/feedback").text
    heads = re.findall(r"<th scope=\"col\".*?>([^<]+?)(?: [↑↓])?</", page)
    assert [each.lower() for each in heads] == [each.title.lower() for each in columns if each.title]
    names = site.visitor().get("/leaderboard/feedback/scores.csv").text.splitlines()[0].split(",")
    assert names == [each.name for each in columns]
    assert set(rows_of(site)[0]) == set(Line.model_fields)
    with site.server.database.reading() as session:
        tables = export_tables(
            session, site.server.challenge(session), site.server.challenge(session).profile
        )
        assert next(each for each in tables if each.name == "leaderboards").columns == ("phase", *names)


def test_the_gallery_shows_inputs_and_restored_images_once_it_is_published(site, teams):
    number = enter(site, teams["Alpha"], 60.0)
    with site.server.database.writing() as session:
        challenge = session.scalars(select(Challenge)).one()
        challenge.results_published_at = site.clock()
        record_event(session, site.clock(), "publish", challenge, actor_id=None)
    visitor = site.visitor()
    gallery = visitor.get("/api/v1/gallery").json()
    assert gallery["entries"] == [{"submission_id": number, "team": "Alpha"}]
    for source in ("input", number):
        image = visitor.get(f"/gallery/{source}/{gallery['image']}")
        assert (image.status_code, image.headers["content-type"]) == (200, "image/png")
        assert f"/gallery/{source}/{gallery['image']}" in visitor.get("/gallery").text
    for path in (f"/gallery/{number + 1}/{gallery['image']}", "/gallery/input/none"):
        assert visitor.get(path).status_code == 404


def test_an_entry_shows_at_once_though_the_board_is_kept(site, teams):
    visitor = site.visitor()
    enter(site, teams["Alpha"], 60.0)
    assert "60.00" in visitor.get("/leaderboard").text
    enter(site, teams["Alpha"], 61.0)
    assert "61.00" in visitor.get("/leaderboard").text


def test_a_board_is_read_once_for_all_who_see_the_same_and_odd_questions_add_nothing(
    site, teams, monkeypatch
):
    enter(site, teams["Alpha"], 60.0)
    read = []
    original = queries.read_leaderboard
    monkeypatch.setattr(
        queries,
        "read_leaderboard",
        lambda *args, **options: read.append(options) or original(*args, **options),
    )
    for asked in ("", "?sort=psnr", "?sort=odd", "?scenario=odd&sort=psnr", "?sort=psnr&scenario=other"):
        for reader in (site.visitor(), site.visitor()):
            assert reader.get(f"/leaderboard/feedback{asked}").status_code == 200
    assert [(each["scenario"], each["sort"]) for each in read] == [("", ""), ("", "psnr")]


def test_baselines_and_suspended_teams_have_no_rank(site, teams):
    for name, score in (("Alpha", 60.0), ("Beta", 70.0), ("Gamma", 80.0)):
        enter(site, teams[name], score)
    with site.server.database.writing() as session:
        by_name = {team.name: team for team in session.scalars(select(Team))}
        by_name["Beta"].is_baseline = True
        by_name["Gamma"].state = "suspended"
        record_event(session, site.clock(), "flag", by_name["Beta"], actor_id=None)
    assert [(row["rank"], row["team"], row["why_unranked"]) for row in rows_of(site)] == [
        (None, "Beta", "baseline"),
        (1, "Alpha", ""),
    ]


def test_results_of_an_older_scorer_stay_until_the_switch_and_are_never_mixed_in(site, teams):
    olga = site.organiser()
    enter(site, teams["Alpha"], 60.0)
    scorer_version = site.visitor().get("/api/v1/leaderboard/feedback").json()["scorer_version"]
    with site.server.database.writing() as session:
        challenge = session.scalars(select(Challenge)).one()
        challenge.scorer_version = "raim-2024-newer"
        record_event(session, site.clock(), "read challenge", challenge, actor_id=None)
    assert rows_of(site)[0]["score"] == 60.0
    waiting = olga.api("GET", "/desk").json()["new_versions"]
    counts = {each["data_set"]: (each["n_scored"], each["n_entries"]) for each in waiting}
    assert counts["feedback-pairs"] == (0, 1)
    assert "0 of 1 entry on feedback-pairs under" in olga.get("/desk").text
    assert olga.api("POST", "/desk/versions/switch", json={}).status_code == 409
    assert olga.post("/desk/versions/switch", even_incomplete="true").status_code == 303
    assert olga.api("GET", "/desk").json()["new_versions"] == []
    row = rows_of(site)[0]
    assert (row["rank"], row["score"], row["why_unranked"]) == (
        None,
        None,
        "was scored under an older version",
    )
    with site.server.database.writing() as session:
        submission = session.get_one(Submission, 1)
        submission.rescore_asked_at = site.clock()
        record_event(session, site.clock(), "ask", submission, actor_id=None)
    assert rows_of(site)[0]["why_unranked"] == "is being scored again"
    page = teams["Alpha"].get("/submissions/1").text
    assert scorer_version in page
    assert "the leaderboard shows another version; it is being scored again" in page


def test_a_submission_is_listed_once_when_a_reference_was_corrected(site, teams):
    enter(site, teams["Alpha"], 60.0)
    with site.server.database.writing() as session:
        first = session.scalars(select(EntryResult)).one()
        kept = ("submission_id", "scorer_version", "score", "measures", "scenarios", "n_images", "n_scored")
        again = {name: getattr(first, name) for name in kept}
        session.add(EntryResult(**again, reference_version="7" * 64, scored_at=site.clock()))
    assert teams["Alpha"].get("/submissions").text.count('/submissions/1"') == 1


def test_a_column_sorts_in_its_own_direction(site, teams):
    for name, lpips in (("Alpha", 0.3), ("Beta", 0.1), ("Gamma", 0.2)):
        enter(site, teams[name], 60.0, lpips=lpips, psnr=100 * lpips)
    visitor = site.visitor()

    def order(address):
        page = visitor.get(address).text
        return sorted(("Alpha", "Beta", "Gamma"), key=lambda name: page.index(f'<th scope="row">{name}'))

    assert order("/leaderboard/feedback?sort=lpips") == ["Beta", "Gamma", "Alpha"]
    assert order("/leaderboard/feedback?sort=psnr") == ["Alpha", "Gamma", "Beta"]
    assert visitor.get("/leaderboard/feedback?sort=nothing&scenario=nothing").status_code == 200


def test_a_scenario_has_its_own_means_and_order(site, teams):
    enter(site, teams["Alpha"], 60.0, scenario_score=10.0)
    enter(site, teams["Beta"], 50.0, scenario_score=20.0)
    page = site.visitor().get("/leaderboard/feedback?scenario=denoising").text
    assert page.index("Beta") < page.index("Alpha")
    assert "20.00" in page


def test_the_csv_opens_in_a_spreadsheet_without_running_anything(site):
    eve = site.member("eve", "=HYPERLINK(1)")
    enter(site, eve, 60.0)
    answer = site.visitor().get("/leaderboard/feedback/scores.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert (rows[0]["rank"], rows[0]["team"], float(rows[0]["score"])) == ("1", "'=HYPERLINK(1)", 60.0)
    assert answer.headers["content-disposition"] == 'attachment; filename="leaderboard-feedback.csv"'


def test_a_teams_name_cannot_write_html(site):
    eve = site.member("eve", "<script>alert(1)</script>")
    enter(site, eve, 60.0)
    enter(site, eve, 61.0)
    page = site.visitor().get("/leaderboard").text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") >= 1


def test_the_chart_shows_best_scores_so_far(site, teams):
    for score in (50.0, 40.0, 60.0):
        enter(site, teams["Alpha"], score)
    enter(site, teams["Beta"], 55.0)
    page = site.visitor().get("/leaderboard").text
    assert "Best scores over time of 2 teams; Alpha leads with 60.00" in page
    assert page.count("<polyline") == 2


def test_who_sees_the_board_goes_by_the_file(site, teams, clock):
    del teams
    visitor, olga = site.visitor(), site.organiser()
    clock.now = site.definition.phase("feedback").opens - timedelta(seconds=1)
    assert visitor.get("/leaderboard/feedback").status_code == 403
    assert olga.get("/leaderboard/feedback").status_code == 200
    assert "no leaderboard to see yet" in visitor.get("/leaderboard").text
    assert visitor.get("/leaderboard/tuning").status_code == 404
    assert visitor.get("/leaderboard/nothing").status_code == 404


def test_a_board_of_200_teams_asks_few_questions_and_weighs_little(site):
    crowd.fill_board(site.server, 200)
    queries = []
    event.listen(site.server.database.engine, "before_cursor_execute", lambda *args: queries.append(args[2]))
    visitor = site.visitor()
    page = visitor.get("/leaderboard")
    assert len(queries) <= 8
    assert page.text.count("<tr") == 201
    assert len(page.content) < 300_000
    queries.clear()
    visitor.get("/leaderboard")
    assert len(queries) <= 4


def test_an_infinite_score_of_before_has_no_rank_and_is_a_word_in_json_and_a_sign_on_pages(site, teams):
    number = enter(site, teams["Alpha"], float("inf"))
    row = rows_of(site)[0]
    assert (row["rank"], row["score"]) == (None, None)
    assert "infinite" in site.visitor().get("/leaderboard").text
    assert teams["Alpha"].api("GET", f"/submissions/{number}").json()["score"] == "inf"
    assert teams["Alpha"].api("GET", "/submissions").json()["submissions"][0]["score"] == "inf"
    assert "∞" in teams["Alpha"].get(f"/submissions/{number}").text


def test_a_merged_teams_entries_stay_listed_and_its_members_still_see_them(site, teams):
    number = enter(site, teams["Alpha"], 60.0)
    enter(site, teams["Beta"], 50.0)
    with site.server.database.writing() as session:
        alpha, beta = (
            session.scalars(select(Team).where(Team.name == name)).one() for name in ("Alpha", "Beta")
        )
        merge_teams(session, site.clock(), alpha, beta, actor_id=1)
    rows = {each["team"]: (each["rank"], each["why_unranked"]) for each in rows_of(site)}
    assert rows["Beta"][0] == 1
    assert rows["Alpha"] == (None, "out of competition")
    for person in (teams["Alpha"], teams["Beta"]):
        assert person.get(f"/submissions/{number}").status_code == 200
        assert person.api("GET", f"/submissions/{number}/file").status_code == 200
        assert f'/submissions/{number}"' in person.get("/submissions").text
    assert teams["Gamma"].get(f"/submissions/{number}").status_code == 404
