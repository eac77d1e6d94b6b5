import base64
import html.parser
import io
import re
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from browser import run
from raim.errors import ImageError, InputError
from raim.images import write_image
from raim.report.comparison import (
    MAX_PICTURES,
    PIXEL_BUDGET,
    Comparison,
    choose_comparison_side,
    write_comparison,
)

HOSTILE = (
    "<img src=x onerror=\"document.title='taken'\"></style></script><script>document.title='taken'</script>"
)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def entries(folder, count=1, *, height=24, width=30, scale=1, name=HOSTILE):
    write_image(folder / "after.png", noise(height * scale, width * scale, 7))
    return [
        Comparison(
            name=f"{name}{index}",
            before=lambda: noise(height, width),
            after=folder / "after.png",
            notes=(HOSTILE,),
        )
        for index in range(count)
    ]


def write(tmp_path, count=1, **options):
    page = tmp_path / "page.html"
    write_comparison(page, entries(tmp_path, count, **options), title=HOSTILE, note=HOSTILE)
    return page.read_text(encoding="utf-8")


class Elements(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_hostile_names_and_notes_make_no_element(tmp_path):
    elements = Elements(write(tmp_path)).found
    assert [tag for tag, _ in elements].count("script") == 1
    assert all(
        attributes["src"].startswith("data:image/webp;base64,")
        for tag, attributes in elements
        if tag == "img"
    )
    assert not any(name.startswith("on") for _, attributes in elements for name in attributes)


def test_nothing_is_loaded_and_no_element_has_a_style_that_the_policy_would_refuse(tmp_path):
    text = write(tmp_path)
    elements = Elements(text).found
    assert not any("style" in attributes for _, attributes in elements)
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    policy = next(a["content"] for t, a in elements if t == "meta" and a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")


def test_it_says_how_much_of_a_large_batch_it_shows(tmp_path):
    text = write(tmp_path, MAX_PICTURES + 3, height=8, width=8)
    assert text.count("<article") == MAX_PICTURES
    assert f"The first {MAX_PICTURES} of the {MAX_PICTURES + 3} photographs are shown" in text


def test_it_says_which_part_of_a_large_photograph_it_shows(tmp_path, monkeypatch):
    monkeypatch.setattr("raim.report.comparison.LONGEST_SIDE_PX", 16)
    text = write(tmp_path)
    assert re.search(r"24\s+pixels\.\s+Shown are the 16 × 16 that changed most, from \(\d+, \d+\)", text)
    assert 'data-width="16" data-height="16"' in text


def test_a_note_stands_below_the_heading_and_no_note_leaves_no_paragraph(tmp_path):
    with_note, without = tmp_path / "with.html", tmp_path / "without.html"
    write_comparison(with_note, [], note="one & two")
    write_comparison(without, [])
    paragraph = "<p>one &amp; two</p>\n"
    assert with_note.read_text().count(paragraph) == 1
    assert with_note.read_text().replace(paragraph, "") == without.read_text()


def test_photographs_may_come_one_after_another(tmp_path):
    listed = entries(tmp_path, 3)
    write_comparison(tmp_path / "list.html", listed)
    write_comparison(tmp_path / "iterator.html", iter(listed))
    assert (tmp_path / "iterator.html").read_bytes() == (tmp_path / "list.html").read_bytes()


def test_zoom_has_buttons_that_the_keyboard_reaches(tmp_path):
    elements = Elements(write(tmp_path)).found
    done = [attributes["data-do"] for tag, attributes in elements if tag == "button"]
    assert done == ["out", "in", "native", "double", "fourfold", "fit"]
    (slider,) = [attributes for tag, attributes in elements if tag == "input"]
    assert slider["type"] == "range"


def test_before_lies_on_after_fourfold(tmp_path):
    sources = [a["src"] for tag, a in Elements(write(tmp_path, scale=4)).found if tag == "img"]
    before, after = (decode(source) for source in sources)
    np.testing.assert_array_equal(before, noise(24, 30).repeat(4, axis=0).repeat(4, axis=1))
    np.testing.assert_array_equal(after, noise(96, 120, 7))


def decode(source):
    content = base64.b64decode(source.removeprefix("data:image/webp;base64,"), validate=True)
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_a_broken_picture_is_named_and_leaves_an_earlier_page_as_it_was(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("earlier")
    listed = entries(tmp_path)
    (tmp_path / "after.png").write_bytes((tmp_path / "after.png").read_bytes()[:200])
    with pytest.raises(ImageError, match=r"after\.png"):
        write_comparison(page, listed)
    assert page.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["after.png", "page.html"]


def test_an_enlarged_photograph_says_both_sizes(tmp_path):
    text = write(tmp_path, scale=2)
    assert "30 × 24 pixels before, 60 × 48 after; before is enlarged by repeating its pixels" in text


@pytest.mark.parametrize("count", [1, 2, 5, 24, 1000])
def test_all_pictures_together_keep_within_the_budget(count):
    assert min(count, MAX_PICTURES) * choose_comparison_side(count) ** 2 <= PIXEL_BUDGET


def test_it_is_the_same_page_for_the_same_photographs(tmp_path):
    assert write(tmp_path) == write(tmp_path)


def test_it_tells_when(tmp_path):
    write_comparison(tmp_path / "page.html", [], created=datetime(2026, 5, 6, 7, 8, tzinfo=UTC))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "restored 2026-05-06 07:08 UTC" in text
    assert "There is no photograph to show" in text


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_comparison(tmp_path / "gone" / "page.html", [])
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_comparison(tmp_path / "folder.html", [])
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


@pytest.mark.slow
def test_the_script_runs_without_a_complaint_and_hostile_names_do_not(chromium, tmp_path):
    write(tmp_path)
    done = run(chromium, tmp_path / "page.html", "--dump-dom")
    assert "CONSOLE" not in done.stderr
    assert "<title>&lt;img" in done.stdout
    assert "clip-path: inset(0px 0px 0px" in done.stdout
    assert "image-rendering: pixelated" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1, 1.5])
def test_before_is_left_and_after_right_of_the_line_pixel_for_pixel(chromium, tmp_path, ratio):
    write_comparison(tmp_path / "page.html", entries(tmp_path, height=200, width=300, name="fine"))
    shot = tmp_path / "shot.png"
    flags = (f"--screenshot={shot}", "--window-size=1000,900", f"--force-device-scale-factor={ratio}")
    run(chromium, tmp_path / "page.html", *flags)
    screen = np.asarray(Image.open(shot).convert("RGB"))
    # Far from labels, line and handle, a part of each picture stands in the screen, each pixel a whole block.
    zooms = {
        name: find_zoom(screen, pixels[150:190, left : left + 40])
        for name, pixels, left in (("before", noise(200, 300), 20), ("after", noise(200, 300, 7), 240))
    }
    assert zooms["before"] == zooms["after"] >= 1
    assert not find_zoom(screen, noise(200, 300)[150:190, 240:280])


def write_marked(tmp_path):
    before = np.random.default_rng(3).integers(0, 256, (20, 30, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    after = before.copy()
    after[64:96, 96:128] = (np.indices((32, 32)).sum(axis=0) // 8 % 2 * 255)[..., None]
    write_image(tmp_path / "after.png", after)
    entry = Comparison(name="fine", before=lambda: before, after=tmp_path / "after.png", is_guarded=True)
    write_comparison(tmp_path / "page.html", [entry])
    return tmp_path / "page.html"


def test_a_photograph_with_marks_has_a_button_and_a_key_for_them(tmp_path):
    text = write_marked(tmp_path).read_text()
    elements = Elements(text).found
    assert "mark" in [attributes["data-do"] for tag, attributes in elements if tag == "button"]
    (marks,) = [a for tag, a in elements if tag == "img" and a["class"] == "marks"]
    assert "hidden" in marks  # until they are wanted
    assert "<kbd>m</kbd> mark" in text
    assert "<kbd>m</kbd> mark" not in write(tmp_path)


@pytest.mark.slow
def test_marks_are_shown_and_hidden_over_what_is_after(chromium, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    address = write_marked(tmp_path).as_uri()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(address)

        def count_marked():
            shot = Image.open(io.BytesIO(page.locator(".frame").screenshot())).convert("RGB")
            return int((np.asarray(shot) == (255, 0, 200)).all(axis=2).sum())

        assert count_marked() == 0
        page.get_by_role("button", name="mark what does not follow").click()
        page.locator(".frame").press("a")  # all after
        shown = count_marked()
        assert shown > 32 * 4 * 2
        page.locator(".frame").press("b")  # all before: marks are of what is after
        assert count_marked() == 0
        page.locator(".frame").press("a")
        page.locator(".frame").press("m")
        assert count_marked() == 0
        page.locator(".frame").press("m")
        assert count_marked() == shown
        assert page.get_by_role("button", name="mark what").get_attribute("aria-pressed") == "true"
        browser.close()
    assert complaints == []


@pytest.mark.slow
def test_without_scripts_both_pictures_stand_whole(chromium, tmp_path):
    page, shot = tmp_path / "page.html", tmp_path / "shot.png"
    write_comparison(page, entries(tmp_path, height=200, width=300, name="fine"))
    bare, count = re.subn("<script>.*?</script>", "", page.read_text(), flags=re.DOTALL)
    assert count == 1
    page.write_text(bare)
    run(chromium, page, f"--screenshot={shot}", "--window-size=1000,900", "--force-device-scale-factor=1")
    screen = np.asarray(Image.open(shot).convert("RGB"))
    assert find_zoom(screen, noise(200, 300)) == find_zoom(screen, noise(200, 300, 7)) == 1


def find_zoom(screen, pixels):
    """Give the whole factor at which the pixels stand in the screen, exactly; 0 if nowhere."""
    for zoom in range(1, 9):
        shown = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
        height, width = shown.shape[:2]
        starts = np.argwhere((screen[:, :-1] == shown[0, 0]).all(axis=2))
        for y, x in starts:
            if np.array_equal(screen[y : y + height, x : x + width], shown):
                return zoom
    return 0
