"""One function for everything: restore a photograph with a restorer."""

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from raim.devices import check_device
from raim.errors import InputError
from raim.restore.capacity import check_capacity
from raim.restore.descriptor import Context, OnFraction, OnNote, Restorer
from raim.restore.finish import finish
from raim.restore.invention import Invention, find_invention
from raim.restore.pixels import AnyPixels, from_photograph, to_photograph
from raim.restore.registry import find_restorer


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What came of it.

    Attributes:
        pixels: As the input: its type, its channels; `scale` times its size.
        scale: Size of the result over that of the input.
        seconds: That it took, without the comparison with the input.
        notes: What was measured and chosen on the way, and in the end whether the result agrees with the input.
        invention: What of the result does not follow from the input; None where that was not measured: the restorer
            cannot invent or gave the input, the photograph is of less than 48x48 pixels, or it was not wanted.
    """

    pixels: AnyPixels
    scale: int
    seconds: float
    notes: tuple[str, ...] = ()
    invention: Invention | None = None


def restore(
    image: AnyPixels,
    restorer: Restorer | str,
    *,
    strength: float = 1.0,
    colour_fix: str | None = None,
    guard: bool = True,
    device: str = "cpu",
    tile: int | None = None,
    threads: int | None = None,
    progress: OnFraction | None = None,
    note: OnNote | None = None,
) -> Restored:
    """Restore a photograph.

    Large photographs go through nets in tiles that join without a seam, so that memory is bounded. Whatever the
    restorer gives has passed the `gate`: values are finite and in [0, 1]. Then it is compared with the input, which
    changes nothing of it: see `raim.restore.invention`.

    Args:
        image: (h, w, 3) RGB or (h, w) grey; uint8, uint16, or float in [0, 1]; at least 8x8.
        restorer: A restorer, or the name of a built-in one (or of several, with commas between).
        strength: Share of the result, 0 to 1; the rest is the input, enlarged bicubically where the restorer enlarges.
        colour_fix: "adain" or "wavelet" sets the result's colours to the input's, see `raim.restore.finish`.
        guard: Whether to look for what does not follow from the input, in the results of restorers that may invent.
        device: "cpu", or a device of torch such as "cuda".
        tile: Side of the tiles in pixels; None for the restorer's own.
        threads: Threads; None for all processors.
        progress: Called with the share that is done, 0 to 1.
        note: Called with each note as it is made.

    Returns:
        The restored photograph, of the same type; its size is that of the input times the restorer's scale.

    Raises:
        InputError: The image or an option is not as stated, what is made would have more than 120 megapixels or not
            fit into memory, or the restorer gives NaN, another size, or another range than [0, 1].
        UnknownNameError: There is no such restorer or colour fix.
        WeightsMissingError: Its weights are not here and cannot be fetched.
        MissingExtraError: It needs a library that is not installed.
        RaimError: The restorer failed, whatever it raised itself.

    Example:
        >>> import numpy as np
        >>> restore(np.full((8, 12, 3), 200, np.uint8), "bicubic-x2").pixels.shape
        (16, 24, 3)
    """
    start = time.perf_counter()
    named = find_restorer(restorer) if isinstance(restorer, str) else restorer
    chosen = finish(named, colour_fix=colour_fix, strength=strength)
    photograph = to_photograph(image)
    notes: list[str] = []

    def take_note(text: str) -> None:
        notes.append(text)
        if note is not None:
            note(text)

    context = make_context(chosen, device=device, tile=tile, threads=threads, progress=progress)
    check_capacity(chosen, *photograph.shape[:2], tile_px=tile)
    result = chosen.run(photograph, dataclasses.replace(context, on_note=take_note))
    pixels = from_photograph(result, image)
    scale, seconds = result.shape[0] // photograph.shape[0], time.perf_counter() - start
    is_kept = scale == 1 and np.array_equal(image, pixels)  # as `auto` may choose
    invention = find_invention(image, pixels) if guard and chosen.can_invent and not is_kept else None
    if invention is not None:
        take_note(invention.describe())
    return Restored(pixels=pixels, scale=scale, seconds=seconds, notes=tuple(notes), invention=invention)


def make_context(
    restorer: Restorer,
    *,
    device: str = "cpu",
    tile: int | None = None,
    threads: int | None = None,
    progress: OnFraction | None = None,
) -> Context:
    """Check the options of a run.

    Raises:
        InputError: An option is not as stated, or the device is not here or none that the restorer runs on.
    """
    if threads is not None and threads < 1:
        raise InputError(f"{threads} threads were asked for; there must be at least 1")
    if device != "cpu" and "torch" not in restorer.devices:
        raise InputError(f"{restorer.name} runs on the cpu only; leave out --device {device}")
    check_device(device)
    stated = {"threads": threads, "on_progress": progress}
    given: dict[str, Any] = {name: value for name, value in stated.items() if value is not None}
    return Context(device=device, tile_px=tile, **given)
