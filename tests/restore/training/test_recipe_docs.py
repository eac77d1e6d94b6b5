"""Every key of a recipe stands in docs/training.md."""

import dataclasses
from pathlib import Path

import pytest

from raim.restore.training.recipe import LossChoice, ModelChoice, Recipe, Schedule, Source, Validation

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "training.md").read_text("utf-8")
NOT_KEYS = {"model", "sources", "loss", "schedule", "validation", "text", "source", "measures", "camera"}


@pytest.mark.parametrize(
    "key",
    sorted(
        {
            field.name
            for record in (Recipe, ModelChoice, Source, LossChoice, Schedule, Validation)
            for field in dataclasses.fields(record)
        }
        - NOT_KEYS
    ),
)
def test_a_key_of_a_recipe_is_explained(key):
    assert f"\n    {key} = " in DOCS
