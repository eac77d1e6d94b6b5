import html
import re
from dataclasses import replace
from urllib.parse import urlsplit

import numpy as np
import pytest

from browser import find_chromium
from raim.challenge import Entrant, rank_teams
from raim.errors import InputError
from raim.images import encode_image
from raim.report.closed.gallery import safe_names, write_gallery
from raim.report.closed.material import SIMULATED, ImageMaterial, Material, PictureSource

TEAMS = ("Alpha", "<script>alert(1)</script>", "../../Gamma")


def photo(seed):
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(30, 220, (10, 16, 3)), np.ones((16, 16, 1))).astype(np.uint8)


def material(*, is_simulated=False):
    names = {"0001": "moire", "../0001": "noise", "index": ""}

    def read_restored(team, name):
        if (team, name) == (TEAMS[1], "0001"):
            return None
        if (team, name) == (TEAMS[2], "0001"):
            return b"no image"
        return encode_image(photo(TEAMS.index(team) + 10), ".png")

    pictures = PictureSource(
        images=tuple(ImageMaterial(name=name, issue=issue) for name, issue in names.items()),
        read_input=lambda name: encode_image(photo(1), ".tif" if name == "index" else ".jpg"),
        read_restored=read_restored,
    )
    ranking = rank_teams([Entrant(team=team, score=80.0 - k, points=9.0 - k) for k, team in enumerate(TEAMS)])
    return Material(title="A & B", ranking=ranking, pictures=pictures, is_simulated=is_simulated)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    return write_gallery(material(is_simulated=True), out, {}).parent


def test_every_address_is_a_file_of_the_gallery(gallery):
    pages = sorted(gallery.glob("*.html"))
    assert [page.name for page in pages] == ["0001-2.html", "0001.html", "index-2.html", "index.html"]
    for page in pages:
        for address in re.findall(r'(?:href|src)="([^"]*)"', page.read_text()):
            parts = urlsplit(html.unescape(address))
            if parts.scheme == "data":
                continue
            assert not parts.scheme, address
            assert not parts.netloc, address
            assert not parts.path.startswith("/"), address
            assert (gallery / parts.path).is_file(), address
    assert all(path.resolve().is_relative_to(gallery.resolve()) for path in gallery.rglob("*"))


def test_the_teams_files_are_the_ones_they_have_sent(gallery):
    sent = material().pictures.read_restored("Alpha", "0001")
    assert (gallery / "images" / "0001" / "team01.png").read_bytes() == sent
    assert (gallery / "images" / "0001" / "input.jpg").is_file()
    assert (gallery / "images" / "index-2" / "input.png").is_file()  # TIFF is what no browser shows


def test_what_is_missing_is_said(gallery):
    page = (gallery / "0001.html").read_text()
    assert "not handed in" in page
    assert "cannot be read" in page


def test_names_are_text_and_simulated_votes_are_said(gallery):
    for page in gallery.glob("*.html"):
        text = page.read_text()
        assert "<script>alert" not in text
        assert SIMULATED in text


def test_names_are_safe_and_different_whatever_they_are():
    names = ["a/b", "a b", "A-B", "", "…", "x" * 300, "index"]
    found = safe_names(names)
    assert len({name.lower() for name in found.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9-]{1,70}", name) for name in found.values())


@pytest.mark.parametrize("names", [("index", "index-image"), ("index", "index-2", "Index")])
def test_no_photograph_takes_the_page_of_another_or_of_the_index(names, tmp_path):
    made = material()
    images = tuple(ImageMaterial(name=name) for name in names)
    index = write_gallery(replace(made, pictures=replace(made.pictures, images=images)), tmp_path, {})
    assert len(list(index.parent.glob("*.html"))) == len(names) + 1


def test_pictures_that_cannot_be_read_are_named_and_cost_themselves_only(tmp_path):
    made = material()
    read_input, read_restored = made.pictures.read_input, made.pictures.read_restored

    def read_some(team, name):
        if (team, name) == ("Alpha", "index"):
            raise OSError(5, "Input/output error")
        return read_restored(team, name)

    pictures = replace(
        made.pictures,
        read_input=lambda name: b"no image" if name == "../0001" else read_input(name),
        read_restored=read_some,
    )
    failures = {}
    index = write_gallery(replace(made, pictures=pictures), tmp_path, failures)
    assert sorted(page.name for page in index.parent.glob("*.html")) == [
        "0001.html",
        "index-2.html",
        "index.html",
    ]
    assert list(failures) == [f"0001 of {TEAMS[2]}", "the input of ../0001", "index of Alpha"]
    assert "Input/output error" in failures["index of Alpha"]
    assert "cannot be read" in (tmp_path / "gallery" / "index-2.html").read_text()


def test_without_pictures_there_is_no_gallery(tmp_path):
    ranking = rank_teams([Entrant(team="a", score=1.0, points=1.0)])
    with pytest.raises(InputError, match="no pictures"):
        write_gallery(Material(title="A", ranking=ranking), tmp_path, {})


@pytest.mark.slow
def test_the_slider_moves_from_a_disk(gallery):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium; RAIM_CHROMIUM can name it")
    faults = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto((gallery / "0001-2.html").as_uri())
        page.focus("#divide")
        before = page.evaluate("document.getElementById('line').style.left")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.getElementById('line').style.left") != before
        page.select_option("#right", label="Alpha")
        assert page.evaluate("document.getElementById('over').src").endswith("team01.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert faults == []
