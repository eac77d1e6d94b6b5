"""Every parameter is declared once: docs/camera-model.md and the checks say the same of it."""

import dataclasses
import math
from pathlib import Path

import pytest

from raim.data.camera import Banding, ChromaNoise, Defocus, Noise, Zoom
from raim.data.camera.parameters import STAGES
from raim.data.camera.stage import _check, describe_range, write_plainly
from raim.errors import InputError, UnknownNameError

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "camera-model.md"
PARAMETERS = [(stage, field) for stage, record in STAGES.items() for field in dataclasses.fields(record)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 201.0])
def test_a_value_outside_its_range_is_named(value):
    with pytest.raises(InputError, match=r"defocus\.radius_px is .*; expected 0 to 200"):
        Defocus(radius_px=value)


def test_a_range_without_an_end_and_a_stage_of_another_name_are_named_too():
    with pytest.raises(InputError, match=r"chroma\.seed is -1; expected at least 0"):
        ChromaNoise(seed=-1)


def test_a_default_that_does_nothing_may_lie_outside_the_range():
    assert (Noise(bits=0).bits, Banding(bits=0).bits) == (0, 0)
    with pytest.raises(InputError, match=r"noise\.bits is 7; expected 8 to 16"):
        Noise(bits=7)


def test_an_unknown_choice_has_its_nearest():
    # The type check of the tests would refuse it in a record.
    declared = Zoom.__dataclass_fields__["filter"].metadata
    with pytest.raises(
        UnknownNameError, match=r"no value of zoom\.filter named 'lancos'; did you mean 'lanczos'"
    ):
        _check("zoom.filter", "lancos", declared)


def test_the_document_has_exactly_the_parameters():
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = lines.index("| parameter | default | range | meaning |")
    end = lines.index("", start)
    assert lines[start + 2 : end] == [
        f"| `{stage}.{field.name}` | {write_plainly(field.default)} | {describe_range(field.metadata)} | "
        f"{field.metadata['words']} |"
        for stage, field in PARAMETERS
    ]
