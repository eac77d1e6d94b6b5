import pytest

from desk_world import World
from raim.server.study import results as study_results
from server_site import Site
from study_world import StudyWorld, by_strength

STRENGTHS = {"Alpha": 2.0, "Beta": 1.0, "Gamma": 0.0}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(study_results, "DRAWS", 60)


@pytest.fixture
def olga(site):
    return site.organiser()


@pytest.fixture
def made(site, olga):
    return with_finalists(site)


def with_finalists(site):
    world = World(database=site.server.database, definition=site.definition, now=site.clock.now)
    study = StudyWorld(world=world)
    for place, name in enumerate(STRENGTHS):
        study.finalist(name, score=70.0 + place)
    return study


def ask(person, method, path="", status=200, **body):
    answer = person.api(method, f"/desk/studies{path}", **({"json": body} if body else {}))
    assert answer.status_code == status, answer.text
    return answer.json() if "json" in answer.headers["content-type"] else answer


def test_a_study_goes_from_the_proposal_to_its_results_on_both_databases(
    challenge_folder, clock, database_url
):
    site = Site(challenge_folder, clock, database_url)
    go_through(with_finalists(site), site.organiser())
    site.server.database.engine.dispose()


def go_through(made, olga):
    proposal = ask(olga, "GET", "/new")
    assert [(each["team"], each["is_whole"]) for each in proposal["entries"]] == [
        (name, True) for name in STRENGTHS
    ]
    assert proposal["design"]["points"] == [3, 2, 1]
    study = ask(olga, "POST", "/new", status=201, title="By API", seed=7, conflicts="hide-tile", traps=1)
    assert (study["state"], study["design"]["n_traps"], study["n_tiles_made"]) == ("draft", 1, 0)
    assert "seed" not in study["design"]
    made.study_id = study["id"]
    place = f"/{study['id']}"
    links = ask(
        olga,
        "POST",
        f"{place}/judges",
        status=201,
        lines="Ada, a@example.org\nBob",
        ties=[study["entries"][0]["team_id"]],
    )["links"]
    assert [each["name"] for each in links] == ["Ada", "Bob"]
    assert all("/judge/raim_judge_" in each["link"] for each in links)
    made.judges = [(each["judge_id"], "") for each in links]
    first = f"{place}/judges/{links[0]['judge_id']}"
    found = ask(olga, "POST", first, ties=[])["judges"]
    assert [len(each["ties"]) for each in found] == [0, 1]
    assert ask(olga, "POST", f"{first}/remind")["links"][0]["link"] != links[0]["link"]
    assert "/judge/" in ask(olga, "POST", f"{place}/preview", status=201)["link"]
    assert ask(olga, "POST", f"{place}/state", status=409, step="open")["error"]["code"] == "not_possible"
    assert ask(olga, "POST", f"{place}/tiles")["n_faults"] == 0
    made.tiles_are_made()
    assert ask(olga, "POST", f"{place}/state", step="open")["state"] == "open"
    made.vote(by_strength(STRENGTHS), only=[0])
    assert [each["state"] for each in ask(olga, "GET", place)["judges"]] == [
        "finished",
        "invited",
    ]
    assert (
        "Bob has not finished"
        in ask(olga, "POST", f"{place}/state", status=400, step="close")["error"]["message"]
    )
    assert ask(olga, "POST", f"{place}/state", step="close", is_sure=True)["state"] == "closed"
    assert ask(olga, "GET", f"{place}/results", status=409)
    assert ask(olga, "POST", f"{place}/state", step="reveal")["design"]["seed"] == 7
    see_results(made, olga, place, first)


def see_results(made, olga, place, first):
    results = ask(olga, "GET", f"{place}/results")
    assert {row["team"] for row in results["ranking"]["rows"]} == set(STRENGTHS)
    assert results["analysis"]["absent"] == ["J02"]
    assert "Ada" not in str(results)
    entry = made.entry_id("Gamma")
    changed = ask(olga, "POST", f"{place}/entries/{entry}", reason="late")
    assert [each["left_out"] for each in changed["entries"] if each["team"] == "Gamma"] == ["late"]
    assert ask(olga, "GET", f"{place}/results")["ranking"]["left_out"][0]["why_unranked"] == "left out: late"
    ask(olga, "POST", f"{place}/entries/{entry}", is_back=True)
    assert ask(olga, "POST", f"{first}/exclude", reason="asleep")["judges"][0]["excluded"] == "asleep"
    assert ask(olga, "POST", f"{first}/exclude", is_back=True)["judges"][0]["excluded"] is None
    assert olga.get(f"/desk/studies{place}/exports/votes.csv").text.startswith("judge,image,")
    assert len(olga.get(f"/desk/studies{place}/exports/changes.csv").text.splitlines()) > 4
    assert [each["n_finished"] for each in ask(olga, "GET")["studies"]] == [1]


def test_what_cannot_be_is_reported_as_everywhere(made, olga):
    assert ask(olga, "GET", "/9", status=404)["error"]["code"] == "not_found"
    assert ask(olga, "POST", "/new", status=422, seed=-1)
    assert ask(olga, "POST", "/new", status=422, seed=1, sed=1)
    made.build()
    assert ask(olga, "POST", "/1/judges", status=400, lines="A, none")
    assert ask(olga, "POST", "/1/judges/9", status=404, is_revoked=True)
    assert ask(olga, "POST", "/1/state", status=422, step="jump")
    assert ask(olga, "POST", "/1/state", status=400, step="discard")  # without a reason
