"""The example challenge, for tests that spoil it."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from raim.challenge import find_problems, write_example
from raim.data import read_manifest
from raim.scoring import PROFILES


@pytest.fixture(scope="session")
def example_template(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("example")
    write_example(folder, first_day=date(2026, 3, 1), rng=np.random.default_rng(0))
    return folder


@pytest.fixture
def example(example_template, tmp_path) -> Path:
    """Give a folder with the example that a test may spoil."""
    return Path(shutil.copytree(example_template, tmp_path / "challenge"))


@pytest.fixture
def validate(example):
    """Change texts of the example, validate it, and give its problems as (line's text, problem)."""

    def run(*changes: tuple[str, str], **options):
        file = example / "challenge.toml"
        text = file.read_text()
        for old, new in changes:
            assert text.count(old) >= 1, old
            text = text.replace(old, new, 1)
        file.write_text(text)
        found = find_problems(example, profiles=PROFILES, read_manifest=read_manifest, **options)
        return [(lines_of(Path(each.file), each.line), each) for each in found]

    return run


def lines_of(file: Path, line: int | None) -> str:
    return "" if line is None else file.read_text().splitlines()[line - 1]
