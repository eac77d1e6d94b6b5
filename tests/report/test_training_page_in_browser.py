"""The page of a training run in a real browser: light, dark, on a phone, without a complaint.

With RAIM_SCREENSHOTS=FOLDER it is photographed.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from raim.images import write_image
from raim.report.training_page import write_training_page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

DESK, PHONE = 1280, 360


@pytest.fixture
def page(tmp_path):
    """Write a page with a wide sample sheet, a wide table and a long line in its recipe."""
    facts = {"name": "denoise-" * 8, "note": "a note " * 30, "step": 750, "steps": 1000, "seconds": 90.0}
    facts |= {"profile": "raim-2024", "identity": {"psnr": 30.0, "score": 70.0}, "parameters": 900184}
    (tmp_path / "training.json").write_text(json.dumps(facts))
    (tmp_path / "recipe.toml").write_text("# " + "long " * 60 + "\n")
    lines = [f"{step},{2 / step},0.001,0.5,0.3" for step in range(10, 760, 10)]
    (tmp_path / "log.csv").write_text("\n".join(["step,loss,learning_rate,gradient_norm,seconds", *lines]))
    (tmp_path / "validation.csv").write_text(
        "step,psnr,ssim,lpips,dists,niqe,score\n250,31,0.91234,0.2,0.1,5.5,74.5\n750,32,0.92345,0.1,0.1,,\n"
    )
    pixels = np.random.default_rng(0).integers(0, 256, (60, 900, 3), np.uint8)
    (tmp_path / "samples").mkdir()
    write_image(tmp_path / "samples/step-00000750.png", pixels)
    return write_training_page(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", DESK), ("dark", DESK), ("light", PHONE)])
def test_it_shows_without_a_complaint_and_fits(chromium, page, scheme, width):
    complaints = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        seen = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        seen.on("console", lambda message: complaints.append(message.text))
        seen.on("pageerror", lambda error: complaints.append(str(error)))
        seen.goto(page.as_uri())
        seen.locator("img").scroll_into_view_if_needed()
        seen.locator("img").evaluate("image => image.decode()")
        ground = seen.evaluate("getComputedStyle(document.body).backgroundColor")
        widest = seen.evaluate("document.documentElement.scrollWidth")
        found = axe.Axe().run(seen).response["violations"]
        if folder := os.environ.get("RAIM_SCREENSHOTS"):
            seen.screenshot(path=str(Path(folder, f"training-{scheme}-{width}.png")), full_page=True)
        browser.close()
    assert not complaints
    assert (int(ground.split("(")[1].split(",")[0]) < 128) == (scheme == "dark")
    assert widest <= width
    assert not [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
