"""The pages' scripts in a real browser, under the policy that the server sends."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from browser import find_chromium, open_address
from script_site import ScriptSite, sha256_of, start

pytestmark = pytest.mark.slow
LENGTHS = (0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 70_001)
MIB = 2**20


@pytest.fixture(scope="module")
def chromium():
    found = find_chromium()
    if found is None:
        pytest.skip("there is no Chromium on this machine (RAIM_CHROMIUM can name one)")
    return found


@pytest.fixture
def site():
    made = ScriptSite()
    stop = start(made)
    yield made
    stop()


@pytest.fixture
def look(chromium, site, tmp_path):
    """Open the page and give what its script found; the browser had nothing to complain about."""

    def open_page(*flags, allowed=()):
        done = open_address(chromium, site.address, tmp_path, "--dump-dom", *flags)
        said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        assert not [line for line in said if not any(each in line for each in allowed)]
        assert not isinstance(site.findings, str) or not site.findings.startswith("failed"), site.findings
        return site.findings

    return open_page


# ---- SHA-256


def test_the_hash_is_sha256_at_every_boundary_however_the_bytes_come(site, look):
    site.add_page(
        "",
        f"""
        const {{ Sha256 }} = await import("/static/hash-worker.js");
        const digests = {json.dumps(LENGTHS)}.map((length) => {{
          const bytes = Uint8Array.from({{ length }}, (_, at) => (at * 31 + 7) % 251);
          const hash = new Sha256();
          for (let at = 0; at < length; at += 37) hash.update(bytes.subarray(at, at + 37));
          return [new Sha256().update(bytes).digest(), hash.digest()];
        }});
        const abc = new Sha256().update(new TextEncoder().encode("abc")).digest();
        const million = new Sha256().update(new Uint8Array(1e6).fill(97)).digest();
        await done({{ digests, abc, million }});
        """,
    )
    found = look()
    # The examples of FIPS 180-2, appendix B.
    assert found["abc"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert found["million"] == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    for length, digests in zip(LENGTHS, found["digests"], strict=True):
        content = bytes((at * 31 + 7) % 251 for at in range(length))
        assert digests == [sha256_of(content)] * 2


# ---- Tables and times

BOARD = """
<label>Find <input type=search data-filter=board></label>
<table id=board data-sortable><thead><tr><th>Team</th><th>PSNR ↑</th>
<th aria-sort=descending><a href="?sort=score">SCORE</a></th><th>Date</th></tr></thead><tbody>
<tr><th scope=row>team 10</th><td>9.5</td><td>60.00</td><td><time datetime="2026-03-02T00:00:00Z">b</time></td></tr>
<tr><th scope=row>Équipe</th><td>∞</td><td>55.00</td><td><time datetime="2026-03-03T00:00:00Z">a</time></td></tr>
<tr><th scope=row>team 9</th><td>-</td><td>50.00</td><td><time datetime="2026-03-01T00:00:00Z">c</time></td></tr>
<tr class=is-unranked><th scope=row>Absent</th><td>99</td><td colspan=2>it was withdrawn</td></tr>
</tbody></table>
"""


def test_headings_sort_by_number_text_and_time_with_the_unranked_last(site, look):
    site.add_page(
        BOARD,
        """
        const order = () => [...document.querySelectorAll("tbody th")].map((each) => each.textContent).join();
        const buttons = document.querySelectorAll("thead button");
        const sorted = [...buttons].map((each) => {
          each.click();
          const first = order();
          each.click();
          return [first, order(), document.querySelectorAll("[aria-sort]").length];
        });
        await done({ sorted, links: document.querySelectorAll("thead a").length });
        """,
        head='<script type=module src="/static/board.js"></script>',
    )
    assert look() == {
        "links": 0,
        "sorted": [
            ["Équipe,team 9,team 10,Absent", "team 10,team 9,Équipe,Absent", 1],
            ["Équipe,team 10,team 9,Absent", "team 10,Équipe,team 9,Absent", 1],
            ["team 9,Équipe,team 10,Absent", "team 10,Équipe,team 9,Absent", 1],
            ["team 9,team 10,Équipe,Absent", "Équipe,team 10,team 9,Absent", 1],
        ],
    }


def test_the_search_hides_other_rows_whatever_case_and_accents(site, look):
    site.add_page(
        BOARD,
        """
        const input = document.querySelector("input");
        const shown = (words) => {
          input.value = words;
          input.dispatchEvent(new Event("input"));
          const rows = [...document.querySelectorAll("tbody tr:not([hidden]) th")];
          return [rows.map((each) => each.textContent), document.querySelector("[role=status]").textContent];
        };
        await done([shown("EQUI"), shown("9 team"), shown("nobody"), shown("")]);
        """,
        head='<script type=module src="/static/board.js"></script>',
    )
    found = look()
    assert found[:3] == [[["Équipe"], "1 of 4"], [["team 9"], "1 of 4"], [[], "0 of 4"]]
    assert (len(found[3][0]), found[3][1]) == (4, "")


def test_times_are_shown_in_the_readers_zone_and_counted_down(site, look, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    site.add_page(
        """
        <p><time datetime="2026-03-01T20:00:00+00:00" data-local>2026-03-01 20:00 UTC</time></p>
        <p><time datetime="2026-03-01T12:00:00+00:00" data-local>2026-03-01 12:00 UTC</time></p>
        <p><time datetime="2026-03-01T12:00:00+00:00" data-local>2026-03-01 21:00 Asia/Tokyo</time></p>
        <table><tr><td>
        <time datetime="2026-03-01T20:00:00+00:00" data-local>2026-03-01 20:00 UTC</time></td></tr></table>
        <p><time datetime="2990-01-01T00:00:00+00:00" data-countdown>then</time></p>
        <p><time datetime="1990-01-01T00:00:00+00:00" data-countdown="closed">then</time></p>
        """,
        """
        document.body.append(Object.assign(document.createElement("p"), {
          innerHTML: '<time datetime="2026-03-01T12:00:00Z" data-local>swapped in</time>' }));
        const { formatDuration } = await import("/static/times.js");
        await new Promise((resolve) => setTimeout(resolve, 50));
        const texts = [...document.querySelectorAll("p, td")].map((each) => each.textContent.trim());
        await done({ texts, title: document.querySelector("td time").title,
          spans: [0, 9e3, 70e3, 3600e3, 11520e3, 183609e3].map(formatDuration) });
        """,
        head='<script type=module src="/static/times.js"></script>',
    )
    found = look()
    assert found["texts"][:4] == [
        "2026-03-01 20:00 UTC (2026-03-02 05:00 GMT+9)",
        "2026-03-01 12:00 UTC (21:00 GMT+9)",
        "2026-03-01 21:00 Asia/Tokyo",
        "2026-03-02 05:00 GMT+9",
    ]
    assert found["texts"][4].startswith("then in 3")
    assert " days" in found["texts"][4]
    assert found["texts"][5:] == ["then closed", "swapped in (2026-03-01 21:00 GMT+9)"]
    assert found["title"] == "2026-03-01 20:00 UTC"
    assert found["spans"] == ["0 s", "9 s", "1 min 10 s", "1 h", "3 h 12 min", "2 days 3 h"]


# ---- Uploads

FORM = """
<form data-upload data-create="/create" data-max-bytes="20000000">
<input type=radio name=target value="feedback/scored" data-phase=feedback data-kind=scored checked>
<div class=field><label for=file>Zip</label><input type=file id=file name=file required></div>
<textarea name=note>third model</textarea><button class=button>Submit</button></form>
"""
UPLOAD_HEAD = (
    '<script src="/static/vendor/tus.min.js" defer></script>'
    '<script type=module src="/static/upload.js"></script>'
)


def choose(n_bytes):
    """Give the script that chooses a file and submits."""
    return f"""
        const files = new DataTransfer();
        const bytes = Uint8Array.from({{ length: {n_bytes} }}, (_, at) => (at * 7 + (at >> 9)) % 251);
        files.items.add(new File([bytes], "result.zip"));
        document.getElementById("file").files = files.files;
        document.querySelector("form").requestSubmit();
        """


def content_of(n_bytes):
    at = np.arange(n_bytes, dtype=np.int64)
    return ((at * 7 + (at >> 9)) % 251).astype(np.uint8).tobytes()


def test_an_upload_survives_a_cut_and_a_busy_server_and_leads_to_its_page(site, look):
    n_bytes = 9 * MIB + 17
    site.replies = [0, 503, None]
    site.add_page(FORM, choose(n_bytes), head=UPLOAD_HEAD)
    site.files["/submissions/12"] = b"<!doctype html><title>arrived</title><script src=/check2.js></script>"
    site.files["/check2.js"] = b'fetch("/done", {method: "POST", body: JSON.stringify(location.pathname)})'
    assert look(allowed=("Failed to load resource",)) == "/submissions/12"
    assert site.promised == [
        {
            "phase": "feedback",
            "kind": "scored",
            "note": "third model",
            "file_name": "result.zip",
            "n_bytes": n_bytes,
            "sha256": sha256_of(content_of(n_bytes)),
        }
    ]
    assert bytes(site.received) == content_of(n_bytes)
    assert not site.replies


def test_a_reload_sends_only_what_is_missing(site, look):
    site.received += content_of(MIB)[:700_000]
    site.add_page(FORM, choose(MIB), head=UPLOAD_HEAD)
    site.files["/submissions/12"] = b"<!doctype html><title>arrived</title><script src=/check2.js></script>"
    site.files["/check2.js"] = b'fetch("/done", {method: "POST", body: "1"})'
    look()
    assert bytes(site.received) == content_of(MIB)


WAIT_FOR_PROBLEM = """
        const problem = document.querySelector(".problem");
        while (problem.hidden) await new Promise((resolve) => setTimeout(resolve, 20));
        const items = [...problem.querySelectorAll("li")].map((each) => each.textContent);
        const { disabled } = document.querySelector(".button");
        await done({ text: problem.querySelector("p").textContent, items, disabled });
        """


@pytest.mark.parametrize("case", ["refused", "refused later", "too large", "empty"])
def test_what_the_server_or_the_page_refuses_is_said_in_words(site, look, case):
    error = {
        "code": "not_possible",
        "message": "no try is left today",
        "problems": ["5 of 5 used", "<b>x</b>"],
    }
    if case == "refused":
        site.refusal = (409, error)
    if case == "refused later":
        site.replies = [413]
    size = {"too large": 20_000_001, "empty": 0}.get(case, 1000)
    site.add_page(FORM, choose(size) + WAIT_FOR_PROBLEM, head=UPLOAD_HEAD)
    found = look(allowed=("Failed to load resource",))
    assert found["disabled"] is False
    assert (found["text"], found["items"]) == {
        "refused": ("no try is left today", ["5 of 5 used", "<b>x</b>"]),
        "refused later": ("answered 413", []),
        "too large": ("result.zip has 19.1 MiB; at most 19.1 MiB can be sent.", []),
        "empty": ("The file is empty; choose another one.", []),
    }[case]


# ---- Pictures

VIEWER_HEAD = (
    '<script src="/static/vendor/openseadragon.min.js" defer></script>'
    '<script type=module src="/static/viewer.js"></script>'
)
PICTURES = """
<main><div class=compare data-compare data-region-form=mark
 data-regions='[{"x": 10, "y": 5, "width": 20, "height": 10, "label": "halo <b>"}]'>
<a data-layer=input href="/input.png">Input</a> <a data-layer=restored href="/restored.png">Restored</a>
<a data-layer=reference href="/reference.png">Reference</a></div>
<form id=mark><input name=region_x><input name=region_y><input name=region_width><input name=region_height>
</form></main>
"""
READY = """
        const until = async (test) => { while (!test()) await new Promise((resolve) => setTimeout(resolve, 20)); };
        const pause = () => new Promise((resolve) => setTimeout(resolve, 150));
        const all = (selector) => [...document.querySelectorAll(selector)];
        const zoom = () => document.querySelector(".compare-zoom").textContent;
        const press = async (key) => {
          const views = document.querySelector(".compare-views");
          views.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
          await pause();
        };
        await until(() => all("canvas").length >= 3 && all(".compare-region").length >= 3);
        await pause();
        """


def noise(seed, height=90, width=120):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def pictures(site):
    for seed, name in enumerate(("input", "restored", "reference")):
        packed = io.BytesIO()
        Image.fromarray(noise(seed)).save(packed, "png")
        site.files[f"/{name}.png"] = packed.getvalue()


def test_keys_switch_how_pictures_are_compared_and_all_show_the_same_place(site, look, pictures):
    site.add_page(
        PICTURES,
        READY
        + """
        const seen = () => all(".compare-view:not([hidden]):not(.is-behind) figcaption");
        const state = () => ({ zoom: zoom(), front: seen().map((each) => each.textContent).join() });
        const found = [];
        for (const key of ["z", "+", "+", "f", " ", "1", "s", "1", "d", "0"]) {
          await press(key);
          found.push([key, state()]);
        }
        const labels = all(".compare-region span").map((each) => each.title);
        await done({ found, labels, links: all("figcaption a").map((each) => each.getAttribute("href")) });
        """,
        head=VIEWER_HEAD,
    )
    found = look("--window-size=1300,900")
    states = {f"{number}{key}": state for number, (key, state) in enumerate(found["found"])}
    assert [states[each]["zoom"] for each in ("0z", "1+", "2+")] == ["100 %", "200 %", "300 %"]
    assert states["3f"]["front"] == "Restored"
    assert states["4 "]["front"] == "Reference"
    assert states["5" + "1"]["front"] == "Input"
    assert states["6s"]["front"] == "Input,Restored,Reference"
    assert states["7" + "1"]["front"] == "Restored,Reference"
    assert states["8d"]["front"] == "Input,Restored"
    assert {state["zoom"] for state in list(states.values())[2:9]} == {"300 %"}
    assert states["9" + "0"]["zoom"] not in {"300 %", "100 %"}
    assert found["labels"] == ["halo <b>"] * 3
    assert found["links"] == ["/input.png", "/restored.png", "/reference.png"]


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(("ratio", "width"), [(1, 1301), (1.25, 1303), (1.5, 1300), (2, 1111)])
def test_at_whole_zooms_image_pixels_are_whole_screen_pixels(site, chromium, tmp_path, ratio, width):
    site.add_page(
        PICTURES, READY + 'await press("z"); await press("+"); await done(zoom());', head=VIEWER_HEAD
    )
    shot = tmp_path / "shot.png"
    flags = (f"--screenshot={shot}", f"--window-size={width},900", f"--force-device-scale-factor={ratio}")
    open_address(chromium, site.address, tmp_path, *flags)
    assert site.findings == "200 %"
    screen = np.asarray(Image.open(shot).convert("RGB"))
    # The region's frame covers a corner; the lower half is free.
    places = [find(screen, noise(seed)[45:].repeat(2, axis=0).repeat(2, axis=1)) for seed in range(3)]
    assert all(places), places
    assert len({y for y, _ in places}) == 1  # in step


def find(screen, shown):
    """Give the place (y, x) of the pixels in the screen, exactly; None if nowhere."""
    height, width = shown.shape[:2]
    for y, x in np.argwhere((screen[:, :-1] == shown[0, 0]).all(axis=2)):
        if np.array_equal(screen[y : y + height, x : x + width], shown):
            return int(y), int(x)
    return None


def test_a_region_typed_into_the_form_is_drawn_over_every_picture(site, look, pictures):
    site.add_page(
        PICTURES,
        READY
        + """
        const values = { region_x: 30, region_y: 20, region_width: 60, region_height: 45 };
        for (const [name, value] of Object.entries(values)) document.forms.mark.elements[name].value = value;
        document.forms.mark.dispatchEvent(new Event("input"));
        await press("z");
        const boxes = all(".compare-region.is-new").map((each) => each.getBoundingClientRect());
        const { stepZoom, wholeLength, isZoomed } = await import("/static/pixels.js");
        const { spanRegion } = await import("/static/regions.js");
        const size = { width: 120, height: 90 };
        await done({ boxes: boxes.map(({ width, height }) => [Math.round(width), Math.round(height)]),
          spans: [spanRegion({ x: 9.7, y: 50 }, { x: 2.2, y: -4 }, size),
            spanRegion({ x: 0, y: 0 }, { x: 999, y: 999 }, size)],
          steps: [stepZoom(1, true), stepZoom(1, false), stepZoom(0.9, true), stepZoom(32, true)],
          lengths: [wholeLength(433.4, 1), wholeLength(433.4, 1.5), wholeLength(433, 1.25)],
          zoomed: [isZoomed(1, 1, 1), isZoomed(2, 1, 1), isZoomed(1.1, 1, 1), isZoomed(1.25, 1.25, 1),
            isZoomed(1, 1, 2)] });
        """,
        head=VIEWER_HEAD,
    )
    found = look("--window-size=1300,900")
    assert found["boxes"] == [[60, 45]] * 3
    assert found["spans"] == [
        {"x": 2, "y": 0, "width": 8, "height": 50},
        {"x": 0, "y": 0, "width": 120, "height": 90},
    ]
    assert found["steps"] == [2, 2 / 3, 1, 32]
    assert found["lengths"] == [433, 432, 432]
    assert found["zoomed"] == [False, False, True, True, True]


def test_a_picture_that_is_not_there_is_said_and_the_others_are_shown(site, look, pictures):
    del site.files["/reference.png"]
    ready = READY.replace("length >= 3", "length >= 2")
    site.add_page(
        PICTURES,
        ready + 'await done([all(".openseadragon-message").map((each) => each.textContent), zoom()]);',
        head=VIEWER_HEAD,
    )
    messages, zoom = look(allowed=("Failed to load resource",))
    assert messages == ["This picture could not be loaded. Its name above is a link to it."]
    assert zoom.endswith(" %")


def test_without_the_library_the_links_stay(site, look):
    head = '<script type=module src="/static/viewer.js"></script>'
    site.add_page(PICTURES, 'await done(document.querySelectorAll(".compare > a").length);', head=head)
    assert look() == 3


# ---- Live status

# What the pages state for htmx: an answer that is an error must not take the place of the status, nor end the asking.
HTMX = '{"includeIndicatorCSS": false, "noSwap": [204, 304, "4xx", "5xx"]}'
STATUS = '<div id=status hx-get="/status" hx-trigger="every 100ms" hx-swap="outerHTML"><p>{words}</p></div>'


def test_a_status_is_asked_for_until_it_is_final_through_errors_and_cuts(site, look):
    waiting = STATUS.format(words="scoring 1/2")
    site.turns = {
        "/status": [
            (200, waiting),
            (500, "<p>fault</p>"),
            (404, "<p>gone</p>"),
            (0, ""),
            (200, waiting),
            (200, "<div id=status><p>scored</p></div>"),
        ]
    }
    site.add_page(
        STATUS.format(words="queued"),
        """
        const seen = new Set();
        const note = () => seen.add(document.querySelector("body > div").textContent);
        note();
        new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
        while (!seen.has("scored")) await new Promise((resolve) => setTimeout(resolve, 20));
        await new Promise((resolve) => setTimeout(resolve, 250));
        await done({ seen: [...seen], styles: document.querySelectorAll("style").length });
        """,
        head=f"<meta name=htmx-config content='{HTMX}'><script src=/static/vendor/htmx.min.js defer></script>",
    )
    found = look(allowed=("Failed to load resource",))
    assert found == {"seen": ["queued", "scoring 1/2", "scored"], "styles": 0}
    assert site.turns["/status"] == []
