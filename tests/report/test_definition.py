import re

import pytest

from raim.report.definition import MINUS, describe_measures, write_formula
from raim.scoring import PROFILES
from score_tables import scored


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_the_written_formula_computes_the_score(profile):
    values = {key: value for key, value in scored("x", 0).values.items() if key in profile.columns[:-1]}
    text = write_formula(profile).removeprefix("SCORE = ").replace(MINUS, "-")
    for name, value in values.items():
        text = text.replace(name.upper(), repr(value))
    text = re.sub(r"(?<=\d) (?=[\d(])", "*", text)
    computed = eval(text, {"__builtins__": {}})  # noqa: S307 - digits and operators that we wrote
    assert computed == pytest.approx(profile.score(values), abs=1e-9)


def test_every_measure_says_its_direction_and_options():
    psnr, *_, niqe = describe_measures(PROFILES["raim-2024"])
    assert (psnr.direction, niqe.direction) == ("higher is better", "lower is better")
    assert "epsilon = 1e-08" in psnr.options
