"""Challenges that are uploaded: by whom, what becomes of them, and what a wrong one leaves as it was."""

import hashlib
import re

import pytest
from sqlalchemy import select

from challenge_zip import pack_folder
from page_form import check_well_made
from raim.errors import StorageError
from raim.server.actions.challenge_status import set_status
from raim.server.database import Appointment, Challenge, ChallengeUpload, User
from raim.server.gathering import list_gathered
from raim.server.serving import open_server
from raim.server.settings import read_settings
from raim.server.storage import has_file
from raim.server.submissions.uploads import drop_ended
from raim.server.web import placement
from raim.server.web.placement import place_uploads
from server_site import ADDRESS, PASSWORD, Clock, Site

FIRST = {'id = "my-challenge"': 'id = "first"', 'name = "My image': 'name = "First image'}
NIGHT = {'id = "my-challenge"': 'id = "night"', 'name = "My image': 'name = "Night image'}


@pytest.fixture
def site(example_folder, tmp_path, database_url):
    """Give a server of one challenge in a sub-folder, with an administrator, a maker and two others."""
    folder = tmp_path / "all"
    first = folder / "first"
    first.parent.mkdir()
    unpacked(pack_folder(example_folder, changes=FIRST), first)
    made = Site(folder, Clock(), database_url)
    yield made
    made.server.database.engine.dispose()


def unpacked(content, folder):
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)


@pytest.fixture
def root(site):
    person = site.visitor()
    person.post(site.first_link.removeprefix(ADDRESS), login="root", password=PASSWORD)
    return site.with_token(person)


@pytest.fixture
def mia(site, root):
    """Give somebody whom the administrator lets make challenges, on the page of accounts."""
    return maker(site, root, "mia")


def maker(site, root, login):
    person = register(site, login)
    assert root.post(f"/admin/users/{number_of(site, login)}", may_make_challenges="true").status_code == 303
    return person


def register(site, login):
    person = site.visitor()
    answer = person.post("/register", login=login, password=PASSWORD, consent="yes")
    assert answer.status_code == 303, answer.text
    return site.with_token(person)


def number_of(site, login):
    with site.server.database.reading() as session:
        return session.scalars(select(User.id).where(User.login == login)).one()


def begin(person, content):
    wanted = {
        "file_name": "night.zip",
        "n_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return person.api("POST", "/admin/uploads", json=wanted)


def upload(site, person, content):
    """Send a zip whole; give the number of its upload."""
    begun = begin(person, content)
    assert begun.status_code == 201, begun.text
    sent = site.send(person, begun.json()["upload"]["url"], content)
    assert sent.status_code == 204, sent.text
    return begun.json()["id"]


def find_fine(site, number):
    """Do what the worker does with a challenge that is fine."""
    with site.server.database.writing() as session:
        row = session.get_one(ChallengeUpload, number)
        assert row.state == "inspecting"
        row.state = "placing"


def take(site, person, content):
    """Send a challenge that is fine, and let the server take it; give what is known of it then."""
    number = upload(site, person, content)
    find_fine(site, number)
    place_uploads(site.server)
    return person.api("GET", f"/admin/uploads/{number}").json()


def read(site, slug):
    with site.server.database.reading() as session:
        row = session.scalar(select(Challenge).where(Challenge.slug == slug))
        if row is not None:
            session.expunge(row)
        return row


def change(site, slug, status):
    with site.server.database.writing() as session:
        set_status(session, site.clock(), slug, status, actor_id=number_of(site, "root"))


def snapshot(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parts[len(folder.parts)] in {"first", "night"}
    }


def test_an_uploaded_challenge_is_a_draft_below_the_folder_with_its_sender_as_organiser(
    site, mia, example_folder
):
    content = pack_folder(example_folder, top="night/", changes=NIGHT)
    found = take(site, mia, content)
    assert (found["state"], found["challenge_id"], found["upload"]) == ("taken", "night", None)
    row = read(site, "night")
    assert (row.status, row.folder) == ("draft", "night")
    assert (site.folder / "night" / "challenge.toml").is_file()
    assert mia.get("/c/night/").status_code == mia.get("/c/night/desk").status_code == 200
    for path in (f"/admin/uploads/{found['id']}", "/admin/uploads"):
        page = mia.get(path).text
        check_well_made(page, path)
        assert '<a href="/c/night/">night</a>' in page
    assert mia.get("/c/first/desk").status_code == 403
    assert site.visitor().get("/c/night/").status_code == 404
    assert "Night image" not in site.visitor().get("/").text
    assert list((site.folder / "work" / "placing").iterdir()) == []
    assert not has_file(site.server.storage, hashlib.sha256(content).hexdigest())


def test_the_next_start_serves_it_from_its_folder_and_it_stays_a_draft(site, mia, example_folder):
    take(site, mia, pack_folder(example_folder, changes=NIGHT))
    settings = read_settings({"RAIM_DATABASE_URL": site.server.settings.database_url}, folder=site.folder)
    again = open_server(settings)
    assert sorted(each.definition.id for each in again.challenges) == ["first", "night"]
    assert read(site, "night").status == "draft"
    again.server.database.engine.dispose()


def test_opened_by_an_administrator_it_takes_teams(site, root, mia, example_folder):
    take(site, mia, pack_folder(example_folder, changes=NIGHT))
    assert mia.post("/admin/challenges/night", status="open").status_code == 403
    assert root.post("/admin/challenges/night", status="open").status_code == 303
    assert register(site, "ada").post("/c/night/team/new", name="Owls", consent="yes").status_code == 303
    assert "Night image" in site.visitor().get("/").text


def test_a_draft_is_replaced_by_its_organiser(site, mia, example_folder):
    take(site, mia, pack_folder(example_folder, changes=NIGHT, extra={"more.md": b"x"}))
    other = {**NIGHT, "[[sponsor]]": "# again\n[[sponsor]]", 'name = "My image': 'name = "Dark image'}
    assert take(site, mia, pack_folder(example_folder, changes=other))["state"] == "taken"
    assert read(site, "night").title.startswith("Dark image")
    assert "Dark image" in mia.get("/c/night/").text
    assert not (site.folder / "night" / "more.md").exists()
    with site.server.database.reading() as session:
        assert len(session.scalars(select(Appointment)).all()) == 1


@pytest.mark.parametrize("status", ["open", "paused", "retired"])
def test_what_is_no_draft_is_not_replaced_and_the_way_out_is_reported(site, mia, example_folder, status):
    take(site, mia, pack_folder(example_folder, changes=NIGHT))
    change(site, "night", status)
    before, title = snapshot(site.folder), read(site, "night").title
    other = {**NIGHT, 'name = "My image': 'name = "Dark image'}
    found = take(site, mia, pack_folder(example_folder, changes=other))
    assert found["state"] == "rejected"
    assert f"is {status} on this server" in found["problems"][0]
    assert "make it a draft first" in found["problems"][0]
    assert (snapshot(site.folder), read(site, "night").title) == (before, title)


def test_nobody_replaces_the_draft_of_another(site, root, mia, example_folder):
    take(site, mia, pack_folder(example_folder, changes=NIGHT))
    before = snapshot(site.folder)
    other = {**NIGHT, 'name = "My image': 'name = "Dark image'}
    found = take(site, maker(site, root, "max"), pack_folder(example_folder, changes=other))
    assert found["problems"] == ["the id 'night' is taken on this server; give your challenge another one"]
    assert snapshot(site.folder) == before
    assert take(site, root, pack_folder(example_folder, changes=other))["state"] == "taken"


@pytest.mark.parametrize("name", ["files", "work", "left"])
def test_a_place_that_is_something_else_already_is_not_taken(site, mia, example_folder, name):
    (site.folder / "left").mkdir()
    (site.folder / "left" / "notes.txt").write_text("mine")
    found = take(site, mia, pack_folder(example_folder, changes={'id = "my-challenge"': f'id = "{name}"'}))
    assert "has a" in found["problems"][0]
    assert "already" in found["problems"][0]
    assert read(site, name) is None
    assert (site.folder / "left" / "notes.txt").read_text() == "mine"


def test_what_cannot_be_kept_changes_nothing_and_is_reported(site, mia, example_folder, monkeypatch):
    take(site, mia, pack_folder(example_folder, changes=NIGHT))
    before = snapshot(site.folder)

    def fail(*_, **__):
        raise StorageError("the disk is full")

    monkeypatch.setattr(placement, "import_challenge", fail)
    other = {**NIGHT, 'name = "My image': 'name = "Dark image'}
    found = take(site, mia, pack_folder(example_folder, changes=other))
    assert (found["state"], found["problems"]) == ("rejected", ["the disk is full"])
    assert snapshot(site.folder) == before
    assert read(site, "night").title.startswith("Night image")


def test_a_folder_that_cannot_be_moved_in_leaves_the_old_one(site, mia, example_folder, monkeypatch):
    take(site, mia, pack_folder(example_folder, changes=NIGHT))
    before = snapshot(site.folder)
    rename = placement.Path.rename

    def fail(self, target):
        if self.name == "new":
            raise OSError("no such luck")
        return rename(self, target)

    monkeypatch.setattr(placement.Path, "rename", fail)
    other = {**NIGHT, 'name = "My image': 'name = "Dark image'}
    assert take(site, mia, pack_folder(example_folder, changes=other))["problems"] == ["no such luck"]
    assert snapshot(site.folder) == before


def test_a_server_that_was_killed_in_the_middle_begins_again(site, mia, example_folder, monkeypatch):
    number = upload(site, mia, pack_folder(example_folder, changes=NIGHT))
    find_fine(site, number)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(placement, "_exchange", die)
        with pytest.raises(KeyboardInterrupt):
            place_uploads(site.server)
    assert read(site, "night").status == "draft"
    assert not (site.folder / "night").exists()
    place_uploads(site.server)
    assert (site.folder / "night" / "challenge.toml").is_file()
    assert mia.api("GET", f"/admin/uploads/{number}").json()["state"] == "taken"
    assert mia.get("/c/night/").status_code == 200


def test_an_upload_goes_on_where_it_stopped(site, mia, example_folder):
    content = pack_folder(example_folder, changes=NIGHT)
    first = begin(mia, content).json()
    site.send(mia, first["upload"]["url"], content[:1000])
    again = begin(mia, content).json()
    assert (again["id"], again["upload"]["offset"]) == (first["id"], 1000)
    drop_ended(site.server.database, site.server.storage)
    assert site.send(mia, again["upload"]["url"], content[1000:], offset=1000).headers[
        "upload-offset"
    ] == str(len(content))
    assert begin(mia, content).json()["state"] == "inspecting"
    assert list_gathered(site.server.storage) == set()


def test_another_file_than_promised_begins_anew_and_one_may_be_given_up(site, mia):
    begun = begin(mia, b"promised").json()
    answer = site.send(mia, begun["upload"]["url"], b"otherly!")
    assert answer.json()["error"]["code"] == "content_mismatch"
    assert mia.post(f"{begun['page']}/give-up").status_code == 303
    assert mia.api("GET", f"/admin/uploads/{begun['id']}").json()["state"] == "given up"
    assert site.send(mia, begun["upload"]["url"], b"promised").status_code == 404


def test_too_many_at_once_and_too_large_ones_are_refused(site, mia):
    for number in range(3):
        assert begin(mia, b"x" * (number + 1)).status_code == 201
    answer = begin(mia, b"another")
    assert answer.status_code == 409
    assert "wait until one is there" in answer.json()["error"]["message"]
    wanted = {"n_bytes": 2**44, "sha256": "a" * 64}
    assert mia.api("POST", "/admin/uploads", json=wanted).status_code == 507


def test_only_administrators_and_makers_upload_and_makers_see_their_own(site, root, mia):
    ada = register(site, "ada")
    assert begin(ada, b"x").status_code == ada.get("/admin/uploads").status_code == 403
    assert site.visitor().get("/admin/uploads").headers["location"].startswith("/login")
    theirs = begin(root, b"roots").json()
    assert mia.api("GET", "/admin/uploads").json()["uploads"] == []
    assert mia.get(theirs["page"]).status_code == 404
    assert mia.post(f"{theirs['page']}/give-up").status_code == 404
    url = theirs["upload"]["url"]
    assert site.send(mia, url, b"roots").status_code == 404
    assert mia.client.delete(url, headers={"Authorization": f"Bearer {mia.token}"}).status_code == 404
    own = begin(mia, b"mias").json()
    assert [each["id"] for each in root.api("GET", "/admin/uploads").json()["uploads"]] == [
        own["id"],
        theirs["id"],
    ]
    assert mia.get("/admin").status_code == mia.get("/admin/users").status_code == 403


@pytest.mark.parametrize("scope", ["read", "take part"])
def test_a_token_that_may_less_than_its_person_makes_none(site, mia, scope):
    page = mia.post("/account/tokens", name="less", scope=scope)
    mia.token = re.search(r"raim_api_[\w-]+", page.text)[0]
    assert begin(mia, b"x").status_code == 403


def test_a_token_for_one_challenge_makes_no_other(site, mia, example_folder):
    take(site, mia, pack_folder(example_folder, changes=NIGHT))
    page = mia.post("/account/tokens", name="one", challenge="first", scope="all")
    mia.token = re.search(r"raim_api_[\w-]+", page.text)[0]
    assert begin(mia, b"x").status_code == 401
    assert mia.api("GET", "/c/first/challenge").status_code == 200


def test_a_right_that_is_taken_back_is_gone_and_drafts_stay(site, root, mia, example_folder):
    take(site, mia, pack_folder(example_folder, changes=NIGHT))
    root.post(f"/admin/users/{number_of(site, 'mia')}", may_make_challenges="false")
    assert begin(mia, b"x").status_code == 403
    assert mia.get("/c/night/desk").status_code == 200


def test_the_pages_say_how_it_stands(site, root, mia, example_folder):
    assert "Upload a challenge" in mia.get("/").text
    pages = [mia.get("/admin/uploads").text, root.get("/admin/users").text, root.get("/admin").text]
    number = upload(site, mia, pack_folder(example_folder, changes=NIGHT))
    pages.append(mia.get(f"/admin/uploads/{number}").text)
    assert "as soon as a worker is free" in pages[-1]
    with site.server.database.writing() as session:
        row = session.get_one(ChallengeUpload, number)
        row.n_done, row.n_files = 3, 12
    assert "25 %" in mia.get(f"/admin/uploads/{number}/status").text
    with site.server.database.writing() as session:
        row = session.get_one(ChallengeUpload, number)
        row.state, row.problems = "rejected", ["challenge.toml:3: id is <b>missing</b>"]
    pages += [mia.get(f"/admin/uploads/{number}").text, root.get("/admin/uploads").text]
    assert "challenge.toml:3: id is &lt;b&gt;missing" in pages[-2]
    assert "nothing was changed" in pages[-2]
    assert mia.get(f"/admin/uploads/{number}/status").headers["hx-refresh"] == "true"
    for page in pages:
        check_well_made(page, page[:200])
    assert re.search(r"night\.zip.*rejected.*mia", pages[-1], re.DOTALL)


def test_a_server_of_one_challenge_alone_refuses_and_says_what_to_do(challenge_folder):
    site = Site(challenge_folder, Clock())
    root = site.organiser("root")
    answer = begin(root, b"x")
    assert answer.status_code == 409
    assert "started on the folder of one challenge" in answer.json()["error"]["message"]
    page = root.get("/admin/uploads").text
    assert "in whose sub-folders" in page
    assert "data-upload" not in page
    site.server.database.engine.dispose()
