"""The sheet of aligned pairs: one self-contained page that flickers between input and reference of every pair.

What jumps when the two alternate is misaligned; what only gets sharper or cleaner is not. Pictures are within the page,
lossless, at whole screen pixels; of each pair the part that differs most is shown, as large as a budget for all allows.
The
page loads nothing, and its Content-Security-Policy allows just its own style and script, by their hashes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from markupsafe import Markup

from raim import __version__
from raim.data.alignment import (
    MOVED,
    OUTSIDE,
    SATURATED,
    SHEET,
    UNDETERMINED,
    Aligned,
    MadePair,
    Refused,
    file_paths,
)
from raim.images import read_image
from raim.report.crop import Crop, Pixels8, choose_crop, difference, scale_to_size, show_pixels
from raim.report.embedding import encode_lossless, write_uri
from raim.report.pages import load_template, read_asset, write_page
from raim.report.policy import write_policy

# Of all inputs and references together; lossless photographs take 1 to 2 bytes per pixel.
PIXEL_BUDGET = 12_000_000
LONGEST_SIDE_PX, SHORTEST_SIDE_PX = 1024, 96
# Colours of the mask's overlay, which is added to the picture: usable pixels stay as they are.
COLOURS = {OUTSIDE: (90, 90, 90), UNDETERMINED: (150, 120, 0), MOVED: (220, 0, 60), SATURATED: (0, 90, 220)}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownPair:
    """One pair on the sheet.

    Attributes:
        pair: As it was made.
        crop: The part that is shown, in px of the reference.
        is_whole: Whether that is all of it.
        input_uri: Of the input; a smaller one is enlarged by repeating its pixels.
        reference_uri: Of the reference.
        mask_uri: Of the mask's overlay.
        figures: Names and values to read beside it.
    """

    pair: MadePair
    crop: Crop
    is_whole: bool
    input_uri: str
    reference_uri: str
    mask_uri: str
    figures: tuple[tuple[str, str], ...]


def write_alignment_sheet(aligned: Aligned) -> Path:
    """Write the sheet into the folder of the pairs.

    Args:
        aligned: What `align_captures` has made.

    Returns:
        The file.

    Raises:
        InputError: The file cannot be written.
        ImageError: A pair's file cannot be read any more.

    Example:
        >>> import tempfile
        >>> from raim.data.alignment import AlignmentOptions
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     aligned = Aligned(folder=Path(folder), options=AlignmentOptions(), pairs=())
        ...     page = write_alignment_sheet(aligned)
        ...     page.name, "0 pairs" in page.read_text()
        ('sheet.html', True)
    """
    side_px = choose_pair_side(len(aligned.pairs))
    shown = [show_pair(aligned.folder, pair, side_px=side_px) for pair in aligned.pairs]
    path = aligned.folder / SHEET
    write_page(
        path, render_alignment_sheet(shown, aligned.refused, limit_px=aligned.options.limits.residual_px)
    )
    return path


def choose_pair_side(n_pairs: int) -> int:
    """Choose the longest side of what is shown of each pair, so that all keep within the budget.

    Example:
        >>> choose_pair_side(1), choose_pair_side(20), choose_pair_side(100_000)
        (1024, 547, 96)
    """
    side = math.isqrt(PIXEL_BUDGET // (2 * max(n_pairs, 1)))
    return min(max(side, SHORTEST_SIDE_PX), LONGEST_SIDE_PX)


def show_pair(folder: Path, pair: MadePair, *, side_px: int) -> ShownPair:
    """Read a pair and encode the part that differs most."""
    paths = file_paths(folder, pair.name)
    reference = show_pixels(read_image(paths[1]))
    height, width = reference.shape[:2]
    picture = scale_to_size(show_pixels(read_image(paths[0])), width, height)
    crop = choose_crop(difference(picture, reference), side_px)
    overlay = _colour_mask(read_image(paths[2]).pixels)
    uris = [write_uri(encode_lossless(crop.cut(each))) for each in (picture, reference, overlay)]
    return ShownPair(
        pair=pair,
        crop=crop,
        is_whole=(crop.width, crop.height) == (width, height),
        input_uri=uris[0],
        reference_uri=uris[1],
        mask_uri=uris[2],
        figures=tuple(describe_pair(pair).items()),
    )


def render_alignment_sheet(shown: Sequence[ShownPair], refused: Sequence[Refused], *, limit_px: float) -> str:
    """Return the text of the page; see `write_alignment_sheet`."""
    style, script = read_asset("alignment_sheet.css"), read_asset("alignment_sheet.js")
    return load_template("alignment_sheet.html.jinja").render(
        policy=write_policy(style=style, script=script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        version=__version__,
        shown=shown,
        refused=refused,
        limit=f"{limit_px:g}",
        residual=_average([each.pair.residual_px for each in shown]),
    )


def describe_pair(pair: MadePair) -> dict[str, str]:
    """Return in words how a pair was aligned and what is left."""
    origin = (
        f"{pair.inliers} of {pair.matches} SIFT matches agree"
        if pair.found_by == "sift"
        else "phase correlation"
    )
    figures = {
        "residual": f"{_say(pair.residual_px, 'px')} mean, {_say(pair.residual_high_px, 'px')} at 95 %, "
        f"on {pair.tiles_measured} of {pair.tiles} tiles",
        "texture leaves open": f"{pair.freedom_px:.2f} px mean",
        "first alignment": f"{origin}, correlation {pair.correlation:.2f} in the end",
        "beyond a homography": f"up to {pair.displacement_px:.2f} px",
        "tone": f"gain {pair.tone_gain:.3f}, {pair.tone_error:.2f} levels of 255 left",
        "masked": f"{pair.moved_share:.1%} moved, {pair.saturated_share:.1%} saturated, "
        f"{pair.undetermined_share:.1%} undetermined",
        "sizes": f"{pair.input_width} × {pair.input_height} input, {pair.width} × {pair.height} reference",  # noqa: RUF001 - a multiplication sign
        "files": f"{pair.input_file}; {pair.reference_files}",
    }
    if pair.mode == "burst":
        noise = "unknown" if pair.reference_noise is None else f"{pair.reference_noise:.2f} levels of 255"
        figures["reference"] = f"mean of {pair.shots} shots, its noise {noise}"
    if pair.mode == "zoom":
        figures["scale"] = f"{pair.scale_found:.3f} found, {pair.scale:g} written"
    if pair.blur_px:
        figures["blur between"] = f"{pair.blur_px:.2f} px deviation"
    return figures


def _say(value: float | None, unit: str) -> str:
    return "unknown" if value is None or math.isnan(value) else f"{value:.3f} {unit}"


def _average(values: Sequence[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    return f"{sum(known) / len(known):.3f} px" if known else "unknown"


def _colour_mask(mask: UInt8[np.ndarray, "h w"]) -> Pixels8:
    table = np.zeros((256, 3), np.uint8)
    for value, colour in COLOURS.items():
        table[value] = colour
    return table[mask]
