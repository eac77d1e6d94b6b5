"""What can be set, run or asked stands in the documentation."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

from raim.cli.main import COMMANDS
from raim.server.actions.fact_sheets import FIELDS
from raim.server.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SERVER = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
ALL = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))


@pytest.mark.parametrize("field", [each.name for each in fields(Settings)])
def test_every_setting_of_the_server_is_explained(field):
    assert f"`RAIM_{field.upper()}`" in SERVER


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_stands_in_the_readme(command):
    assert f"raim {command}" in README


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_every_page_is_linked_from_the_readme(page):
    assert f"docs/{page}" in README


def test_the_readmes_pictures_are_there_small_and_credited():
    shown = re.findall(r"!\[([^]]+)\]\((docs/pictures/[^)]+)\)", README)
    assert {path for _, path in shown} == {
        str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "pictures").iterdir()
    }
    assert sum((ROOT / path).stat().st_size for _, path in shown) < 500_000
    assert all(
        words in README
        for words in ("NASA, public domain", "Stefan van der Walt, CC0", "Rachel Michetti,\nCC0")
    )
    for _, path in shown:
        with Image.open(ROOT / path) as picture:
            picture.load()
            assert picture.mode == "RGBA"  # nothing around them on white or dark pages
            assert picture.width >= 1000


def test_every_field_of_a_fact_sheet_has_a_label():
    assert all(each.label for each in FIELDS)
    assert len({each.key for each in FIELDS}) == len(FIELDS)
