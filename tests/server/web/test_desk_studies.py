import re
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from desk_world import World
from raim.server.database import Judge, JudgeLink, Study, StudyEntry, StudyImage, Tie, User
from study_world import StudyWorld, by_strength

STRENGTHS = {"Alpha": 2.0, "Beta": 1.0, "Gamma": 0.0}


@pytest.fixture
def olga(site):
    return site.organiser()


@pytest.fixture
def world(site):
    return World(database=site.server.database, definition=site.definition, now=site.clock.now)


@pytest.fixture
def made(world, olga):
    """Give a challenge with three finalists whose final submissions are whole; no study yet."""
    study = StudyWorld(world=world)
    for place, name in enumerate(STRENGTHS):
        study.finalist(name, score=70.0 + place)
    return study


def rows(world, table, **where):
    with world.database.reading() as session:
        found = session.scalars(select(table).filter_by(**where).order_by(table.id)).all()
        session.expunge_all()
        return found


def send(olga, path, **fields):
    """Send a form whose fields may be lists."""
    return olga.client.post(path, data=fields, follow_redirects=False)


def new_study(olga, **changes):
    """Send the form of a new study as it is shown, with changes."""
    page = olga.get("/desk/studies/new").text
    fields = {
        "submissions": re.findall(r'name="submissions" value="(\d+)" checked', page),
        "images": re.findall(r'name="images" value="([^"]+)" checked', page),
        "criteria": "noise\nfidelity",
        "conflicts": "hide-tile",
        "title": "Restored by night",
        "seed": "11",
        "points": "3, 2, 1",
        **{
            name: re.search(rf'name="{name}" value="([^"]*)"', page)[1]
            for name in ("tiles", "repeats_share", "traps", "training", "judges", "min_width", "min_height")
        },
    }
    sent = {**fields, **changes}
    ticked = {
        name: ["", *sent[name]] for name in ("submissions", "images")
    }  # a hidden field goes before the boxes
    return send(olga, "/desk/studies/new", **{**sent, **ticked})


def test_a_study_is_prefilled_from_the_challenge_and_made_as_the_form_says(world, made, olga):
    page = olga.get("/desk/studies/new").text
    assert 'name="points" type="text" value="3, 2, 1"' in page
    assert "textures and details\nnoise\nartifacts\nfidelity</textarea>" in page
    assert '<option value="exclude-judge" selected>' in page
    answer = new_study(olga, min_width="1600", repeats_share="0.5")
    assert answer.headers["location"] == "/desk/studies/1?note=study_made"
    row = rows(world, Study)[0]
    assert (row.title, row.state, row.min_width, row.is_simulated) == (
        "Restored by night",
        "draft",
        1600,
        False,
    )
    assert (row.design["seed"], row.design["repeats_share"], row.design["conflicts"]) == (
        11,
        0.5,
        "hide-tile",
    )
    assert row.design["criteria"] == ["noise", "fidelity"]
    assert len(rows(world, StudyEntry)) == 3
    assert len(rows(world, StudyImage)) == len(made.image_names())


def test_what_a_team_misses_is_named_and_it_cannot_be_ticked_with_that_image(made, olga):
    first, *_ = made.image_names()
    incomplete = made.finalist("Delta", score=60.0, missing=[first])
    made.world.team("Empty")
    page = olga.get("/desk/studies/new").text
    row = page[page.index(">Delta<") :].split("</tr>")[0]
    assert "1 image</span> " + first in row
    assert f'value="{incomplete}" checked' not in page
    answer = new_study(olga, submissions=re.findall(r'name="submissions" value="(\d+)"', page))
    assert answer.status_code == 400
    assert f"Delta misses 1 images ({first})" in answer.text
    assert 'value="Restored by night"' in answer.text  # what was typed stays


BROKEN_FORMS = (
    ({"submissions": []}, "no team is ticked"),
    ({"submissions": ["4"]}, "compares at least 2"),
    ({"images": []}, "no image is ticked"),
    ({"images": ["none"]}, "there is no image"),
    ({"seed": "x"}, "should be a valid integer"),
    ({"judges": "0"}, "greater than or equal to 1"),
    ({"points": "3, two"}, "should be a valid integer"),
    ({"repeats_share": "1.5"}, "less than or equal to 1"),
    ({"mode": "guess"}, "there is no mode"),
    ({"conflicts": "none"}, "&#39;exclude-judge&#39; or &#39;hide-tile&#39;"),
    ({"tiles": "9"}, "expected 2 to 3"),
    ({"title": ""}, "study&#39;s title"),
)


def test_a_form_that_cannot_be_is_shown_again_with_the_reason(world, made, olga):
    for changes, reason in BROKEN_FORMS:
        answer = new_study(olga, **changes)
        assert answer.status_code in {400, 422}, changes
        assert reason in answer.text, changes
    assert rows(world, Study) == []


def test_tiles_are_followed_and_faults_tried_again(world, made, olga):
    made.build()
    page = olga.get("/desk/studies/1")
    assert f"0 of {len(made.image_names())} images made" in page.text
    assert 'hx-get="/c/my-challenge/desk/studies/1/live"' in page.text
    assert olga.post("/desk/studies/1/state", step="open").status_code == 409
    with world.database.writing() as session:
        session.scalars(select(StudyImage)).first().error = "the zip ends early"
    page = olga.get("/desk/studies/1/live").text
    assert "1 could not be" in page
    assert "the zip ends early" in page
    refused = olga.post("/desk/studies/1/state", step="open")
    assert "could not be made" in refused.text
    olga.post("/desk/studies/1/tiles")
    assert "the zip ends early" not in olga.get("/desk/studies/1").text
    made.tiles_are_made()
    assert "hx-get" not in olga.get("/desk/studies/1/live").text
    answer = olga.post("/desk/studies/1/state", step="open")
    assert answer.headers["location"] == "/desk/studies/1?note=study_open"
    assert made.row().state == "open"


def test_judges_are_invited_by_links_that_are_shown_once(world, made, olga):
    made.build(conflicts="hide-tile")
    page = olga.post(
        "/desk/studies/1/judges", lines="Ada Lovelace, ada@example.org\n\nBob <bob@example.org>\nCleo"
    )
    links = re.findall(
        r'value="(http://127\.0\.0\.1:8000/c/my-challenge/judge/raim_judge_[\w-]+)"', page.text
    )
    assert len(set(links)) == 3
    mail = unquote(re.search(r'href="(mailto:ada@example\.org[^"]*)"', page.text)[1].replace("&amp;", "&"))
    assert "Study of tests" in mail
    assert links[0] in mail
    assert [(row.name, row.email) for row in rows(world, Judge)] == [
        ("Ada Lovelace", "ada@example.org"),
        ("Bob", "bob@example.org"),
        ("Cleo", None),
    ]
    assert not any(link in olga.get("/desk/studies/1").text for link in links)
    assert "raim_judge_" not in olga.get("/desk/audit").text


BROKEN_INVITATIONS = (
    ({"lines": "Dora, dora\nEve, ada@example.org"}, "line 1: &#39;dora&#39; is not an e-mail address"),
    ({"lines": "Dora\nEve, ada@example.org"}, "line 2: ada@example.org has an invitation already"),
    ({"lines": "Dora, d@example.org\nEve, D@example.org"}, "line 2: D@example.org has an invitation"),
    ({"name": "", "email": ""}, "must have 1 to 80"),
    ({"name": "Dora", "ties": "999"}, "team 999 is not in this study"),
)


def test_invitations_that_cannot_be_invite_nobody(world, made, olga):
    made.build(conflicts="hide-tile")
    olga.post("/desk/studies/1/judges", name="Ada", email="ada@example.org")
    for fields, reason in BROKEN_INVITATIONS:
        answer = olga.post("/desk/studies/1/judges", **fields)
        assert answer.status_code == 400, fields
        assert reason in answer.text, fields
    assert len(rows(world, Judge)) == 1


def test_ties_are_found_by_verified_e_mail_and_ticked_by_hand(world, made, olga):
    made.finalist("Delta", score=50.0, email="member@example.org")
    with world.database.writing() as session:
        session.get_one(User, world.teams["Delta"][2]).email_verified_at = world.now
    made.build(conflicts="hide-tile")
    olga.post("/desk/studies/1/judges", name="Member", email="Member@example.org")
    assert [row.team_id for row in rows(world, Tie)] == [world.teams["Delta"][0]]
    alpha = world.teams["Alpha"][0]
    send(olga, "/desk/studies/1/judges/1", ties=[str(alpha), str(world.teams["Delta"][0])])
    assert {row.team_id for row in rows(world, Tie)} == {alpha, world.teams["Delta"][0]}
    olga.post("/desk/studies/1/judges/1", ties=str(alpha))
    assert [row.team_id for row in rows(world, Tie)] == [alpha]
    made.judges = [(1, "")]
    made.open().vote(by_strength(STRENGTHS), share=0.5, finish=False)
    answer = olga.post("/desk/studies/1/judges/1", ties=str(alpha))
    assert answer.status_code == 409
    assert "has begun" in answer.text


def test_a_judge_with_a_tie_is_not_invited_where_such_judges_do_not_vote(world, made, olga):
    made.build(conflicts="exclude-judge")
    answer = olga.post("/desk/studies/1/judges", name="Tied", ties=str(world.teams["Alpha"][0]))
    assert answer.status_code == 409
    assert "has a tie to Alpha" in answer.text
    assert rows(world, Judge) == []


def test_a_reminder_is_a_further_link_and_a_revoked_judge_has_none(world, made, olga):
    made.build().invite("Ada", email="ada@example.org")
    page = olga.post("/desk/studies/1/judges/1/remind").text
    assert "mailto:ada@example.org" in page
    assert len(rows(world, JudgeLink, revoked_at=None)) == 2
    assert olga.post("/desk/studies/1/judges/1", is_revoked="true").status_code == 303
    assert rows(world, JudgeLink, revoked_at=None) == []
    assert olga.post("/desk/studies/1/judges/1/remind").status_code == 409
    assert olga.post("/desk/studies/1/judges/9", is_revoked="true").status_code == 404
    assert world.actions()[-2:] == ["remind judge", "revoke judge"]


def test_a_preview_is_a_judge_whose_votes_are_none(world, made, olga):
    made.build().tiles_are_made()
    answer = olga.post("/desk/studies/1/preview")
    assert answer.headers["location"].startswith("/judge/raim_judge_")
    assert rows(world, Judge)[0].is_preview
    assert "preview of olga" not in olga.get("/desk/studies/1").text


def test_closing_says_who_has_not_finished_and_asks(world, made, olga):
    made.build().invite("Ada", "Bob").open()
    made.vote(by_strength(STRENGTHS), only=[0])
    made.vote(by_strength(STRENGTHS), only=[1], share=0.4, finish=False)
    page = olga.get("/desk/studies/1").text
    assert "1 judge has not finished: Bob (" in page
    answer = olga.post("/desk/studies/1/state", step="close")
    assert answer.status_code == 400
    assert "Bob has not finished" in answer.text
    assert made.row().state == "open"
    olga.post("/desk/studies/1/state", step="close", is_sure="true")
    assert made.row().state == "closed"


def test_progress_shows_votes_pace_and_screens_and_never_what_was_voted_for(world, made, olga):
    """Nothing that depends on the choices is on the page: two worlds that differ in them alone give the same pages."""
    made.build(seed=5).invite("Ada", "Bob").open()
    made.vote(lambda *trial: list(trial[3][:3]), share=0.7, finish=False)
    before = progress_pages(olga)
    made.step("close").step("discard", reason="again")
    again = StudyWorld(world=world).build(seed=5).invite("Ada", "Bob").open()
    again.vote(lambda *trial: list(trial[3][::-1][:3]), share=0.7, finish=False)
    after = progress_pages(olga, again.study_id)
    assert before[0] == after[0]
    assert " s</td>" in before[0]
    for page in before:
        assert not re.search(
            r"\b(points|rank|standing|leads|ahead|first place|winner|S3)\b", page, re.IGNORECASE
        ), page
    table = before[0]
    assert not any(team in table for team in STRENGTHS)


def progress_pages(olga, study_id=1):
    """Give the live part of an open study, free of times and numbers of rows."""
    text = olga.get(f"/desk/studies/{study_id}/live").text
    text = re.sub(r"<time.*?</time>", "", text)
    listed = re.sub(r"<time.*?</time>", "", olga.get("/desk/studies").text)
    return text.replace(f"/studies/{study_id}", "/studies/1"), listed[listed.index("<main") :]


def test_a_study_is_opened_again_revealed_and_put_aside_only_as_it_may(world, made, olga):
    made.build().invite("Ada").open().vote(by_strength(STRENGTHS))

    def step(name, **fields):
        return olga.post("/desk/studies/1/state", step=name, **fields).status_code

    assert [step("reveal"), step("reopen", reason="x"), step("jump")] == [409, 409, 422]
    assert step("close") == 303
    assert step("reopen") == 400  # without a reason
    assert step("reopen", reason="a screen broke") == 303
    assert step("close") == 303
    assert step("reveal") == 303
    assert [step("reopen", reason="x"), step("discard", reason="x"), step("close")] == [409, 409, 409]
    assert world.actions()[-4:] == ["close study", "reopen study", "close study", "reveal study"]
    page = olga.get("/desk/audit?action=reopen+study").text
    assert "a screen broke" in page


def test_nobody_connects_names_with_images_while_judges_vote(site, world, made, olga):
    made.build().invite("Ada").open()
    visitor = site.visitor()
    answer = olga.post("/desk/publish", shown_to="everybody")
    assert answer.status_code == 409
    assert "nobody may connect teams with images" in answer.text
    made.vote(by_strength(STRENGTHS)).step("close")
    assert olga.post("/desk/publish", shown_to="everybody").status_code == 409
    assert visitor.get("/gallery").status_code == 403
    made.step("reveal")
    assert olga.post("/desk/publish", shown_to="everybody").status_code == 303
    assert visitor.get("/gallery").status_code == 200


def test_a_study_is_not_opened_while_the_gallery_shows_its_images(made, olga):
    made.build().invite("Ada").tiles_are_made()
    olga.post("/desk/publish", shown_to="everybody")
    answer = olga.post("/desk/studies/1/state", step="open")
    assert answer.status_code == 409
    assert "hide it on the checklist" in answer.text
    assert made.row().state == "draft"
