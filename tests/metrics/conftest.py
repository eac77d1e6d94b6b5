"""Photographs with known answers for the tests of the measures."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="session")
def known_image(shared: Path) -> Callable[[str], np.ndarray]:
    """Read a picture of the known answers by its stem."""
    return lambda stem: read(shared / "kat" / "images" / f"{stem}.png")


@pytest.fixture(scope="session")
def known_answers(shared: Path) -> list[dict[str, str]]:
    with (shared / "kat" / "known_answers.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="session")
def real_pairs(shared: Path) -> list[tuple[dict[str, str], np.ndarray, np.ndarray]]:
    """Give (row of real_pairs.csv, input, reference) of the 30 pairs."""
    with (shared / "kat" / "real_pairs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    folders = {row["pair_id"]: shared / "data" / "paired" / row["scenario"] for row in rows}
    return [
        (
            row,
            read(next((folders[row["pair_id"]] / "input").glob(f"{row['pair_id']}.*"))),
            read(next((folders[row["pair_id"]] / "reference").glob(f"{row['pair_id']}.*"))),
        )
        for row in rows
    ]
