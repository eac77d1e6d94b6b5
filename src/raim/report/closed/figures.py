"""Comparison figures in the style of the report's Figures 3 to 6 (arXiv 2405.09923).

The input stands at the left with a frame on it; beside it the same crop of the input and of every team, best first,
enlarged by a whole factor so that a pixel stays a pixel, names underneath. The crop is given, or found: the square
in which the teams' images differ most, by the standard deviation between them.
"""

import functools
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from raim.errors import need_extra
from raim.files import make_folder, place_file
from raim.images import read_image, write_image
from raim.processes import OnProgress
from raim.report.closed.lettering import write_line
from raim.report.closed.material import (
    SIMULATED,
    Failures,
    ImageMaterial,
    Material,
    PictureSource,
    attempt,
)
from raim.report.crop import Crop, Pixels8, choose_crop, scale_to_size, show_pixels

CROP_PX = 96  # side of a crop that is found
TILE_PX = 288  # side that a crop is enlarged to, as far as a whole factor reaches
LOOKED_AT_PX = 1024  # differences are sought on a copy of at most this side
GAP_PX, LINE_PX, NAME_PX = 6, 26, 17
GROUND, INK, GREY = 255, 20, 128
FRAME, HALO = (255, 225, 77), (0, 0, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureFile:
    """A figure as it was written.

    Attributes:
        image: The photograph.
        caption: The text under it.
        png: For pages.
        pdf: For documents.
    """

    image: str
    caption: str
    png: Path
    pdf: Path


def write_figures(
    material: Material,
    folder: Path,
    failures: Failures,
    *,
    images: Sequence[str] | None = None,
    crops: Mapping[str, Crop] | None = None,
    on_progress: OnProgress = lambda _done, _total: None,
) -> tuple[FigureFile, ...]:
    """Write comparison figures as PNG and PDF.

    Args:
        material: Its pictures are read; without pictures there are no figures.
        folder: Where they are written.
        failures: Pictures that cannot be read are added here; a photograph whose input is one of them has no figure.
        images: Which photographs; for each issue the one where the teams differ most if None.
        crops: Of photographs whose crop is not to be found.
        on_progress: Called with (photographs looked at, in all).

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: A file cannot be written.
    """
    source = material.pictures
    if source is None or not source.images:
        return ()
    wanted = _pick_images(material, source, failures, on_progress) if images is None else list(images)
    make_folder(folder)
    issues = {each.name: each.issue for each in source.images}
    written = []
    for number, name in enumerate(wanted, start=1):
        crop = (crops or {}).get(name)
        pixels = attempt(
            functools.partial(draw_figure, material, name, failures, crop=crop),
            f"the figure of {name}",
            failures,
        )
        if pixels is None:
            continue
        png, pdf = (folder / f"comparison_{number:02d}.{kind}" for kind in ("png", "pdf"))
        write_image(png, pixels)
        place_file(pdf, _as_pdf(pixels))
        issue = f"{issues.get(name) or 'no issue stated'}: {name}"
        written.append(FigureFile(image=name, caption=issue[:1].upper() + issue[1:], png=png, pdf=pdf))
    return tuple(written)


def draw_figure(
    material: Material, image: str, failures: Failures, *, crop: Crop | None = None
) -> Pixels8 | None:
    """Draw the figure of a photograph; None if no team has it, or its input cannot be read.

    Args:
        material: Its pictures are read.
        image: Name of the photograph.
        failures: Pictures that cannot be read are added here.
        crop: In pixels of the teams' images; found if None.
    """
    source = material.pictures
    if source is None:
        return None
    restored = _read_teams(material, source, image, failures)
    there = _of_one_size([pixels for pixels in restored.values() if pixels is not None])
    own = _read(lambda: source.read_input(image), f"the input of {image}", failures) if there else None
    if own is None:
        return None
    height, width = there[0].shape[:2]
    shown = scale_to_size(own, width, height)
    box = _inside(crop or find_crop(there, side_px=CROP_PX), width, height)
    # Pairs, not a mapping: a team may be called "Input".
    tiles = [("Input", box.cut(shown)), *(_cut(team, each, box, there[0]) for team, each in restored.items())]
    return _lay_out(shown, box, tiles, note=SIMULATED if material.is_simulated else "")


def find_crop(restored: Sequence[Pixels8], *, side_px: int) -> Crop:
    """Find the square where images of one scene differ most.

    Args:
        restored: (h, w, 3) uint8, at least one; those of another size than the first are not looked at.
        side_px: Of the square, at most the image's own sides.

    Example:
        >>> flat = np.zeros((40, 60, 3), np.uint8)
        >>> other = flat.copy()
        >>> other[20:30, 40:50] = 200
        >>> find_crop([flat, other], side_px=10)
        Crop(x=40, y=20, width=10, height=10)
    """
    height, width = restored[0].shape[:2]
    step = max(1, -(-max(height, width) // LOOKED_AT_PX))
    spread = _spread([each for each in restored if each.shape == restored[0].shape], step)
    found = choose_crop(spread, max(1, side_px // step))
    side = min(side_px, height, width)
    return Crop(
        x=min(found.x * step, width - side), y=min(found.y * step, height - side), width=side, height=side
    )


def _spread(restored: Sequence[Pixels8], step: int) -> Float32[np.ndarray, "_h _w"]:
    """Return the standard deviation between images, the mean over the channels, on every `step`-th pixel."""
    mean = np.zeros(restored[0][::step, ::step].shape, np.float32)
    square = np.zeros_like(mean)
    for pixels in restored:
        values = pixels[::step, ::step].astype(np.float32)
        mean += values / len(restored)
        square += values**2 / len(restored)
    variance: Float32[np.ndarray, "_h _w 3"] = np.maximum(square - mean**2, 0)
    return np.sqrt(variance).mean(2).astype(np.float32)


def _pick_images(
    material: Material, source: PictureSource, failures: Failures, on_progress: OnProgress
) -> list[str]:
    best: dict[str, tuple[float, str]] = {}
    for place, image in enumerate(source.images):
        on_progress(place, len(source.images))
        worth = _difference(material, source, image, failures)
        if worth is not None and worth > best.get(image.issue, (-1.0, ""))[0]:
            best[image.issue] = (worth, image.name)
    on_progress(len(source.images), len(source.images))
    return [name for _, (_, name) in sorted(best.items())]


def _difference(
    material: Material, source: PictureSource, image: ImageMaterial, failures: Failures
) -> float | None:
    """Return how much the teams differ in their most different square; None without two teams."""
    restored = _read_teams(material, source, image.name, failures)
    there = _of_one_size([each for each in restored.values() if each is not None])
    if len(there) < 2:
        return 0.0 if there else None
    box = find_crop(there, side_px=CROP_PX)
    return float(_spread([box.cut(each) for each in there], 1).mean())


def _read_teams(
    material: Material, source: PictureSource, image: str, failures: Failures
) -> dict[str, Pixels8 | None]:
    return {
        team: _read(functools.partial(source.read_restored, team, image), f"{image} of {team}", failures)
        for team in material.ranked_teams
    }


def _of_one_size(images: Sequence[Pixels8]) -> list[Pixels8]:
    """Return the images of the size that most have, of the first of equals: one odd file must not hide all others."""
    if not images:
        return []
    (shape, _), *_ = Counter(each.shape for each in images).most_common(1)
    return [each for each in images if each.shape == shape]


def _cut(team: str, pixels: Pixels8 | None, box: Crop, like: Pixels8) -> tuple[str, Pixels8 | None]:
    if pixels is None:
        return f"{team} (missing)", None
    if pixels.shape != like.shape:
        return f"{team} (another size)", None
    return team, box.cut(pixels)


def _read(find: Callable[[], bytes | None], what: str, failures: Failures) -> Pixels8 | None:
    """Read a picture; None, shown as missing, for one that is not there or cannot be read."""

    def read() -> Pixels8 | None:
        content = find()
        return None if content is None else show_pixels(read_image(content, purpose="restore"))

    return attempt(read, what, failures)


def _inside(crop: Crop, width: int, height: int) -> Crop:
    side_x, side_y = min(crop.width, width), min(crop.height, height)
    return Crop(
        x=max(0, min(crop.x, width - side_x)),
        y=max(0, min(crop.y, height - side_y)),
        width=side_x,
        height=side_y,
    )


def _lay_out(shown: Pixels8, box: Crop, tiles: Sequence[tuple[str, Pixels8 | None]], *, note: str) -> Pixels8:
    factor = max(1, TILE_PX // max(box.width, box.height))
    tile_width, tile_height = box.width * factor, box.height * factor
    columns = -(-len(tiles) // 2)
    cell_width, cell_height = tile_width + GAP_PX, tile_height + LINE_PX + GAP_PX
    left = _whole(shown, box, 2 * cell_height - LINE_PX - GAP_PX)
    top = GAP_PX + (LINE_PX if note else 0)
    width = left.shape[1] + columns * cell_width + 2 * GAP_PX
    page = np.full((top + 2 * cell_height, width, 3), GROUND, np.uint8)
    page[top : top + left.shape[0], GAP_PX : GAP_PX + left.shape[1]] = left
    for place, (name, tile) in enumerate(tiles):
        x = left.shape[1] + 2 * GAP_PX + (place % columns) * cell_width
        y = top + (place // columns) * cell_height
        target = page[y : y + tile_height, x : x + tile_width]
        target[...] = GREY if tile is None else np.repeat(np.repeat(tile, factor, 0), factor, 1)
        write_line(page, name, x, y + tile_height + 3, max_width=tile_width, size=NAME_PX, ink=INK)
    if note:
        write_line(page, note, GAP_PX, 3, max_width=width - 2 * GAP_PX, size=NAME_PX, ink=INK)
    return page


def _whole(shown: Pixels8, box: Crop, height: int) -> Pixels8:
    """Return the whole photograph at a height, with the crop's frame."""
    from PIL import Image

    scale = height / shown.shape[0]
    width = max(1, round(shown.shape[1] * scale))
    whole = np.array(Image.fromarray(shown).resize((width, height), Image.Resampling.LANCZOS))
    x0, y0 = round(box.x * scale), round(box.y * scale)
    x1, y1 = round((box.x + box.width) * scale), round((box.y + box.height) * scale)
    for inset, colour in ((0, HALO), (1, FRAME), (2, FRAME), (3, HALO)):
        _frame(whole, (x0 - 2 + inset, y0 - 2 + inset, x1 + 2 - inset, y1 + 2 - inset), colour)
    return whole


def _frame(pixels: Pixels8, box: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
    height, width = pixels.shape[:2]
    x0, x1 = (min(max(x, 0), width - 1) for x in (box[0], box[2]))
    y0, y1 = (min(max(y, 0), height - 1) for y in (box[1], box[3]))
    pixels[[y0, y1], x0 : x1 + 1] = colour
    pixels[y0 : y1 + 1, [x0, x1]] = colour


def _as_pdf(pixels: Pixels8) -> bytes:
    """Return a figure as PDF, its pixels as they are."""
    need_extra("a figure as PDF", "report", "matplotlib")
    from matplotlib.figure import Figure

    height, width = pixels.shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    figure.figimage(pixels)
    held = io.BytesIO()
    figure.savefig(held, format="pdf", metadata={"CreationDate": None})
    return held.getvalue()
