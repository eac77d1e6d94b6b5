"""The judge's pages in a real browser: pixels, keys, pauses, a server that is unavailable, screens that will not do."""

import io
import json
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image as PillowImage
from sqlalchemy import select

from browser import launched
from judging_site import make_judged_study, restore
from patience import PATIENCE_S, wait_until
from raim.server import database as t
from raim.server.serving import take_port
from raim.server.study.judges import remind_judge
from server_site import HERE

pytest.importorskip("pyvips", reason="libvips is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
pytestmark = pytest.mark.slow
WAIT_MS = PATIENCE_S * 1000


@pytest.fixture(scope="module")
def browser():
    """Give a browser, or skip without one."""
    with launched("--disable-lcd-text") as browser:
        yield browser


class Served:
    """A site on a port of this machine, which can go away and come back."""

    def __init__(self, site):
        self.app = site.app
        with take_port("127.0.0.1", 0, default=8000) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.server = None

    def start(self):
        config = uvicorn.Config(self.app, port=self.port, log_level="warning", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        wait_until(lambda: self.server.started)
        return self

    def stop(self):
        self.server.should_exit = True
        self.thread.join(PATIENCE_S)


@pytest.fixture
def served(site):
    made = Served(site).start()
    yield made
    made.stop()


def odd_place(page, row):
    """Give the place of the odd square in a row of the screen's check."""
    patches = page.locator(".odd-row").nth(row - 1).locator(".patches i")
    kinds = [patches.nth(at).get_attribute("class") for at in range(patches.count())]
    return str(next(at for at, each in enumerate(kinds, start=1) if "odd" in each))


def place_of(shown, image):
    """Give where an image stands in a screenshot, pixel by pixel; None if it does not."""
    height, width = image.shape[:2]
    rows, columns = shown.shape[0] - height + 1, shown.shape[1] - width + 1
    if min(rows, columns) < 1:
        return None
    tops, lefts = np.nonzero((shown[:rows, :columns] == image[0, 0]).all(axis=2))
    for top, left in zip(tops.tolist(), lefts.tolist(), strict=True):
        if np.array_equal(shown[top : top + height, left : left + width], image):
            return top, left
    return None


class JudgeAtScreen:
    """A judge before a real browser."""

    def __init__(self, browser, served, link, **options):
        fixed = {"viewport": {"width": 1366, "height": 768}, "base_url": served.address}
        self.context = browser.new_context(**{**fixed, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.link, self.faults = link, []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.faults.append(said.text))

    def arrive(self):
        self.page.goto(f"{HERE}/judge/{self.link}")
        self.page.get_by_role("button", name=re.compile("Begin|Go on")).click()
        self.page.wait_for_url("**/judging/screen")
        return self

    def answer_screen(self, **wrong):
        """Count squares and find colours as somebody with good eyes does."""
        page = self.page
        for name in ("dark", "bright"):
            page.fill(f"[name={name}]", str(wrong.get(name, page.locator(f".{name} i:not(.none)").count())))
        for row in (1, 2, 3):
            page.select_option(f"[name=odd-{row}]", odd_place(page, row))
        page.get_by_role("button", name="Check and go on").click()
        return self

    def ready(self):
        """Go to the first trial of the training."""
        self.arrive().answer_screen()
        self.page.wait_for_url("**/judging/instructions")
        self.page.get_by_role("button", name=re.compile("^Go to the")).click()
        return self.sees_trial("training 1")

    def sees_trial(self, words):
        """Wait until the pictures of a trial are all there."""
        self.page.wait_for_selector(f"html[data-shown='{words}']")
        return self

    def at_trial(self, position):
        self.page.goto(f"{HERE}/judging/vote?position={position}")
        return self.sees_trial(f"voting {position}")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def saved(self):
        self.page.wait_for_selector("html[data-saving=saved]")
        return self

    def chosen(self):
        return re.findall(r": ([A-Z])", self.page.inner_text(".slots"))

    def pixels(self, label):
        """Photograph what the browser shows of a candidate, in pixels of the screen."""
        box = self.page.locator(f".view[aria-label='{label}'] .canvas").bounding_box()
        taken = self.page.screenshot(clip=box, scale="device")
        return np.asarray(PillowImage.open(io.BytesIO(taken)).convert("RGB"))

    def looks_well(self, name):
        found = axe.Axe().run(self.page)
        bad = [each for each in found.response["violations"] if each["impact"] in {"serious", "critical"}]
        assert not bad, [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in bad]
        if folder := os.environ.get("RAIM_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder, f"judge-{name}.png")))
        return self


@pytest.fixture
def meet(browser, served):
    """Let judges come; nothing in their browsers may complain."""
    came = []

    def come(link, **options):
        came.append(JudgeAtScreen(browser, served, link, **options))
        return came[-1]

    yield come
    for judge in came:
        judge.context.close()
        assert judge.faults == []


def newest_choice(site, judge_id, position, part="voting"):
    """Give the teams of the newest vote of a trial, best first."""
    with site.server.database.reading() as session:
        trial = session.scalars(
            select(t.Trial).where(
                t.Trial.judge_id == judge_id, t.Trial.position == position, t.Trial.part == part
            )
        ).one()
        votes = session.scalars(select(t.Vote).where(t.Vote.trial_id == trial.id).order_by(t.Vote.sequence))
        return trial.tiles, [list(vote.choice) for vote in votes]


# ---- One judge


def test_pixels_on_the_screen_are_the_pixels_of_the_entry(site, served, meet):
    study = make_judged_study(site, judges=2)
    for ratio, link in enumerate(study.links, start=1):
        judge = meet(link, device_scale_factor=ratio).ready().at_trial(1)
        tiles, _ = newest_choice(site, ratio, 1)
        judge.press("b", "Enter", "z")
        judge.page.evaluate(
            "document.querySelectorAll('figcaption').forEach((each) => { each.hidden = true; })"
        )
        judge.page.wait_for_timeout(300)
        shown = judge.pixels("Candidate B")
        team = study.codes[tiles[1]]
        places = [place_of(shown, restore(pixels, team)) for pixels in study.inputs.values()]
        assert sum(place is not None for place in places) == 1


def test_a_whole_study_is_judged_by_keyboard_alone(site, served, meet):
    study = make_judged_study(site, judges=1, traps=0, repeats_share=0)
    judge = meet(study.links[0])
    page = judge.page
    page.goto(f"{HERE}/judge/{judge.link}")
    page.get_by_role("button", name="Begin").focus()
    judge.press("Enter")
    page.wait_for_url("**/judging/screen")
    for name in ("dark", "bright"):
        page.locator(f"[name={name}]").focus()
        judge.press(str(page.locator(f".{name} i:not(.none)").count()))
    for row in (1, 2, 3):
        judge.press("Tab", odd_place(page, row))
    judge.press("Tab", "Enter")
    page.wait_for_url("**/judging/instructions")
    page.get_by_role("button", name="Go to the training").focus()
    judge.press("Enter").sees_trial("training 1").looks_well("training")
    total = page.evaluate("Number(document.getElementById('judging').dataset.total)")
    for position in range(1, total + 1):
        judge.sees_trial(f"training {position}").press("c", "1", "a", "2", "b", "3").saved().press("n")
    judge.sees_trial("voting 1")
    total = page.evaluate("Number(document.getElementById('judging').dataset.total)")
    judge.press("d", "1", "b", "2", "a", "3").saved()
    assert judge.chosen() == ["D", "B", "A"]
    judge.press("a", "1").saved()  # who stood there moves to the place that comes free
    assert judge.chosen() == ["A", "B", "D"]
    judge.press("u").saved()
    assert judge.chosen() == ["D", "B", "A"]
    judge.press("Backspace").saved()
    assert judge.chosen() == ["D", "B"]
    judge.press("c", "3", "m").saved()
    page.get_by_role("button", name="noise").focus()
    judge.press("Enter").saved()
    assert page.get_by_role("button", name="noise").get_attribute("aria-pressed") == "true"
    for position in range(2, total + 1):
        judge.press("n").sees_trial(f"voting {position}").press("a", "1", "c", "2").saved()
    judge.press("n")
    page.wait_for_url("**/judging/done")
    judge.looks_well("done")
    page.get_by_role("checkbox").focus()
    judge.press(" ", "Tab", "Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    tiles, votes = newest_choice(site, 1, 1)
    assert votes[-1] == [tiles[3], tiles[1], tiles[2]]
    assert len(votes) >= 6  # every change is kept
    with site.server.database.reading() as session:
        row = session.scalars(select(t.Vote).order_by(t.Vote.id.desc()).where(t.Vote.reasons != {})).first()
        assert row.reasons == {tiles[2]: ["noise"]}
        region = row.regions[0]
        assert region["label"] == tiles[2]
        assert session.get_one(t.Judge, 1).finished_at is not None


def test_a_pause_covers_the_pictures_and_stops_the_clock(site, served, meet):
    study = make_judged_study(site, judges=1)
    judge = meet(study.links[0])
    judge.page.add_init_script("window.elapsed = 0; performance.now = () => window.elapsed;")
    judge.ready().at_trial(1)
    judge.page.evaluate("window.elapsed += 3000")
    judge.press("p")
    box = judge.page.locator(".cover").bounding_box()
    assert (box["width"], box["height"]) == (1366, 768)
    judge.press("a", "1")
    assert judge.page.locator("html").get_attribute("data-saving") is None  # nothing is voted behind a cover
    judge.page.evaluate("window.elapsed += 600000")
    judge.page.get_by_role("button", name="Go on").click()
    judge.page.evaluate("window.elapsed += 2000")
    judge.press("a", "1").saved()
    with site.server.database.reading() as session:
        seconds = session.scalars(select(t.Vote.seconds)).one()
    assert seconds == 5


def test_a_vote_waits_for_a_server_that_is_unavailable_and_outlives_the_page(site, served, meet):
    study = make_judged_study(site, judges=1)
    judge = meet(study.links[0]).ready().at_trial(1).press("a", "1").saved()
    served.stop()
    judge.press("c", "1")
    judge.page.wait_for_selector("html[data-saving=waiting]")
    assert "not saved: trying again" in judge.page.inner_text(".bar")
    kept = judge.page.evaluate("Object.entries(localStorage)")
    served.start()
    judge.saved()
    tiles, votes = newest_choice(site, 1, 1)
    assert votes == [[tiles[0]], [tiles[2], tiles[0]]]
    assert judge.page.evaluate("localStorage.length") == 0
    # The browser was closed while the server was unavailable: what it kept is sent by the next page.
    (key, vote), *none = kept
    assert not none
    newer = json.dumps({**json.loads(vote), "choice": ["D"]})
    judge.page.evaluate("([key, vote]) => localStorage.setItem(key, vote)", [key, newer])
    judge.page.evaluate("([key, vote]) => localStorage.setItem(key, vote)",
                        [f"raim-judging another /api/v1{HERE}/judging/trials/voting/2", newer])  # fmt: skip
    judge.at_trial(1).saved()
    assert judge.chosen() == ["D"]
    assert newest_choice(site, 1, 1)[1][-1] == [tiles[3]]
    assert newest_choice(site, 1, 2)[1] == []  # another judge's in the same browser
    judge.faults = [each for each in judge.faults if "ERR_CONNECTION_REFUSED" not in each]


def test_a_judge_who_opens_a_newer_link_goes_on_voting_in_the_old_page(site, served, meet):
    study = make_judged_study(site, judges=1)
    judge = meet(study.links[0]).ready().at_trial(1).press("a", "1").saved()
    with site.server.database.writing() as session:
        newer = remind_judge(session, site.clock(), session.get_one(t.Judge, 1), actor_id=None)
    other = judge.context.new_page()
    other.goto(f"{HERE}/judge/{newer}")
    other.get_by_role("button", name="Go on").click()
    other.wait_for_url("**/judging/**")
    judge.press("b", "1").saved()
    assert len(newest_choice(site, 1, 1)[1]) == 2
    judge.faults = [each for each in judge.faults if "403" not in each]


def test_a_vote_that_two_pages_of_a_judge_send_is_kept_once(site, served, meet):
    study = make_judged_study(site, judges=1)
    judge, held = meet(study.links[0]).ready().at_trial(1), []
    judge.page.route(
        "**/trials/**",
        lambda route: held.append(route) if route.request.method == "POST" else route.continue_(),
    )
    judge.press("a", "1")
    other = judge.context.new_page()
    other.goto(f"{HERE}/judging/vote?position=1")  # finds what the first page has not sent yet
    other.wait_for_selector("html[data-saving=saved]")
    assert len(held) == 1
    held[0].continue_()
    judge.saved()
    assert len(newest_choice(site, 1, 1)[1]) == 1


# ---- Several judges


def test_two_judges_with_mice_see_other_orders_and_each_keeps_their_votes(site, served, meet):
    study = make_judged_study(site, judges=2)
    picked = []
    for number, link in enumerate(study.links, start=1):
        judge = meet(link).ready().at_trial(1)
        page = judge.page
        for label in ("B", "D", "A"):
            page.get_by_role("button", name=label, exact=True).click()
        judge.saved()
        assert judge.chosen() == ["B", "D", "A"]
        page.get_by_role("button", name="2nd: D").click()
        page.get_by_role("button", name="fidelity").click()
        page.get_by_role("button", name="B · 1st").click()  # taken back
        judge.saved()
        page.reload()
        judge.sees_trial("voting 1")
        assert judge.chosen() == ["D", "A"]
        page.get_by_role("button", name="Trials").click()
        page.get_by_role("button", name="2", exact=True).click()
        judge.sees_trial("voting 2")
        assert page.inner_text(".left").startswith("1 of ")
        tiles, votes = newest_choice(site, number, 1)
        assert votes[-1] == [tiles[3], tiles[0]]
        picked.append(tiles)
        page.goto(f"{HERE}/judging/done")
        playwright.expect(page.locator("main")).to_contain_text("Without a vote: 2, 3")
    assert picked[0] != picked[1]


@pytest.mark.parametrize(("mode", "points"), [("rating", ()), ("pairwise", (1,)), ("best", (1,))])
def test_other_kinds_of_trial_take_their_votes(site, served, meet, mode, points):
    study = make_judged_study(site, judges=1, mode=mode, points=points)
    judge = meet(study.links[0]).ready().at_trial(1)
    if mode == "rating":
        judge.press("a", "5", "b", "2").saved()
        judge.page.get_by_role("button", name="C –").click()
        judge.page.locator(".about").get_by_role("button", name="4", exact=True).click()
        judge.saved()
        assert judge.page.inner_text(".slots").split() == ["A", "5", "B", "2", "C", "4", "D", "–"]
    else:
        judge.press("a", "1", "b", "1").saved()
        assert "best: B" in judge.page.inner_text(".slots")
    height = judge.page.locator(".wall").bounding_box()["height"]
    judge.press("u")
    assert judge.page.locator(".wall").bounding_box()["height"] == height  # pictures do not jump
    judge.looks_well(mode)


# ---- Screens


def test_a_phone_is_refused_with_the_reason(site, served, meet):
    study = make_judged_study(site, judges=1)
    phone = {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 3,
    }
    judge = meet(study.links[0], **phone).arrive().answer_screen()
    verdict = judge.page.locator("#verdict")
    playwright.expect(verdict).to_contain_text("the window is 390x")
    playwright.expect(verdict).to_contain_text("at least 1280x720 are needed")
    judge.page.goto(f"{HERE}/judging/vote")
    assert judge.page.url.endswith("/judging/screen")
    assert judge.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_window_made_too_small_later_covers_the_pictures_until_it_is_large_again(site, served, meet):
    study = make_judged_study(site, judges=1)
    judge = meet(study.links[0]).ready().at_trial(1)
    judge.page.set_viewport_size({"width": 1000, "height": 768})
    cover = judge.page.locator(".cover")
    judge.looks_well("cover")
    playwright.expect(cover).to_contain_text("The window is 1000 × 768; at least 1280 × 720 are needed")
    judge.press("a", "1", "p")
    assert judge.page.locator("html").get_attribute("data-saving") is None
    judge.page.set_viewport_size({"width": 1366, "height": 768})
    playwright.expect(cover).to_be_hidden()
    judge.press("a", "1").saved()


def test_who_misses_shades_or_colours_is_advised_and_may_go_on(site, served, meet):
    study = make_judged_study(site, judges=1)
    judge = meet(study.links[0]).arrive().looks_well("screen").answer_screen(dark=0)
    playwright.expect(judge.page.locator("#verdict")).to_contain_text("raise the screen's brightness")
    judge.page.get_by_role("link", name="go on as it is").click()
    judge.page.wait_for_url("**/judging/instructions")
    judge.looks_well("instructions")
    judge.page.goto(f"{HERE}/judge/{judge.link}")
    judge.looks_well("invitation")
