import base64
import hashlib
import html.parser
import json
import math
import re
from datetime import UTC, datetime

import numpy as np
import pytest

from raim.errors import InputError
from raim.report import PictureFolders, render_score_page, write_score_page
from raim.scoring import EntryScore
from score_tables import entry, noise, scored, table_of, unscored

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">'"
VOID = {"meta", "link", "img", "br"}


class Page(html.parser.HTMLParser):
    """Collects elements, and fails where they do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} stands twice"
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def policy(page: Page) -> dict[str, str]:
    (content,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in content.split("; "))


def source_of(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


@pytest.fixture
def hostile(folders):
    """A table and pictures in which every text is an attack."""
    image = scored("x", 50, scenario=HOSTILE, warnings=(HOSTILE,))
    gone = unscored(HOSTILE, HOSTILE, scenario=HOSTILE)
    other = EntryScore(name="b", images=(image, scored("y", 10)))
    table = table_of(
        EntryScore(name=HOSTILE, images=(image, gone), notes=(HOSTILE,)),
        other,
        engine=HOSTILE,
        weights={HOSTILE: HOSTILE},
        manifest_sha256=HOSTILE,
    )
    images = {"x": noise(40, 50, 1), "y": noise(40, 50, 2)}
    paths = folders({"reference": images, "a": images})
    pictures = PictureFolders(reference=paths["reference"], restored={HOSTILE: paths["a"], "b": paths["a"]})
    return render_score_page(table, pictures=pictures, title=HOSTILE, note=HOSTILE)


def test_no_name_becomes_markup(hostile):
    page = Page(hostile)
    assert len(page.all("script")) == 2
    assert all("src" not in attributes for attributes in page.all("script") + page.all("img"))
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert hostile.count("document.title") == hostile.count("&lt;script&gt;document.title") + hostile.count(
        "onerror=&#34;document.title"
    )


def test_the_policy_allows_the_page_its_own_style_and_script_and_nothing_else(hostile):
    page = Page(hostile)
    allowed = policy(page)
    assert allowed["default-src"] == "'none'"
    assert allowed["style-src"] == source_of("".join(page.texts["style"]))
    scripts = re.findall(r"<script>(.*?)</script>", hostile, re.DOTALL)
    assert [source_of(text) for text in scripts] == [allowed["script-src"]]
    assert not [attributes for _, attributes in page.elements if "style" in attributes]


def test_the_page_refers_to_nothing_elsewhere(hostile):
    page = Page(hostile)
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "data", "poster")
    ]
    assert addresses
    assert all(value.startswith("#") or value == "data:," for value in addresses)
    assert not re.search(r"url\(|@import|https?://", hostile)


def test_every_reference_within_the_page_exists_once(hostile):
    page = Page(hostile)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "href"):
            for target in (attributes.get(name) or "").split():
                assert target == "data:," or target.removeprefix("#") in ids


def test_every_picture_of_the_page_is_embedded_and_has_a_text(hostile):
    page = Page(hostile)
    keys = {attributes["data-picture"] for _, attributes in page.elements if "data-picture" in attributes}
    assert keys == set(json.loads("".join(page.texts["script"][:1])))
    assert all(attributes["alt"] for attributes in page.all("img"))


def test_the_page_says_what_was_measured_and_how():
    table = table_of(
        entry("alpha", x=60.126, y=40),
        EntryScore(name="beta", images=(scored("x", 99), unscored("y", "y.png is 3x3, its reference 4x4"))),
        engine="ncnn 1.0",
        weights={"vgg16": "ab" * 32},
        manifest_sha256="cd" * 32,
    )
    text = render_score_page(table, created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    for expected in (
        "50.06",  # alpha's mean
        "1 of 2",  # beta's scored images
        "y.png is 3x3, its reference 4x4",
        "raim-2024",
        "20 (1 \N{MINUS SIGN} LPIPS/0.4)",
        "ncnn 1.0",
        "ab" * 32,
        "cd" * 32,
        "1.2.3",
        "raim-scores/1",
        "2026-01-02 03:04 UTC",
    ):
        assert expected in text


def test_a_table_without_entries_scenarios_and_pictures_is_a_page():
    page = Page(render_score_page(table_of()))
    assert not page.all("img")


def test_infinite_values_are_written_as_such():
    image = scored("x", 50, values={"psnr": math.inf})
    text = render_score_page(table_of(EntryScore(name="a", images=(image,))))
    assert "∞" in text
    assert ">inf<" not in text


def test_a_page_of_many_pictures_stays_under_its_limit(folders):
    names = [f"{number:04d}" for number in range(8)]
    rng = np.random.default_rng(0)
    table = table_of(*[entry(key, **{name: rng.uniform(0, 90) for name in names}) for key in "abc"])
    # Noise is the worst case of lossless coding.
    one, other = dict.fromkeys(names, noise(260, 260, 1)), dict.fromkeys(names, noise(260, 260, 2))
    paths = folders({"reference": one, "a": other, "b": other, "c": other})
    pictures = PictureFolders(
        reference=paths["reference"], restored={key: paths[key] for key in "abc"}, max_bytes=300_000
    )
    assert len(render_score_page(table, pictures=pictures)) < 300_000 + 120_000


def test_a_page_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_score_page(table_of(), tmp_path / "nowhere" / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_text_is_still_written(tmp_path):
    write_score_page(table_of(entry("a\udcff", x=1)), tmp_path / "page.html")
    assert "a?" in (tmp_path / "page.html").read_text(encoding="utf-8")
