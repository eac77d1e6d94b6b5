"""An example to begin with: a commented challenge.toml, its texts, and small made-up images in the layout of real data.

The images are soft noise, not photographs; they are there so that the example validates and can be scored, and are
to be replaced. They are just large enough for NIQE after the border of `raim-2024` is cut off: two blocks of 96 pixels,
4 pixels on each side, and a few to spare.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np
from jaxtyping import UInt8

from raim.challenge.reading import CHALLENGE_FILE
from raim.errors import InputError
from raim.images import write_image

WIDTH, HEIGHT = 2 * 96 + 2 * 4 + 8, 96 + 2 * 4 + 8
CELL = 8  # pixels of one random value before smoothing

# Days after the first on which phases open and close.
DAYS = {"tuning_opens": 0, "feedback_opens": 30, "feedback_closes": 60, "final_opens": 62, "final_closes": 76}

# Scenarios of the pairs and issues of the unpaired images, in the words of the report.
PAIRED = {"tuning-pairs": ("denoising", "super-resolution"), "feedback-pairs": ("denoising", "motion blur")}
UNPAIRED = {
    "tuning-unpaired": ("smoothed details", "moire"),
    "final-unpaired": ("text stroke adhesion", "colour noise"),
}

EXAMPLE_ID = "my-challenge"
DESCRIPTION = """\
## What this challenge is about

Photographs of real cameras have many faults at once: noise, blur, lost detail, moire, odd colours. Build one method
that restores them all, as true to the scene as it can be.

1. **Tuning.** Download pairs of inputs and references, and inputs without a reference.
2. **Online feedback.** Restore new inputs and upload the results; the server scores them and shows a leaderboard.
3. **Final.** The best teams restore the last photographs; judges compare them, blind.
"""


def example_text(first_day: date) -> str:
    """Return the commented example of challenge.toml.

    Args:
        first_day: The day on which the first phase opens, at noon UTC.

    Example:
        >>> "opens = 2026-03-01T12:00:00Z" in example_text(date(2026, 3, 1))
        True
    """
    template = files("raim.challenge").joinpath("example.toml").read_text(encoding="utf-8")
    return Template(template).substitute(
        {name: (first_day + timedelta(days=days)).isoformat() for name, days in DAYS.items()}
    )


def write_example(
    folder: Path, *, first_day: date, rng: np.random.Generator, challenge_id: str = EXAMPLE_ID
) -> tuple[Path, ...]:
    """Write an example challenge that validates.

    Args:
        folder: Is made if it is not there; what lies in it already is never replaced.
        first_day: The day on which the first phase opens.
        rng: Of the images.
        challenge_id: Its name in addresses.

    Returns:
        The files that were written.

    Raises:
        InputError: Something of the same name is there already, or the folder cannot be written.
    """
    for name in (CHALLENGE_FILE, "description.md", "data"):
        if (folder / name).exists():
            raise InputError(f"{folder / name} is there already; choose another folder, or move it away")
    try:
        return tuple(_write_all(folder, first_day, rng, challenge_id))
    except OSError as error:
        raise InputError(f"the example cannot be written to {folder}: {error.strerror or error}") from error


def _write_all(folder: Path, first_day: date, rng: np.random.Generator, challenge_id: str) -> Iterator[Path]:
    for set_id, scenarios in PAIRED.items():
        yield from _write_set(
            folder / "data" / set_id, "scenario", scenarios, rng, parts=("input", "reference")
        )
    for set_id, issues in UNPAIRED.items():
        yield from _write_set(folder / "data" / set_id, "issue", issues, rng, parts=("input",))
    toml = example_text(first_day).replace(f'id = "{EXAMPLE_ID}"', f'id = "{challenge_id}"', 1)
    for name, text in {"description.md": DESCRIPTION, CHALLENGE_FILE: toml}.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        yield folder / name


def _write_set(
    folder: Path, column: str, labels: tuple[str, ...], rng: np.random.Generator, *, parts: tuple[str, ...]
) -> Iterator[Path]:
    rows = [f"name,{column},width,height,sha256,role"]
    for part in parts:
        (folder / part).mkdir(parents=True)
    for number, label in enumerate(labels, start=1):
        reference = _soft_noise(rng)
        pixels = {"input": _degrade(reference, rng), "reference": reference}
        for part in parts:
            path = folder / part / f"{number:04d}.png"
            write_image(path, pixels[part])
            size = f"{WIDTH},{HEIGHT}" if part == parts[-1] else ","
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            rows.append(f"{number:04d},{label},{size},{sha256},{part if len(parts) > 1 else ''}")
            yield path
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
    yield manifest


def _soft_noise(rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    """Draw a coarse grid of colours and widen it smoothly, with a little fine texture on it."""
    coarse = rng.uniform(40, 215, (HEIGHT // CELL + 2, WIDTH // CELL + 2, 3))
    rows, columns = (np.arange(n) / CELL for n in (HEIGHT, WIDTH))
    down, across = rows.astype(int), columns.astype(int)
    v, u = (rows - down)[:, None, None], (columns - across)[None, :, None]
    upper = coarse[down][:, across] * (1 - u) + coarse[down][:, across + 1] * u
    lower = coarse[down + 1][:, across] * (1 - u) + coarse[down + 1][:, across + 1] * u
    fine = rng.normal(0, 6, (HEIGHT, WIDTH, 1))
    return np.clip(np.rint(upper * (1 - v) + lower * v + fine), 0, 255).astype(np.uint8)


def _degrade(image: UInt8[np.ndarray, "h w 3"], rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    return np.clip(np.rint(image + rng.normal(0, 12, image.shape)), 0, 255).astype(np.uint8)
