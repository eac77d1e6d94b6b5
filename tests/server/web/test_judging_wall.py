"""Pixels of the wall of pictures on the screen are pixels of the tiles, at every step of zoom and on every screen."""

import io

import numpy as np
import pytest
from PIL import Image as PillowImage

from script_site import ScriptSite, start

pytestmark = pytest.mark.slow
TILE = 256
LABELS = "ABCDEFGHI"
STILL_FRAMES = 6  # a picture that has grown says for some frames that it is still whole


@pytest.fixture(scope="module")
def browser(chromium):
    """The browser of all tests here."""
    return chromium


def make_levels(image):
    """Make a pyramid as the server's: each level half of the one before, rounded up."""
    levels = [image]
    while max(levels[-1].shape[:2]) > TILE:
        last = levels[-1]
        even = np.pad(last, ((0, last.shape[0] % 2), (0, last.shape[1] % 2), (0, 0)), mode="edge").astype(int)
        levels.append(
            ((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) // 4).astype(np.uint8)
        )
    return levels


def serve_tiles(site, address, levels):
    for number, level in enumerate(levels):
        for top in range(0, level.shape[0], TILE):
            for left in range(0, level.shape[1], TILE):
                file = io.BytesIO()
                PillowImage.fromarray(level[top : top + TILE, left : left + TILE]).save(
                    file, "png", compress_level=0
                )
                site.files[f"{address}/{number}/{left // TILE}_{top // TILE}.png"] = file.getvalue()


class Wall:
    """The wall on a page of its own, with noise as pictures: any resampling changes every pixel."""

    def __init__(self, browser, site, *, width, height, ratio, n_candidates=9, window=(1366, 768)):
        rng = np.random.default_rng(7)
        names = ["input", *LABELS[:n_candidates].lower()]
        images = {name: rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for name in names}
        self.levels = {name: make_levels(image) for name, image in images.items()}
        for name, levels in self.levels.items():
            serve_tiles(site, f"/t/{name}", levels)
        sizes = [{"width": each.shape[1], "height": each.shape[0]} for each in self.levels["input"]]
        size = {"width": width, "height": height, "levels": sizes}
        trial = {
            "image": {**size, "tile": TILE},
            "input": {"tiles": "/t/input", **size},
            "candidates": [{"label": each, "tiles": f"/t/{each.lower()}"} for each in LABELS[:n_candidates]],
        }
        site.add_page(
            "<main><div></div><div class=wall id=wall></div><div></div></main>",
            f"""
            document.body.className = "trial";
            const {{ Wall }} = await import("/static/judging-wall.js");
            window.shown = new Promise((shown) => {{
              window.wall = new Wall(document.getElementById("wall"), {{
                onShown: shown, onCurrent() {{}}, onClick() {{}},
                onZoom(words) {{ window.words = words; }}, onRegion(region) {{ window.region = region; }},
              }});
            }});
            wall.open({trial!r});
            """.replace("True", "true"),
            head="<link rel=stylesheet href=/static/judging.css>"
            "<script src=/static/vendor/openseadragon.min.js></script>",
        )
        self.context = browser.new_context(
            viewport={"width": window[0], "height": window[1]}, device_scale_factor=ratio
        )
        self.page = self.context.new_page()
        self.said = []
        self.page.on("console", lambda said: said.type == "error" and self.said.append(said.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(site.address, wait_until="domcontentloaded")
        self.run(
            "while (!window.shown) await new Promise(requestAnimationFrame); await shown;"
            "for (const each of document.querySelectorAll('figcaption')) each.hidden = true;"
        )

    def run(self, script):
        return self.page.evaluate(f"async () => {{ {script} }}")

    def settle(self):
        """Wait until every picture in view is drawn whole, at the size that it has now, and stays so."""
        self.run(
            "const frame = () => new Promise(requestAnimationFrame);"
            "const isFitted = ({ viewer, canvas }) => {"
            "  const size = viewer.viewport.getContainerSize();"
            "  return size.x === canvas.clientWidth && size.y === canvas.clientHeight;"
            "};"
            "const isDrawn = (each) => each.figure.hidden ||"
            "  (isFitted(each) && each.viewer.world.getItemAt(0)?.getFullyLoaded());"
            f"for (let still = 0; still < {STILL_FRAMES}; ) {{"
            "  await frame();"
            "  still = wall.views.every(isDrawn) ? still + 1 : 0;"
            "}"
        )
        return self

    def photograph(self, label):
        """Give the pixels of the screen that a picture has, without the frame around it."""
        box = self.page.locator(f".view[aria-label='{label}'] .canvas").bounding_box()
        assert all(side == int(side) for side in box.values())  # or the screenshot would resample
        core = np.asarray(
            PillowImage.open(io.BytesIO(self.page.screenshot(clip=box, scale="device"))).convert("RGB")
        )
        return core[4:-4, 4:-4]  # the frame's corners are round


@pytest.fixture
def put_up(browser):
    """Put walls up; their pages must have nothing to complain about."""
    site = ScriptSite()
    stop = start(site)
    made = []

    def put(**how):
        made.append(Wall(browser, site, **how))
        return made[-1]

    yield put
    for wall in made:
        wall.context.close()
        assert wall.said == []
    stop()


def place_of(shown, image):
    """Give where an image stands in a screenshot, pixel by pixel; None if it does not."""
    height, width = image.shape[:2]
    first = image[0, 0]
    tops, lefts = np.nonzero((shown[: -height + 1 or None, : -width + 1 or None] == first).all(axis=2))
    for top, left in zip(tops.tolist(), lefts.tolist(), strict=True):
        if np.array_equal(shown[top : top + height, left : left + width], image):
            return top, left
    return None


@pytest.mark.parametrize("ratio", [1, 1.25, 2])
def test_at_one_to_one_every_pixel_on_the_screen_is_a_pixel_of_the_file(put_up, ratio):
    wall = put_up(width=1101, height=701, ratio=ratio, n_candidates=3)
    for label, name, place in (("Candidate C", "c", 3), ("Input", "input", 0)):
        wall.run(f"if (wall.front) wall.fill(); wall.fill(wall.views[{place}]); wall.zoomTo(1);")
        wall.settle()
        assert place_of(wall.photograph(label), wall.levels[name][0]) is not None
    assert wall.run("return words;") == "1:1"


@pytest.mark.parametrize("ratio", [1, 2])
def test_below_it_a_level_of_the_pyramid_is_shown_pixel_by_pixel(put_up, ratio):
    wall = put_up(width=1101, height=701, ratio=ratio, n_candidates=2)
    wall.run("wall.fill(wall.viewOf('B'));")
    for zoom, words, level in ((1 / 2, "1:2", 1), (1 / 4, "1:4", 2)):
        wall.run(f"wall.zoomTo({zoom});")
        wall.settle()
        assert wall.run("return words;") == words
        # Where the size is no multiple, the level's last pixels stand for less than a pixel: the picture ends in them.
        whole = wall.levels["b"][level][: int(701 * zoom), : int(1101 * zoom)]
        assert place_of(wall.photograph("Candidate B"), whole) is not None


@pytest.mark.parametrize("ratio", [1, 2])
def test_above_it_pixels_are_repeated_whole(put_up, ratio):
    wall = put_up(width=301, height=201, ratio=ratio, n_candidates=2)
    wall.run("wall.fill(wall.viewOf('A')); wall.zoomTo(3);")
    wall.settle()
    image = wall.levels["a"][0].repeat(3, axis=0).repeat(3, axis=1)
    assert place_of(wall.photograph("Candidate A"), image) is not None


def test_all_pictures_of_the_grid_stand_at_the_same_place_after_every_move(put_up):
    wall = put_up(width=1101, height=701, ratio=1)
    wall.run(
        "wall.zoomTo(1); wall.panBy(2, -1); wall.zoomStep(true, { x: 0.3, y: 0.2 });"
        "wall.zoomStep(false); wall.panBy(-1, 1.5);"
    )
    wall.settle()
    places = set()
    for name in ("input", *LABELS.lower()):
        label = "Input" if name == "input" else f"Candidate {name.upper()}"
        shown = wall.photograph(label)
        places.add(place_of(wall.levels[name][0], shown))
    assert len(places) == 1
    assert None not in places


def test_a_drag_in_one_picture_moves_all_and_ends_on_whole_pixels(put_up):
    wall = put_up(width=1101, height=901, ratio=2, n_candidates=5)
    wall.run("wall.zoomTo(1);")
    box = wall.page.locator(".view[aria-label='Candidate D'] .canvas").bounding_box()
    wall.page.mouse.move(box["x"] + 100, box["y"] + 100)
    wall.page.mouse.down()
    wall.page.mouse.move(box["x"] + 63, box["y"] + 96, steps=4)
    wall.page.mouse.up()
    wall.settle()
    places = {place_of(wall.levels[name][0], wall.photograph(f"Candidate {name.upper()}")) for name in "abd"}
    assert len(places) == 1
    assert None not in places


def test_a_flicker_shows_the_other_picture_at_the_same_place(put_up):
    wall = put_up(width=1101, height=701, ratio=1, n_candidates=3)
    wall.run(
        "wall.setCurrent(wall.viewOf('B')); wall.setCurrent(wall.viewOf('A'));"
        "wall.fill(wall.viewOf('A')); wall.zoomTo(1);"
    )
    wall.settle()
    here = place_of(wall.photograph("Candidate A"), wall.levels["a"][0])
    wall.run("wall.hold(wall.viewOf('B'));")
    assert place_of(wall.settle().photograph("Candidate B"), wall.levels["b"][0]) == here
    wall.run("wall.release();")
    assert place_of(wall.settle().photograph("Candidate A"), wall.levels["a"][0]) == here


def test_a_dragged_region_is_given_in_pixels_of_the_candidate(put_up):
    wall = put_up(width=1101, height=701, ratio=2, n_candidates=3)
    wall.run("wall.fill(wall.viewOf('C')); wall.zoomTo(1); wall.mark(true);")
    top, left = place_of(wall.settle().photograph("Candidate C"), wall.levels["c"][0])
    box = wall.page.locator(".view[aria-label='Candidate C'] .canvas").bounding_box()

    def at(x, y):  # the middle of an image's pixel
        return box["x"] + (left + 4 + x + 0.5) / 2, box["y"] + (top + 4 + y + 0.5) / 2

    wall.page.mouse.move(*at(200, 100))
    wall.page.mouse.down()
    wall.page.mouse.move(*at(279, 149))
    wall.page.mouse.up()
    assert wall.run("return region;") == {"label": "C", "x": 200, "y": 100, "width": 80, "height": 50}


def test_viewers_and_their_tiles_stay_bounded_over_many_trials(put_up):
    wall = put_up(width=1101, height=701, ratio=1, n_candidates=3)
    in_all = "return wall.views.reduce((sum, each) => sum + each.viewer.tileCache.numTilesLoaded(), 0);"
    for _ in range(4):
        wall.run(
            "const next = new Promise((done) => { wall.events.onShown = done; });"
            "wall.open(wall.trial); await next; wall.zoomTo(4);"
        )
        for step in ((3, 0), (0, 3), (-3, -3)):
            wall.run(f"wall.panBy({step[0]}, {step[1]});")
            wall.settle()
    assert wall.run("return document.querySelectorAll('.openseadragon-canvas').length;") == 4
    assert wall.run(in_all) <= 4 * 8


def test_of_all_pictures_that_have_filled_the_wall_only_those_keep_tiles_that_a_key_brings_back(put_up):
    wall = put_up(width=1101, height=701, ratio=1, n_candidates=9)
    wall.run("wall.fill(wall.views[1]); wall.zoomTo(1);")
    for label in LABELS[1:]:
        wall.run(f"wall.go('{label}');")
        wall.settle()
    kept = wall.run("return wall.views.map((each) => each.viewer.tileCache.numTilesLoaded());")
    assert [place for place, count in enumerate(kept) if count >= 15] == [
        0,
        8,
        9,
    ]  # input, the one before, this
    wall.run("wall.fill();")
    wall.settle()
    assert place_of(wall.levels["a"][0], wall.photograph("Candidate A")) is not None
