import re

import numpy as np
import pytest
from sqlalchemy import select

from judging_site import SCREEN, Judge, make_judged_study, restore
from raim.server import database as t
from raim.server.study.closing import close_study
from raim.server.study.judges import revoke_judge
from raim.server.tiles import read_tile
from server_site import Held

pytest.importorskip("pyvips", reason="libvips is not installed")


@pytest.fixture
def study(site):
    return make_judged_study(site)


@pytest.fixture
def judge(study):
    return Judge(study.site, study.links[0])


def votes(site):
    with site.server.database.reading() as session:
        rows = session.scalars(select(t.Vote).order_by(t.Vote.id)).all()
        session.expunge_all()
        return rows


def change(site, act):
    with site.server.database.writing() as session:
        return act(session)


def test_opening_a_link_changes_nothing_until_the_judge_begins(study, judge):
    page = judge.get(f"/judge/{judge.link}")
    assert page.status_code == 200
    assert "Final photographs" in page.text
    assert change(study.site, lambda session: session.scalars(select(t.Trial)).all()) == []
    judge.arrive()
    trials = change(study.site, lambda session: len(session.scalars(select(t.Trial)).all()))
    assert trials > len(study.inputs)


def test_without_a_link_there_is_nothing_to_see(study):
    visitor = study.site.visitor()
    for path in (
        "/judging",
        "/judging/vote",
        "/api/v1/judging/trials/voting/1",
        "/judging/screen",
        "/judging/done",
    ):
        answer = visitor.get(path)
        assert answer.status_code == 403
        assert "open the link that the organiser sent you" in answer.text
    assert visitor.get("/judge/raim_judge_nonsense").status_code == 404


def test_a_judge_is_led_from_screen_to_instructions_to_training_to_trials_to_the_end(study, judge):
    judge.arrive()
    assert judge.get("/judging").headers["location"] == "/judging/screen"
    assert judge.post("/api/v1/judging/screen", json=SCREEN).json() == {
        "is_fine": True,
        "why": "",
        "next": "/c/my-challenge/judging",
    }
    assert judge.get("/judging").headers["location"] == "/judging/instructions"
    judge.client.post("/judging/instructions", data={})
    assert judge.get("/judging").headers["location"] == "/judging/vote?part=training"
    for part in ("training", "voting"):
        total = judge.trial(1, part).json()["total"]
        for position in range(1, total + 1):
            assert judge.vote(position, part, choice=["A", "B", "C"]).status_code == 200
    assert judge.get("/judging").headers["location"] == "/judging/done"
    assert "All trials are judged" in judge.get("/judging/done").text
    judge.client.post("/judging/finish", data={})
    assert "Your votes are locked" in judge.get("/judging/done").text


def test_nobody_goes_straight_to_the_trials_past_the_screen_and_the_instructions(judge):
    judge.arrive()
    assert judge.get("/judging/vote").headers["location"] == "/judging/screen"
    judge.post("/api/v1/judging/screen", json=SCREEN)
    assert judge.get("/judging/vote").headers["location"] == "/judging/instructions"
    judge.client.post("/judging/instructions", data={})
    assert judge.get("/judging/vote").status_code == 200
    judge.post("/api/v1/judging/screen", json={**SCREEN, "window_width": 800})
    assert judge.get("/judging/vote").headers["location"] == "/judging/screen"


def test_a_browser_keeps_the_votes_of_each_judge_under_a_name_of_its_own(study, judge):
    def keeper(link):
        return re.search(r'data-keeper="(\w+)"', Judge(study.site, link).ready().get("/judging/vote").text)[1]

    names = [keeper(link) for link in (study.links[0], study.links[0], study.links[1])]
    assert names[0] == names[1] != names[2]


def test_a_vote_is_kept_by_entry_and_shown_by_label_and_every_change_stays(study, judge):
    judge.ready()
    trial = judge.trial(1).json()
    shown = {each["label"]: judge.picture(each["tiles"]) for each in trial["candidates"]}
    judge.vote(1, choice=["B"], seconds=3.5)
    answer = judge.vote(
        1, choice=["C", "A"], reasons={"C": ["noise", "fidelity"]}, seconds=9.0,
        regions=[{"label": "A", "x": 3, "y": 4, "width": 10, "height": 5}],
    )  # fmt: skip
    assert answer.json()["done"] == 1
    first, second = votes(study.site)
    assert (first.sequence, second.sequence, second.seconds) == (1, 2, 9.0)
    assert first.choice != second.choice
    assert list(second.reasons) == [second.choice[0]]
    for code, label in zip(second.choice, "CA", strict=True):
        expected = {name: restore(pixels, study.codes[code]) for name, pixels in study.inputs.items()}
        assert any(
            (shown[label] == pixels).all()
            for pixels in expected.values()
            if pixels.shape == shown[label].shape
        )
    again = judge.trial(1).json()["vote"]
    assert (again["choice"], again["reasons"]) == (["C", "A"], {"C": ["noise", "fidelity"]})
    assert again["regions"] == [{"label": "A", "x": 3, "y": 4, "width": 10, "height": 5}]


def test_a_vote_that_comes_again_as_it_was_is_no_change(study, judge):
    judge.ready()
    for choice in ("A", "A", "B", "B", "A"):
        assert judge.vote(1, choice=[choice], seconds=3.5).json()["done"] == 1
    assert len(votes(study.site)) == 3


BAD_VOTES = {
    "unknown label": ({"choice": ["Q"]}, 400),
    "twice": ({"choice": ["A", "A"]}, 400),
    "too many": ({"choice": ["A", "B", "C", "D"]}, 400),
    "grade": ({"ratings": {"A": 3}}, 400),
    "criterion": ({"choice": ["A"], "reasons": {"A": ["taste"]}}, 400),
    "region": (
        {"choice": ["A"], "regions": [{"label": "A", "x": 9999, "y": 0, "width": 1, "height": 1}]},
        400,
    ),
    "unknown key": ({"picks": ["A"]}, 422),
    "time": ({"choice": ["A"], "seconds": -1}, 422),
}


@pytest.mark.parametrize("name", BAD_VOTES)
def test_what_is_no_vote_is_refused_and_nothing_is_kept(study, judge, name):
    judge.ready()
    vote, status = BAD_VOTES[name]
    assert judge.vote(1, **vote).status_code == status
    assert votes(study.site) == []


def test_a_page_of_another_judge_in_the_same_browser_casts_no_vote(study, judge):
    judge.ready()
    judge.keeper = "another judge"
    answer = judge.vote(1, choice=["A"])
    assert answer.status_code == 409
    assert "load the page again" in answer.json()["error"]["message"]
    assert votes(study.site) == []


def test_no_vote_is_taken_after_finishing_closing_or_revoking(study, judge):
    judge.ready().vote(1, choice=["A"])
    other = Judge(study.site, study.links[1]).ready()
    judge.client.post("/judging/finish", data={})
    assert judge.vote(1, choice=["B"]).status_code == 409
    now = study.site.clock()
    change(
        study.site,
        lambda session: close_study(session, now, session.get_one(t.Study, study.study_id), actor_id=None),
    )
    assert other.vote(1, choice=["B"]).status_code == 409
    assert other.trial(1).status_code == 409
    change(study.site, lambda session: revoke_judge(session, now, session.get_one(t.Judge, 2), actor_id=None))
    assert other.get("/judging").status_code == 403
    assert len(votes(study.site)) == 1


def test_a_judge_goes_on_from_another_browser_where_they_were(study, judge):
    judge.ready().vote(1, choice=["A"])
    elsewhere = Judge(study.site, study.links[0]).ready()
    assert elsewhere.trial(1).json()["vote"]["choice"] == ["A"]
    assert elsewhere.trial(1).json()["candidates"] == judge.trial(1).json()["candidates"]


def test_tiles_are_for_the_judge_whose_trial_it_is(study, judge):
    judge.ready()
    other = Judge(study.site, study.links[1]).ready()
    tiles = judge.trial(1).json()["candidates"][0]["tiles"]
    assert judge.get(f"{tiles}/0/0_0.png").status_code == 200
    assert other.get(f"{tiles}/0/0_0.png").status_code == 404
    assert study.site.visitor().get(f"{tiles}/0/0_0.png").status_code == 403


def test_tiles_are_read_while_no_connection_is_held(study, judge, monkeypatch):
    tiles = judge.ready().trial(1).json()["candidates"][0]["tiles"]
    held, seen = Held(study.site.server.database.engine), []

    def read(*given):
        seen.append(held.now)
        return read_tile(*given)

    monkeypatch.setattr("raim.server.web.routes.judging.read_tile", read)
    assert judge.get(f"{tiles}/0/0_0.png").status_code == 200
    assert (seen, held.most) == ([0], 1)


@pytest.mark.parametrize(
    "place", ["9/0_0", "-1/0_0", "0/99_0", "0/0_-1", "0/x_y", "0/0", "0/" + "1" * 40 + "_0", "x/0_0"]
)
def test_a_tile_that_is_not_there_is_not_found(study, judge, place):
    judge.ready()
    tiles = judge.trial(1).json()["input"]["tiles"]
    assert judge.get(f"{tiles}/{place}.png").status_code in {404, 422}


PHONES = {
    "phone": ({"has_mouse": False, "window_width": 390, "window_height": 800}, "phone or a tablet"),
    "small window": ({"window_width": 900}, "at least 1280x720"),
    "zoom": ({"zoom_percent": 125}, "zoomed to 125 %"),
    "few colours": ({"colour_depth": 16}, "16 bits a pixel"),
}


@pytest.mark.parametrize("name", PHONES)
def test_a_screen_that_is_not_good_enough_is_refused_with_the_reason_and_recorded(study, judge, name):
    facts, words = PHONES[name]
    judge.arrive()
    answer = judge.post("/api/v1/judging/screen", json={**SCREEN, **facts}).json()
    assert not answer["is_fine"]
    assert words in answer["why"]
    assert judge.get("/judging").headers["location"] == "/judging/screen"
    row = change(study.site, lambda session: session.scalars(select(t.ScreenCheck.facts)).one())
    assert row["window_width"] == {**SCREEN, **facts}["window_width"]


def test_the_preview_of_a_draft_shows_trials_and_its_votes_are_no_votes(site):
    study = make_judged_study(site, open_it=False, judges=0)
    from raim.server.study.judges import invite_judge
    from raim.server.study.progress import judge_progress

    def invite(session):
        row = session.get_one(t.Study, study.study_id)
        return invite_judge(session, site.clock(), row, name="Olga looks", is_preview=True, actor_id=None)[1]

    judge = Judge(site, change(site, invite)).ready()
    assert judge.vote(1, choice=["A"]).status_code == 200
    assert (
        change(site, lambda session: judge_progress(session, session.get_one(t.Study, study.study_id))) == []
    )


def test_a_judge_with_a_tie_does_not_see_the_teams_image(site):
    study = make_judged_study(site, conflicts="hide-tile", judges=1)
    codes = {team: code for code, team in study.codes.items()}

    def tie(session):
        team = session.scalars(select(t.Team).where(t.Team.name == "Aurora Lab")).one()
        session.add(t.Tie(judge_id=1, team_id=team.id, reason="same laboratory"))

    change(site, tie)
    judge = Judge(site, study.links[0]).ready()
    total = judge.trial(1).json()["total"]
    assert {len(judge.trial(position).json()["candidates"]) for position in range(1, total + 1)} == {3}
    rows = change(site, lambda session: [list(each) for each in session.scalars(select(t.Trial.tiles))])
    assert all(codes[1] not in tiles for tiles in rows)


@pytest.mark.parametrize(("mode", "points", "vote"), [
    ("best", (1,), {"choice": ["B"]}),
    ("pairwise", (1,), {"choice": ["A"]}),
    ("rating", (), {"ratings": {"A": 5, "C": 1}}),
])  # fmt: skip
def test_every_mode_takes_its_own_kind_of_vote(site, mode, points, vote):
    study = make_judged_study(site, mode=mode, points=points, judges=1)
    judge = Judge(site, study.links[0]).ready()
    trial = judge.trial(1).json()
    assert len(trial["candidates"]) == (2 if mode == "pairwise" else 4)
    assert judge.vote(1, **vote).status_code == 200
    assert np.isclose(judge.vote(1, **vote, seconds=4).json()["done"], 1)
