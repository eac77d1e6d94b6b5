"""A headless Chromium for the tests of pages."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from patience import PATIENCE_S

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--enable-logging=stderr",
)


def find_chromium() -> str | None:
    """Find the program that RAIM_CHROMIUM or a usual name says; None where there is none."""
    return os.environ.get("RAIM_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched(*flags: str):
    """Give a browser that playwright drives, with one colour space wherever it runs; skip the test without one."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium; RAIM_CHROMIUM can name it")
    given = ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", *flags]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=given)
        yield browser
        browser.close()


def run(chromium: str, page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open a page with a profile of its own beside it."""
    return open_address(chromium, page.as_uri(), page.parent, *flags)


def open_address(chromium: str, address: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open an address with a profile of its own in a folder."""
    profile = folder / "browser"
    return subprocess.run(
        [chromium, *FLAGS, f"--user-data-dir={profile}", *flags, address],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
