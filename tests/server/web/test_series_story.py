"""Three challenges of one series in a real browser: people who run one, take part in the second and judge in the third.

With RAIM_SCREENSHOTS=FOLDER pages of it are photographed.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from many_site import write_challenges
from patience import wait_until
from raim.server.database import EntryResult, StudyImage, Submission
from raim.server.jobs import WorkerChild
from server_site import ADDRESS, PASSWORD, Site
from visitor import Visitor, answer_screen, hand_in, listening, make_zip, wait_for_trial

pytest.importorskip("pyvips", reason="libvips is not installed")

DENOISING, MOIRE, NIGHT = "/c/denoising", "/c/moire", "/c/night"
STUDY = {
    'mode = "top-three"': 'mode = "best"',
    "judges = 18": "judges = 1",
    "points = [3, 2, 1]": "",
    "repeats_share = 0.05": "repeats_share = 0",
    "traps = 2": "traps = 0",
    "training = 2": "training = 0",
}
# What a challenge's own pages of the organisers and of everybody are, all of which its organiser can read.
PAGES = (
    *("/", "/leaderboard", "/announcements", "/desk", "/desk/teams", "/desk/users", "/desk/submissions"),
    *("/desk/finalists", "/desk/studies", "/desk/audit", "/desk/hints", "/desk/exports/submissions.csv"),
)


@dataclass
class Shifted:
    """The time of the machine, moved by a test: a worker beside it lives by the machine's."""

    by: timedelta = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.by


@pytest.fixture
def site(tmp_path):
    """Serve a series of three challenges whose phases of feedback end tomorrow."""
    folder = tmp_path / "all"
    write_challenges(folder, first_day=datetime.now(UTC).date() - timedelta(days=59))
    (folder / "series.toml").write_text('name = "Workshop"\naccent = "#5b2a86"\n', encoding="utf-8")
    file = folder / "night" / "challenge.toml"
    text = file.read_text(encoding="utf-8")
    for old, new in STUDY.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    made = Site(folder, Shifted())
    yield made
    made.server.database.engine.dispose()


@pytest.fixture
def address(site):
    """Give where the series is served, with a worker beside it."""
    with listening(site) as found, WorkerChild(site.server.settings):
        yield found


def rows(site, table, **conditions):
    with site.server.database.reading() as session:
        return session.query(table).filter_by(**conditions).count()


def read(visitor, path):
    """Read a page with what the browser's cookies let it see."""
    return visitor.context.request.get(visitor.address + path, max_redirects=0)


def register(chromium, address, login):
    """Make an account at the series, which asks for no challenge's consent."""
    person = Visitor(chromium, address, login)
    person.open("/register").fill(login=login, password=PASSWORD, name=login.title())
    assert person.page.locator("[name=consent]").count() == 0
    person.press("Make my account").sees("Your account is made")
    return person


def make_team(person, path, name):
    person.open(f"{path}/team/new").fill(name=name)
    person.page.check("[name=consent]")
    person.press("Make the team").sees("Your team is made")


def appoint(root, path, login):
    root.open(f"{path}/desk/users").page.fill("#appointed", login)
    root.press("Appoint")
    assert login in root.page.locator("tbody").inner_text()


def submit(site, person, path, tmp_path, *, part="feedback-pairs/input", kind="scored"):
    name = f"{person.name}{path.replace('/', '-')}-{kind}.zip"
    packed = make_zip(tmp_path / name, site.folder / path.removeprefix("/c/") / "data" / part)
    return hand_in(person, packed, kind, path=f"{path}/submit")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_series_of_three_challenges_from_the_first_account_to_a_published_ranking(
    site, address, chromium, tmp_path
):
    root = Visitor(chromium, address, "root")
    root.open(site.first_link.removeprefix(ADDRESS)).fill(login="root", password=PASSWORD)
    root.press("Make the account").sees("Challenge night")
    ada, bob, cyn = (register(chromium, address, login) for login in ("ada", "bob", "cyn"))
    appoint(root, DENOISING, "cyn")
    appoint(root, MOIRE, "bob")
    ada.open("/enrol").fill(name="Owls")
    for each in ("moire", "night"):
        ada.page.check(f"[name=challenges][value={each}]")
        ada.page.check(f"[name=consents][value={each}]")
    ada.photograph("enrol")
    ada.press("Make the team").sees("Challenge moire")
    make_team(bob, NIGHT, "Bats")
    make_team(cyn, MOIRE, "Mice")

    owls = submit(site, ada, NIGHT, tmp_path)
    submit(site, bob, NIGHT, tmp_path, part="feedback-pairs/reference")
    submit(site, cyn, MOIRE, tmp_path)
    wait_until(lambda: rows(site, EntryResult) == 3)
    visitor = Visitor(chromium, address, "visitor")
    visitor.open(f"{NIGHT}/leaderboard").sees("Owls").sees("Bats")
    visitor.open(f"{MOIRE}/leaderboard").sees("Mice")
    visitor.open("/").sees("Workshop").sees("Mice").sees("Bats")
    visitor.photograph("series")
    ada.open(owls.removeprefix(address)).sees("SCORE")
    nothing_leaks(ada, bob, cyn)

    site.clock.by = timedelta(days=4)
    root.open(f"{NIGHT}/desk/finalists").press("Invite the teams that are ticked").sees("are invited")
    for person in (ada, bob):
        person.open(f"{NIGHT}/team").press("Accept").sees("has accepted")
        submit(site, person, NIGHT, tmp_path, part="final-unpaired/input", kind="final")
    wait_until(lambda: rows(site, Submission, state="accepted") == 2)
    judge_the_final(site, root, cyn)
    visitor.open(f"{NIGHT}/results").sees("Owls").sees("Bats")
    visitor.photograph("results")
    for path in (f"{DENOISING}/results", f"{MOIRE}/results", f"{DENOISING}/gallery"):
        assert re.search("Owls|Bats|Mice", read(visitor, path).text()) is None
    nothing_leaks(ada, bob, cyn)
    for person in (root, ada, bob, cyn, visitor):
        assert person.faults == []


def judge_the_final(site, root, cyn):
    """Compare the two finalists in a study that the organiser of another challenge judges, and publish its result."""
    root.open(f"{NIGHT}/desk/studies/new?phase=final").press("Make the draft")
    study = root.page.url.partition("?")[0]
    wait_until(lambda: rows(site, StudyImage, made_at=None) == 0)
    root.page.goto(study)
    root.press("Open the study").fill(name="Cyn").press("Invite")
    link = root.page.locator(".success input").first.input_value()
    page = cyn.page
    page.set_viewport_size({"width": 1600, "height": 900})
    cyn.open(link.removeprefix(ADDRESS)).press("Begin", within="body")
    page.wait_for_url("**/judging/screen")
    answer_screen(page)
    cyn.press("Check and go on", within="body")
    page.wait_for_url("**/judging/instructions")
    cyn.press("Go to the trials", within="body")
    wait_for_trial(page, "voting", 1)
    total = int(page.get_attribute("#judging", "data-total"))
    for position in range(1, total + 1):
        wait_for_trial(page, "voting", position)
        page.locator(".view figcaption button:text-is('A')").click()
        page.wait_for_function("document.querySelectorAll('.is-picked').length === 1")
        assert re.search("Owls|Bats|ada|bob", page.content()) is None
        page.wait_for_selector('html[data-saving="saved"]', state="attached")
        cyn.press("Next" if position < total else "To the end", within="body")
    page.wait_for_url("**/judging/done")
    page.get_by_role("checkbox").check()
    cyn.press("Finish and lock my votes", within="body").sees("Thank you")
    root.page.goto(study)
    root.press("Close the study").sees("closed").press("Reveal the results")
    root.open(f"{NIGHT}/desk/checklist").press("Publish the results").sees("Public since")


def nothing_leaks(ada, bob, cyn):
    """Look at all that organisers see of theirs, and at the others' doors."""
    for person, path, words in (
        (cyn, DENOISING, "Owls|Bats|Mice|ada|bob"),  # nobody has a team there
        (bob, MOIRE, "Bats|final-unpaired.zip"),  # his own team is in another one
    ):
        for page in PAGES:
            answer = read(person, path + page)
            assert (answer.status, re.search(rf"\b({words})\b", answer.text())) == (200, None), path + page
    for person, path in (
        (ada, MOIRE),
        (ada, DENOISING),
        (bob, NIGHT),
        (bob, DENOISING),
        (cyn, NIGHT),
        (cyn, MOIRE),
    ):
        assert read(person, f"{path}/desk").status == 403
        assert read(person, f"{path}/desk/exports/everything.zip").status == 403
    assert read(cyn, f"{NIGHT}/submissions/1").status == 303  # to make a team
    assert read(bob, f"{DENOISING}/submissions/1").status == 303
    assert read(ada, f"{MOIRE}/submissions/1").status == 404  # it is theirs, of another challenge
