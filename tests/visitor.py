"""People with a real browser, and a server for them: what the tests of whole stories are made of."""

import os
import re
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from patience import PATIENCE_S, wait_until
from raim.server.web.app import make_app
from server_site import README, place

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
PHONE = 360


@contextmanager
def listening(site):
    """Let a site listen on a free port."""
    config = uvicorn.Config(make_app(site.server), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE_S)


class Visitor:
    """Somebody with a browser, who looks at each page as a test should."""

    def __init__(self, browser, address, name):
        self.context = browser.new_context(
            base_url=address, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        self.name, self.address, self.faults, self.seen = name, address, [], set()
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on(
            "console",
            lambda message: (
                self.faults.append(f"{self.page.url}: {message.text}")
                if "Content Security Policy" in message.text
                else None
            ),
        )

    def open(self, path):
        self.page.goto(place(path))
        return self

    def fill(self, **fields):
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").first.fill(value)
        return self

    def press(self, words, *, within="main"):
        self.page.locator(within).get_by_role("button", name=words, exact=True).first.click()
        return self

    def sees(self, words):
        expect(self.page.locator("body")).to_contain_text(words, timeout=PATIENCE_S * 1000)
        return self

    def look(self, path):
        """Check a page for faults of accessibility and width, and photograph it."""
        self.open(path)
        name = re.sub(r"\W+", "-", path).strip("-") or "home"
        if name in self.seen:
            return self
        self.seen.add(name)
        axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
        found = axe.Axe().run(self.page)
        bad = [each for each in found.response["violations"] if each["impact"] in {"serious", "critical"}]
        assert not bad, (path, [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in bad])
        self.photograph(f"{name}-light")
        with self.seeing(scheme="dark"):
            found = axe.Axe().run(self.page, options={"runOnly": ["color-contrast"]})
            assert not found.response["violations"], (path, "dark", found.generate_report())
            self.photograph(f"{name}-dark")
        with self.seeing(width=PHONE):
            assert self.page.evaluate("document.documentElement.scrollWidth") <= PHONE, f"{path} is too wide"
            self.photograph(f"{name}-phone")
        return self

    @contextmanager
    def seeing(self, *, scheme="light", width=1280):
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.set_viewport_size({"width": width, "height": 900})
        yield
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.page.set_viewport_size({"width": 1280, "height": 900})

    def photograph(self, name):
        folder = os.environ.get("RAIM_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder, f"{self.name}-{name}.png")), full_page=True)


def make_zip(path, folder, *, leave_out=(), readme=README):
    with zipfile.ZipFile(path, "w") as archive:
        for image in sorted(folder.iterdir()):
            if image.name not in leave_out:
                archive.write(image, image.name)
        if readme:
            archive.writestr("readme.txt", readme)
    return path


def hand_in(visitor, packed, kind="scored", *, path="/submit"):
    visitor.open(path)
    visitor.page.check(f"[data-kind={kind}]")
    visitor.page.set_input_files("[name=file]", str(packed))
    visitor.press("Submit")
    visitor.page.wait_for_url(re.compile(r"/submissions/\d+"))
    return visitor.page.url


def answer_screen(page):
    """Count the squares that are there, and find the odd colours."""
    for name in ("dark", "bright"):
        page.fill(f"[name={name}]", str(page.locator(f".strip.{name} i:not(.none)").count()))
    for row in range(page.locator(".odd-row").count()):
        patches = page.locator(".odd-row").nth(row).locator(".patches i")
        kinds = [patches.nth(place).get_attribute("class") for place in range(patches.count())]
        odd = next(place for place, each in enumerate(kinds, start=1) if "odd" in each)
        page.select_option(f"[name=odd-{row + 1}]", str(odd))


def wait_for_trial(page, part, position):
    page.wait_for_selector(f'html[data-shown="{part} {position}"]', state="attached")
