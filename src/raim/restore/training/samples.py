"""Sample sheets: one picture a validation, a row a pair: the input, what the net makes of it, the reference."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from raim.images import write_image
from raim.restore.training.validation import Validated, ValidationPair

FOLDER = "samples"
GAP_PX, HEADING_PX, TEXT_PX = 6, 22, 13
GROUND, INK = (255, 255, 255), (20, 20, 20)
Sheet = UInt8[np.ndarray, "h w 3"]


def draw_sheet(pairs: Sequence[ValidationPair], validated: Validated, *, step: int, shown: int) -> Sheet:
    """Draw a sheet at native pixels.

    Args:
        pairs: All of the validation.
        validated: What came of them.
        step: For the heading.
        shown: How many pairs, from the first.
    """
    rows = [
        _draw_row(pair, restored, score, step)
        for pair, restored, score in list(zip(pairs, validated.restored, validated.scores, strict=True))[
            :shown
        ]
    ]
    width = max(row.shape[1] for row in rows)
    sheet = np.full((sum(row.shape[0] for row in rows), width, 3), GROUND, np.uint8)
    top = 0
    for row in rows:
        sheet[top : top + row.shape[0], : row.shape[1]] = row
        top += row.shape[0]
    return sheet


def _draw_row(pair: ValidationPair, restored: np.ndarray, score: float | None, step: int) -> Sheet:
    said = "no SCORE" if score is None else f"SCORE {score:.2f}"
    titles = (f"{pair.name}: input", f"step {step}: {said}", "reference")
    pictures = (pair.degraded, restored, pair.reference)
    width = max(picture.shape[1] for picture in pictures)
    height = max(picture.shape[0] for picture in pictures)
    row = Pillow.new("RGB", (3 * width + 4 * GAP_PX, height + HEADING_PX + GAP_PX), GROUND)
    pen, font = ImageDraw.Draw(row), ImageFont.load_default(TEXT_PX)
    for place, (title, picture) in enumerate(zip(titles, pictures, strict=True)):
        left = GAP_PX + place * (width + GAP_PX)
        pen.text((left, (HEADING_PX - TEXT_PX) // 2), _shorten(title, width, font), fill=INK, font=font)
        row.paste(Pillow.fromarray(np.ascontiguousarray(picture)), (left, HEADING_PX))
    return np.asarray(row)


def _shorten(title: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    while len(title) > 1 and font.getlength(title) > width:
        title = title[:-2] + "…" if title.endswith("…") else title[:-1] + "…"
    return title


def write_sheet(run: Path, step: int, sheet: Sheet) -> Path:
    """Write a sheet into the run's folder.

    Raises:
        InputError: It cannot be written.
    """
    path = run / FOLDER / f"step-{step:08d}.png"
    write_image(path, sheet)
    return path
