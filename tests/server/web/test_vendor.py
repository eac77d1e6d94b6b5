"""The JavaScript libraries of the pages are there, are those of the lock file, and the lock names no registry."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from raim.server.web.rendering import STATIC

ROOT = Path(__file__).resolve().parents[3]
VENDOR = STATIC / "vendor"


@pytest.fixture(scope="module")
def lock():
    return json.loads((ROOT / "package-lock.json").read_text())


def test_the_build_has_filled_the_folder_by_this_lock_file():
    expected = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    stamp = VENDOR / "package-lock.sha256"
    assert stamp.is_file(), "install the package again: its build hook fetches the pages' libraries"
    assert stamp.read_text().strip() == expected, "package-lock.json has changed: install the package again"


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("htmx.min.js", 'this.version="4.0.1"'),
        ("openseadragon.min.js", "openseadragon 6.1.1"),
        ("tus.min.js", "TUS_RESUMABLE|Tus-Resumable"),
    ],
)
def test_each_library_is_of_the_locked_version_and_beside_its_licence(name, mark):
    assert re.search(mark, (VENDOR / name).read_text("utf-8"))
    licence = (VENDOR / name.replace(".min.js", ".LICENSE.txt")).read_text("utf-8")
    assert "copyright" in licence.lower() or "permission to use" in licence.lower()


def test_the_lock_states_a_hash_for_every_package_and_no_address(lock):
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert len(packages) > 3
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not any("resolved" in each for each in packages.values())


def test_the_libraries_asked_for_are_pinned(lock):
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert wanted == lock["packages"][""]["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
