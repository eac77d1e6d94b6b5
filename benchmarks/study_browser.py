"""One judge in Chromium, for study_judges.py: how soon a trial is shown, and how much memory the browser holds."""

import contextlib
import os
import shutil
import time
from pathlib import Path

from server_load import HERE, Running

SHOWN_MS = 60_000


def judge_in_browser(running: Running, link: str) -> None:
    """Vote in every trial as a judge does, and print what was waited for; the judge has done the screen check."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("RAIM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--force-color-profile=srgb"]
        )
        page = browser.new_context(viewport={"width": 1920, "height": 1000}).new_page()
        page.goto(f"{running.address}{HERE}/judge/{link}")
        page.locator("button.main").click()  # "Begin", or "Go on"
        page.wait_for_url("**/judging/**")
        page.goto(f"{running.address}{HERE}/judging/vote?position=1")
        cold = wait_shown(page, 1, time.perf_counter())
        total = int(page.get_attribute("#judging", "data-total"))
        shown, large, most = [], [], 0.0
        for position in range(1, total + 1):
            for key in ("a", "1", "b", "2", "c", "3", "z"):
                page.keyboard.press(key)
            began = time.perf_counter()
            page.keyboard.press("Enter")
            page.wait_for_timeout(400)
            large.append(time.perf_counter() - began)
            page.keyboard.press("Enter")
            most = max(most, memory_of(os.getpid()))
            if position == total:
                break
            began = time.perf_counter()
            page.keyboard.press("n")
            shown.append(wait_shown(page, position + 1, began))
        browser.close()
    print(f"Chromium, 1920x1000: first trial shown after {cold:.2f} s, the next ones after", end=" ")
    print(
        f"{max(shown, default=0.0):.2f} s at most (mean {sum(shown) / max(1, len(shown)):.2f} s, preloaded)"
    )
    print(f"  memory of all processes of the browser: {most:.0f} MiB at most")


def wait_shown(page: object, position: int, began: float) -> float:
    """Wait until every picture of a trial is drawn; give the seconds."""
    page.wait_for_selector(f'html[data-shown="voting {position}"]', state="attached", timeout=SHOWN_MS)
    return time.perf_counter() - began


def memory_of(pid: int) -> float:
    """Give the proportional memory of the renderer processes below a process, in MiB."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parent = int((place / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(place.name))
    waiting, total = [pid], 0
    while waiting:
        for child in children.get(waiting.pop(), ()):
            waiting.append(child)
            with contextlib.suppress(OSError):
                if b"--type=renderer" in Path(f"/proc/{child}/cmdline").read_bytes():
                    text = Path(f"/proc/{child}/smaps_rollup").read_text(encoding="ascii")
                    total += int(
                        next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]
                    )
    return total / 1024
