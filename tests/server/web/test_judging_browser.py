"""Two judges go through a whole small study of real photographs in a real browser: one by mouse, one by keys."""

import os
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from judging_site import make_judged_study
from raim.images import read_image, write_image
from raim.server import database as t
from server_site import HERE, Site
from visitor import answer_screen, listening, wait_for_trial

pytest.importorskip("pyvips", reason="libvips is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

pytestmark = pytest.mark.slow
DESK = {"width": 1600, "height": 900}


@pytest.fixture
def open_page(chromium):
    """Open pages with screens of their own; a fault in a page's script fails the test."""
    contexts, faults = [], []

    def make():
        context = chromium.new_context(viewport=DESK)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not [fault for fault in faults if "net::ERR_" not in fault], faults


def photograph(page, name):
    """Keep a picture of the page where RAIM_SCREENSHOTS says."""
    folder = os.environ.get("RAIM_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder, f"judge-{name}.png"))


def is_accessible(page):
    found = axe.Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in {"serious", "critical"}]


def arrive(page, address, link):
    """Go from the link to the first training trial by keys and clicks."""
    page.goto(f"{address}{HERE}/judge/{link}")
    assert is_accessible(page) == []
    photograph(page, "invitation")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/judging/screen")
    assert is_accessible(page) == []
    answer_screen(page)
    photograph(page, "screen")
    page.get_by_role("button", name="Check and go on").click()
    page.wait_for_url("**/judging/instructions")
    assert is_accessible(page) == []
    photograph(page, "instructions")
    page.get_by_role("button", name="Go to the training trials").click()
    wait_for_trial(page, "training", 1)


def wait_until_saved(page):
    page.wait_for_selector('html[data-saving="saved"]', state="attached")


def total_of(page):
    return int(page.get_attribute("#judging", "data-total"))


def votes(site):
    with site.server.database.reading() as session:
        return [
            (judge, part, position, tuple(choice))
            for judge, part, position, choice in session.execute(
                select(t.Trial.judge_id, t.Trial.part, t.Trial.position, t.Vote.choice)
                .join(t.Vote, t.Vote.trial_id == t.Trial.id)
                .order_by(t.Vote.id)
            )
        ]


def put_photographs(challenge_folder, photographs):
    """Replace the final's images by real photographs."""
    place = challenge_folder / "data" / "final-unpaired"
    rows = ["name,issue,width,height"]
    for old in (place / "input").iterdir():
        old.unlink()
    for number, (pixels, issue) in enumerate(photographs, start=1):
        write_image(place / "input" / f"{number:04d}.png", pixels)
        rows.append(f"{number:04d},{issue},{pixels.shape[1]},{pixels.shape[0]}")
    (place / "manifest.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.shared
def test_two_judges_go_through_a_whole_study_of_real_photographs(
    challenge_folder, clock, shared, chromium, open_page
):
    files = (
        sorted((shared / "data" / "unpaired").rglob("*.png"))[:2]
        or sorted((shared / "data" / "unpaired").rglob("*.jpg"))[:2]
    )
    pictures = [read_image(path, purpose="restore").pixels[:480, :640] for path in files]
    put_photographs(challenge_folder, [(np.ascontiguousarray(each), "noise") for each in pictures])
    site = Site(challenge_folder, clock)
    study = make_judged_study(site, traps=1, training=1, repeats_share=0.5)
    with listening(site) as address:
        by_mouse(open_page(), address, study.links[0], site)
        by_keys(open_page(), address, study.links[1], site)
    with site.server.database.reading() as session:
        judges = session.scalars(select(t.Judge).order_by(t.Judge.number)).all()
        assert all(judge.finished_at is not None for judge in judges)
    site.server.database.engine.dispose()


def by_mouse(page, address, link, site):
    """Judge with clicks: reasons, a marked region, a change, a pause, back and on."""
    arrive(page, address, link)
    page.get_by_role("button", name="Next").or_(page.get_by_role("button", name="To the end")).first.click()
    page.wait_for_url("**/judging/vote")
    wait_for_trial(page, "voting", 1)
    assert is_accessible(page) == []
    for label in "BCA":
        page.locator(f".view figcaption button:text-is('{label}')").click()
    page.locator(".reason").first.click()
    wait_until_saved(page)
    photograph(page, "grid")
    first = votes(site)[-1]
    assert len(first[3]) == 3
    box = page.locator(".view").nth(2).bounding_box()
    page.get_by_role("button", name="Mark").click()
    page.mouse.move(box["x"] + box["width"] / 2 - 20, box["y"] + box["height"] / 2 - 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 20, box["y"] + box["height"] / 2 + 20)
    page.mouse.up()
    page.wait_for_selector(".mark", state="attached")
    page.get_by_role("button", name="Mark").first.click()
    page.locator(".view figcaption button", has_text="B").first.click()  # take the first pick back
    page.locator(".view figcaption button:text-is('D')").click()
    page.wait_for_function("document.querySelector('.ballot').textContent.includes('3rd: D')")
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_role("heading", name="Paused").is_visible()
    photograph(page, "paused")
    page.get_by_role("button", name="Go on").click()
    total = total_of(page)
    for position in range(2, total + 1):
        page.get_by_role("button", name="Next").click()
        wait_for_trial(page, "voting", position)
        for label in "ABC":
            page.locator(f".view figcaption button:text-is('{label}')").click()
        page.wait_for_function("document.querySelectorAll('.is-picked').length === 3")
    page.get_by_role("button", name="Back").click()
    wait_for_trial(page, "voting", total - 1)
    assert page.locator(".is-picked").count() == 3
    page.get_by_role("button", name="Next").click()
    wait_for_trial(page, "voting", total)
    wait_until_saved(page)
    page.get_by_role("button", name="To the end").click()
    page.wait_for_url("**/judging/done")
    assert is_accessible(page) == []
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Finish and lock my votes").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    mine = [each for each in votes(site) if each[0] == first[0] and each[1:3] == ("voting", 1)]
    assert len(mine) >= 5  # every change is kept


def by_keys(page, address, link, site):
    """Judge with the keyboard alone."""
    arrive(page, address, link)
    press = page.keyboard.press
    press("n")
    page.wait_for_url("**/judging/vote")
    wait_for_trial(page, "voting", 1)
    total = total_of(page)
    for position in range(1, total + 1):
        wait_for_trial(page, "voting", position)
        for label, rank in (("c", "1"), ("a", "2"), ("d", "3")):
            press(label)
            press(rank)
        page.wait_for_function("document.querySelectorAll('.is-picked').length === 3")
        if position == 1:
            look_around(page)
        if position < total:
            press("n")
    wait_until_saved(page)
    press("n")
    page.wait_for_url("**/judging/done")
    tab_to(page, "checkbox")
    press("Space")
    tab_to(page, "submit")
    press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    judge_id = max(each[0] for each in votes(site))
    mine = {each[2] for each in votes(site) if each[0] == judge_id and each[1] == "voting"}
    assert mine == set(range(1, total + 1))


def tab_to(page, kind):
    """Press Tab until a field of a kind has the focus."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == kind:
            return
    pytest.fail(f"no {kind} can be reached by Tab")


def look_around(page):
    """Zoom, move, fill, flicker, undo and put it back."""
    words = page.locator(".zoom-words")
    press = page.keyboard.press
    press("z")
    assert words.inner_text() == "1:1"
    press("+")
    assert words.inner_text() == "2:1"
    press("-")
    press("-")
    assert words.inner_text() == "1:2"
    press("z")
    press("ArrowLeft")
    press("Enter")
    assert page.locator(".is-front").count() == 1
    photograph(page, "full")
    front = page.locator(".is-front").get_attribute("aria-label")
    page.keyboard.down("Space")
    assert page.locator(".is-front").get_attribute("aria-label") == "Input"
    page.keyboard.up("Space")
    assert page.locator(".is-front").get_attribute("aria-label") == front
    press("Escape")
    press("l")
    assert page.locator(".view:not([hidden])").count() == 2
    photograph(page, "large")
    press("l")
    press("x")
    press("u")
    page.wait_for_function("document.querySelectorAll('.is-picked').length === 2")
    press("d")
    press("3")
    page.wait_for_function("document.querySelectorAll('.is-picked').length === 3")
