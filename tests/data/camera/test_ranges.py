"""docs/camera-model.md says what the presets draw."""

from pathlib import Path

import pytest

from raim.data.camera import PRESETS
from raim.data.camera.parameters import STAGES
from raim.data.camera.ranges import ORDINARY

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "camera-model.md"


@pytest.fixture(scope="module")
def lines():
    return DOCUMENT.read_text(encoding="utf-8").splitlines()


def expected_ranges():
    tables = {"every": ORDINARY}
    for preset in PRESETS.values():
        tables[f"`{preset.name}`"] = preset.table
        if preset.name != "combined":  # its parts are other presets
            tables |= {f"`{preset.name}`, {part}": table for part, table in preset.parts.items()}
    return [
        f"| {label} | `{name}` | {each.draw.words} | {each.reason} |"
        for label, table in tables.items()
        for name, each in table.items()
    ]


def test_the_document_has_exactly_the_presets(lines):
    rows = [
        line for line in lines if line.startswith("| `") and ("| scenario |" in line or "| issue |" in line)
    ]
    assert rows == [f"| `{preset.name}` | {preset.kind} | {preset.summary} |" for preset in PRESETS.values()]


def test_the_document_has_exactly_the_ranges(lines):
    start = lines.index("| preset | parameter | range | source or reason |")
    end = next(number for number in range(start, len(lines)) if not lines[number])
    assert lines[start + 2 : end] == expected_ranges()


def test_the_document_describes_every_stage(lines):
    described = {
        line.split("(`")[1].split("`)")[0] for line in lines if line.startswith("**") and "(`" in line
    }
    assert described == set(STAGES)
