"""Zips of data sets are made beside the server: a request that comes too early is refused, and waits for nothing."""

import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from raim.challenge import write_example
from raim.errors import UnknownNameError
from raim.server.jobs import bundles
from raim.server.jobs.bundles import FOLDER, find_bundle, keep_bundles, make_bundles
from server_site import FIRST_DAY, Clock, Site

DOWNLOADS = 20


@pytest.fixture
def site(tmp_path):
    """Give a server whose zips are not there yet."""
    write_example(tmp_path / "challenge", first_day=FIRST_DAY, rng=np.random.default_rng(2024))
    made = Site(tmp_path / "challenge", Clock())
    for path in bundles_of(made):
        path.unlink()
    yield made
    made.server.database.engine.dispose()


def bundles_of(site):
    return sorted((site.folder / FOLDER).glob("*.zip"))


def make(site):
    make_bundles(site.server.database, site.server.storage, site.folder)


def test_twenty_downloads_of_a_zip_that_is_not_there_are_asked_to_wait_and_health_stays_fast(
    site, monkeypatch
):
    begun, done = threading.Event(), threading.Event()
    write = bundles._write

    def write_slowly(*args):
        begun.set()
        assert done.wait(60)
        write(*args)

    monkeypatch.setattr(bundles, "_write", write_slowly)
    ada = site.member("ada")
    address = "/data-sets/feedback-pairs/inputs.zip"
    with ThreadPoolExecutor(DOWNLOADS + 2) as pool:
        making = pool.submit(make, site)
        assert begun.wait(60)
        started = time.monotonic()
        answers = list(pool.map(lambda _: ada.get(address), range(DOWNLOADS)))
        slowest = 0.0
        for _ in range(5):
            at = time.monotonic()
            assert site.visitor().get("/robots.txt").status_code == 200
            slowest = max(slowest, time.monotonic() - at)
        took = time.monotonic() - started
        done.set()
        making.result()
    assert {(each.status_code, each.headers["Retry-After"]) for each in answers} == {(503, "15")}
    assert "is being made; try again in a few minutes" in answers[0].text
    assert took < 20
    assert slowest < 0.2
    assert ada.get(address).status_code == 200
    assert ada.api("GET", "/data-sets/feedback-pairs/inputs.zip").status_code == 200


def test_the_thread_beside_the_server_makes_them(site):
    stop = threading.Event()
    keep_bundles(site.server.settings, stop)
    end = time.monotonic() + 30
    while len(bundles_of(site)) < 6 and time.monotonic() < end:
        time.sleep(0.05)
    stop.set()
    assert len(bundles_of(site)) == 6  # inputs of four sets, references of two


def test_another_scenario_in_the_manifest_makes_another_zip_of_that_set_alone(site):
    make(site)
    before = bundles_of(site)
    manifest = site.folder / "data" / "feedback-pairs" / "manifest.csv"
    text = manifest.read_text(encoding="utf-8")
    scenario = text.splitlines()[1].split(",")[1]
    manifest.write_text(text.replace(f",{scenario},", ",elsewhere,"), encoding="utf-8")
    olga = site.organiser()
    assert olga.api("POST", "/desk/challenge/read").json()["problems"] == []
    assert olga.get("/data-sets/feedback-pairs/inputs.zip").status_code == 503
    make(site)
    after = bundles_of(site)
    assert len(after) == len(before) == 6
    assert len(set(after) - set(before)) == 2
    target = Path(site.folder, "inputs.zip")
    target.write_bytes(olga.get("/data-sets/feedback-pairs/inputs.zip").content)
    with zipfile.ZipFile(target) as archive:
        assert "elsewhere" in archive.read("manifest.csv").decode()


def test_two_sets_with_the_same_files_have_a_zip_each(site):
    olga = site.organiser()
    toml = site.folder / "challenge.toml"
    text = toml.read_text(encoding="utf-8")
    start = text.index('[[data_set]]\nid = "feedback-pairs"')
    block = text[start : text.index("[[", start + 2)]
    twin = block.replace('id = "feedback-pairs"', 'id = "twin"')
    toml.write_text(text.replace(block, block + twin), encoding="utf-8")
    assert olga.api("POST", "/desk/challenge/read").json()["problems"] == []
    make(site)
    assert len(bundles_of(site)) == 8


def test_a_set_without_references_has_no_zip_of_them(site):
    make(site)
    with site.server.database.reading() as session:
        row_id = site.server.challenge(session).data_set_ids["tuning-unpaired"]
        assert find_bundle(session, site.folder, row_id, "input").is_file()
        with pytest.raises(UnknownNameError, match="no references"):
            find_bundle(session, site.folder, row_id, "reference")
