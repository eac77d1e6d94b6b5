import csv
import io
import json
import re
import zipfile

import pytest

from desk_world import CountedQueries, World
from page_form import check_well_made
from raim.report.closed.charts import draw_chart
from raim.server.database import Challenge, Judge, PublishedRanking, StudyEntry
from raim.server.study import results as study_results
from server_site import Held
from study_world import NINTH, TABLE_1, StudyWorld, by_strength, make_table_1

STRENGTHS = {"Alpha": 2.0, "Beta": 1.0, "Gamma": 0.0}
FINALS = {team: f"{final:.2f}" for team, (_, _, final, _) in TABLE_1.items()}
REASON = "its images were made by another method"


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(study_results, "DRAWS", 60)


@pytest.fixture
def olga(site):
    return site.organiser()


@pytest.fixture
def world(site):
    return World(database=site.server.database, definition=site.definition, now=site.clock.now)


@pytest.fixture
def revealed(world, olga):
    """Give a revealed study of three teams by four judges."""
    made = StudyWorld(world=world)
    made.images(*(f"t{number}" for number in range(10)))
    for place, name in enumerate(STRENGTHS):
        made.finalist(name, score=70.0 + place)
    made.build(is_simulated=True).invite("Ada Lovelace", email="ada@example.org").invite(
        "Bob", "Cleo", "Dora"
    )
    return made.open().vote(by_strength(STRENGTHS)).step("close").step("reveal")


def ranked_rows(page, caption="Final ranking"):
    """Give rank, team and final of each row of a table."""
    table = page[page.index(f"Table: {caption}") :].split("</table>")[0]
    found = []
    for row in table.split("<tr")[2:]:
        cells = [re.sub(r"<span.*?</span>|<.*?>", "", cell).strip() for cell in re.split(r"</t[dh]>", row)]
        cells[0] = cells[0].rpartition(">")[2]
        found.append((cells[0], cells[1], cells[5]))
    return found


def test_table_1_comes_out_through_the_server(site, world, olga):
    made = make_table_1(world)
    place = f"/desk/studies/1/entries/{made.entry_id(NINTH)}"
    assert olga.post(place, reason=REASON).headers["location"] == "/desk/studies/1/results?note=saved"
    olga.post("/desk/publish", shown_to="everybody")
    visitor = site.visitor()
    page = visitor.get("/results").text
    expected = [(str(rank), team, f"{final:.2f}") for team, (_, _, final, rank) in TABLE_1.items()]
    assert ranked_rows(page) == [*expected, ("", NINTH, "-")]
    assert REASON in page
    with_ninth = ranked_rows(page, "As if nobody had been left out")
    assert with_ninth[0][:2] == ("1", NINTH)
    rows = list(csv.DictReader(io.StringIO(visitor.get("/results/ranking.csv").text)))
    assert {row["team"]: f"{float(row['final']):.2f}" for row in rows if row["final"]} == FINALS
    assert {row["team"]: round(float(row["points"]), 9) for row in rows[:-1]} == {
        team: points for team, (_, points, _, _) in TABLE_1.items()
    }
    ranking = visitor.client.get("/api/v1/results").json()["ranking"]
    assert [(row["team"], row["rank"], f"{row['final']:.2f}") for row in ranking["rows"]] == [
        (team, rank, FINALS[team]) for team, (_, _, _, rank) in TABLE_1.items()
    ]
    assert [row["why_unranked"] for row in ranking["left_out"]] == [f"left out: {REASON}"]


def test_results_are_shown_with_intervals_and_judges_without_names(revealed, olga):
    page = olga.get("/desk/studies/1/results").text
    ranking = ranked_rows(page, "Ranking")
    assert [rank for rank, _, _ in ranking] == ["1", "2", "3"]
    assert ranking[0][1] == "Alpha"
    assert re.search(r'<td class="number">[\d.]+ <span class="muted">[\d.]+ – [\d.]+</span></td>', page)
    for word in ("J01", "J04", "Kendall", "Krippendorff", "Per issue", "moire"):
        assert word in page
    for name in ("Ada Lovelace", "ada@example.org", "Cleo", "Dora"):
        assert name not in page


def test_a_judge_is_excluded_with_a_reason_and_both_results_are_shown(revealed, world, olga):
    place = "/desk/studies/1/judges/2/exclude"
    assert olga.post(place, reason=" ").status_code == 400
    olga.post(place, reason="judged on a projector")
    page = olga.get("/desk/studies/1/results").text
    assert "excluded: judged on a projector" in page
    both = ranked_rows(page, "Ranking, without"), ranked_rows(page, "As if no judge had been excluded")
    assert both[0] != both[1]
    olga.post("/desk/publish", shown_to="everybody")
    assert "J02: judged on a projector" in olga.get("/results").text
    olga.post(place, is_back="true")
    assert "As if no judge" not in olga.get("/desk/studies/1/results").text
    assert world.row(Judge, 2).excluded_reason is None
    assert [each for each in world.actions() if "clude" in each] == ["exclude judge", "include judge"]


def test_an_entry_is_left_out_and_taken_back_in(revealed, world, olga):
    entry = revealed.entry_id("Alpha")
    place = f"/desk/studies/1/entries/{entry}"
    assert olga.post(place, reason="").status_code == 400
    assert olga.post("/desk/studies/1/entries/99", reason="x").status_code == 404
    olga.post(place, reason=REASON)
    page = olga.get("/desk/studies/1/results").text
    assert [row[1] for row in ranked_rows(page, "Ranking")] == ["Beta", "Gamma", "Alpha"]
    olga.post(place, is_back="true")
    assert world.row(StudyEntry, entry).left_out_reason is None


def test_what_was_published_stays_until_it_is_published_again(site, revealed, world, olga):
    charts = olga.get("/results/charts/finals").text
    olga.post("/desk/publish", shown_to="everybody")
    visitor = site.visitor()
    before = [visitor.get(path).text for path in ("/results", "/results/ranking.csv", "/api/v1/results")]
    assert [row[1] for row in ranked_rows(before[0])] == ["Alpha", "Beta", "Gamma"]
    assert "another method" not in olga.get("/results").text
    olga.post(f"/desk/studies/1/entries/{revealed.entry_id('Alpha')}", reason=REASON)
    world.submission("Gamma", score=99.0, phase="feedback")
    with world.database.writing() as session:
        session.query(Challenge).one().scorer_version = "raim-2024-newer"
    now = olga.get("/results").text
    assert [row[1] for row in ranked_rows(now)] == ["Beta", "Gamma", "Alpha"]
    assert "99.00" in now
    assert "This is the ranking as it is now." in now
    assert [
        visitor.get(path).text for path in ("/results", "/results/ranking.csv", "/api/v1/results")
    ] == before
    assert visitor.get("/results/charts/finals").text == charts != olga.get("/results/charts/finals").text
    assert visitor.get("/results/charts/none").status_code == 404
    olga.post("/desk/publish", shown_to="everybody")
    assert [row[1] for row in ranked_rows(visitor.get("/results").text)] == ["Beta", "Gamma", "Alpha"]
    with world.database.reading() as session:
        kept = session.query(PublishedRanking).order_by(PublishedRanking.id).all()
        assert [each.record["outcome"]["ranking"]["rows"][0]["team"] for each in kept] == ["Alpha", "Beta"]
        made_of = kept[0].record["made_of"]
    assert {each["team"]: each["score"] for each in made_of["entries"]} == {
        "Alpha": 70.0,
        "Beta": 71.0,
        "Gamma": 72.0,
    }
    assert len(made_of["definition_sha256"]) == 64
    assert "Ada Lovelace" not in json.dumps(kept[0].record)


def test_simulated_votes_say_so_wherever_they_are_shown(site, revealed, olga):
    olga.post("/desk/publish", shown_to="everybody")
    for path in ("/desk/studies/1", "/desk/studies/1/results", "/results"):
        assert "The votes are simulated." in olga.get(path).text, path
    assert "votes are simulated" in olga.get("/desk/studies").text
    for name in ("votes.csv", "changes.csv"):
        answer = olga.get(f"/desk/studies/1/exports/{name}")
        assert "simulated" in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert {row["is_simulated"] for row in rows} == {"true"}
    assert olga.get("/desk/studies/1/exports/votes.json").json()["is_simulated"] is True
    assert site.visitor().client.get("/api/v1/results").json()["ranking"]["is_simulated"] is True
    assert "simulated" in site.visitor().get("/results/ranking.csv").headers["content-disposition"]


def test_every_vote_and_change_is_handed_on_without_names_of_judges(revealed, world, olga):
    votes = list(csv.DictReader(io.StringIO(olga.get("/desk/studies/1/exports/votes.csv").text)))
    picked = [row for row in votes if row["pick"] == "1" and row["kind"] == "counted"]
    assert len(picked) == 4 * len(revealed.image_names())
    assert {row["judge"] for row in votes} == {"J01", "J02", "J03", "J04"}
    document = olga.get("/desk/studies/1/exports/votes.json").json()
    assert sorted(document["design"]["entries"]) == sorted(STRENGTHS)
    changes = list(csv.DictReader(io.StringIO(olga.get("/desk/studies/1/exports/changes.csv").text)))
    assert {row["kind"] for row in changes} >= {"counted", "training", "trap"}
    assert json.loads(changes[0]["choice"])
    packed = olga.get("/desk/studies/1/exports/archive.zip").content
    texts = [zipfile.ZipFile(io.BytesIO(packed)).read(name).decode() for name in ("study.json", "votes.csv")]
    for text in (*texts, str(votes), str(changes)):
        assert not re.search("Ada Lovelace|ada@example|Cleo|Dora", text)
    assert olga.get("/desk/studies/1/exports/none.csv").status_code == 404
    assert world.actions().count("export study") == 4


def test_before_the_reveal_nothing_of_the_votes_is_shown(site, world, olga):
    made = StudyWorld(world=world)
    for name in STRENGTHS:
        made.finalist(name, score=70.0)
    made.build().invite("Ada").open().vote(by_strength(STRENGTHS))
    for state in ("open", "closed"):
        for name in (
            "results",
            "charts/points",
            "exports/votes.csv",
            "exports/changes.csv",
            "exports/archive.zip",
        ):
            assert olga.get(f"/desk/studies/1/{name}").status_code == 409, name
        assert olga.api("GET", "/desk/studies/1/results").status_code == 409
        assert olga.post("/desk/studies/1/judges/1/exclude", reason="x").status_code == 409
        assert olga.post(f"/desk/studies/1/entries/{made.entry_id('Alpha')}", reason="x").status_code == 409
        assert "no study is revealed" in olga.get("/results").text
        if state == "open":
            made.step("close")
    assert olga.api("GET", "/results").json()["ranking"] is None
    assert site.visitor().get("/results").status_code == 403


def test_charts_are_pictures_in_both_themes(revealed, olga):
    names = re.findall(
        r'src="/c/my-challenge/desk/studies/1/charts/(\w+)\?theme=light"',
        olga.get("/desk/studies/1/results").text,
    )
    assert set(names) >= {"finals", "points", "final_ranks", "score_points", "issues", "agreement"}
    for name in names:
        drawn = [olga.get(f"/desk/studies/1/charts/{name}?theme={theme}") for theme in ("light", "dark")]
        assert [each.status_code for each in drawn] == [200, 200], name
        assert all(each.headers["content-type"] == "image/svg+xml" for each in drawn)
        assert drawn[0].content != drawn[1].content
        assert b"imulated" in drawn[0].content
    assert olga.get("/desk/studies/1/charts/point").status_code == 404
    assert olga.get("/desk/studies/1/charts/points?theme=blue").status_code == 404


def test_charts_are_drawn_while_no_connection_is_held(site, revealed, olga, monkeypatch):
    held, seen = Held(site.server.database.engine), []

    def draw(*given, **how):
        seen.append(held.now)
        return draw_chart(*given, **how)

    monkeypatch.setattr("raim.report.closed.charts.draw_chart", draw)
    assert olga.get("/results/charts/finals").status_code == 200
    assert olga.get("/desk/studies/1/charts/points").status_code == 200
    n_pages = len(seen)
    assert olga.post("/desk/publish", shown_to="everybody").status_code == 303
    assert n_pages == 2
    assert len(seen) > n_pages + 2
    assert set(seen) == {0}
    assert held.most == 1


def test_results_are_made_once_and_again_when_something_was_decided(revealed, world, olga):
    olga.get("/desk/studies/1/results")
    kept = dict(olga.client.app.state.server.results.made)
    olga.get("/desk/studies/1/exports/votes.csv")
    with CountedQueries(world.database) as queries:
        olga.get("/desk/studies/1/results")
    assert len(queries) <= 25
    assert dict(olga.client.app.state.server.results.made) == kept
    olga.post("/desk/studies/1/judges/2/exclude", reason="x")
    olga.get("/desk/studies/1/results")
    assert len(olga.client.app.state.server.results.made) == 2


PAGES = (
    "/desk/studies", "/desk/studies/new", "/desk/studies/1", "/desk/studies/1/live", "/desk/studies/1/results",
    "/results",
)  # fmt: skip


def test_every_page_of_studies_is_well_made_in_every_state(world, olga):
    made = StudyWorld(world=world)
    for name in STRENGTHS:
        made.finalist(name, score=70.0)
    made.build(conflicts="hide-tile").invite("Ada", "Bob")

    def look():
        for path in PAGES:
            answer = olga.get(path)
            if answer.status_code != 409:
                assert answer.status_code == 200, path
                check_well_made(answer.text, path, is_part=path.endswith("/live"))

    look()
    check_well_made(olga.post("/desk/studies/1/judges", lines="Cleo, c@example.org\nDora").text, "links")
    made.open()
    look()
    made.vote(by_strength(STRENGTHS)).step("close")
    look()
    made.step("reveal")
    look()
    assert olga.get(PAGES[4]).status_code == 200


def test_pages_of_studies_ask_the_database_as_often_for_many_as_for_few(revealed, world, olga):
    def count():
        counts = {}
        for path in PAGES:
            assert olga.get(path).status_code == 200  # what is kept is made here
            with CountedQueries(world.database) as queries:
                olga.get(path)
            counts[path] = len(queries)
        return counts

    few = count()
    assert max(few.values()) <= 25, few
    for number in range(6):
        revealed.finalist(f"More {number}", score=60.0)
    again = StudyWorld(world=world).build().invite(*(f"Judge {number}" for number in range(12)))
    again.open().vote(by_strength(STRENGTHS)).step("close").step("reveal")
    many = {
        path: n for path, n in count().items() if path in {"/desk/studies", "/desk/studies/new", "/results"}
    }
    assert many == {path: few[path] for path in many}
    with CountedQueries(world.database) as queries:
        olga.get(f"/desk/studies/{again.study_id}")
    assert len(queries) <= few["/desk/studies/1"]
