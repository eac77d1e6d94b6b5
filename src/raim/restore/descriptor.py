"""What a restorer is: a description that callers can read, and one function that they can run.

Whoever runs a restorer never asks which net it is. It takes a photograph as sRGB values in [0, 1],
float32 (h, w, 3), and gives one of `scale` times the size.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float32

from raim.processes import count_cores

# Heights and widths are not compared between arguments and results: restorers may enlarge.
Photograph = Float32[np.ndarray, "_h _w 3"]
OnProgress = Callable[[float], None]
OnNote = Callable[[str], None]

# Below this no restorer has anything to look at, and reflection at the borders has nothing to reflect.
SMALLEST_SIDE_PX = 8


def _ignore(_: object) -> None:
    """Take and forget."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """How to run: where, on how many threads, and whom to tell.

    Attributes:
        device: "cpu", or a device of torch such as "cuda" for the restorers that run there.
        threads: Threads of one photograph, at least 1.
        tile_px: Side of the tiles, counted in the net's input; None for the restorer's own.
        on_progress: Told the share that is done, 0 to 1.
        on_note: Told what was measured and chosen, a sentence at a time.
    """

    device: str = "cpu"
    threads: int = field(default_factory=count_cores)
    tile_px: int | None = None
    on_progress: OnProgress = _ignore
    on_note: OnNote = _ignore


Run = Callable[[Photograph, Context], Photograph]


@dataclass(frozen=True, kw_only=True, slots=True)
class Restorer:
    """A restorer.

    Attributes:
        name: How commands name it.
        purpose: One line for people.
        run: Restores a photograph of at least 8x8 pixels.
        scale: Size of what comes out over the size of what goes in.
        size_multiple: Sides are padded by reflection to a multiple of this, and cut again.
        overlap_px: Pixels of the input beyond its own part that a tile sees on each side; None where the whole
            photograph is seen at once.
        channels: "rgb" where the colours are looked at together, "any" where each is restored for itself.
        licence: SPDX identifier of code and weights as they are used here.
        source: The paper or the project.
        weights: Names in `raim.weights` that it needs.
        seconds_per_megapixel: Measured once on one core of a 2026 server, to tell a short run from a long one.
        seconds_by_reduction: The same at scale 1 for each factor that the photograph may be reduced by; empty where
            it is not reduced.
        devices: Where it can run.
    """

    name: str
    purpose: str
    run: Run
    scale: int = 1
    size_multiple: int = 1
    overlap_px: int | None = None
    channels: Literal["rgb", "any"] = "rgb"
    licence: str = "Apache-2.0"
    source: str = "raim"
    weights: tuple[str, ...] = ()
    seconds_per_megapixel: float = 0.1
    seconds_by_reduction: Mapping[int, float] = field(default_factory=dict)
    devices: tuple[str, ...] = ("cpu",)
