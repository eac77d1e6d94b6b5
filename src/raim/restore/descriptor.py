"""What a restorer is: a description that callers can read, and one function that they can run.

Whoever runs a restorer never asks which net it is. It takes a photograph as sRGB values in [0, 1],
float32 (h, w, 3), and gives one of `scale` times the size; what it gives has passed the `gate`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from raim.devices import release_memory
from raim.errors import OutOfMemoryError, item_error
from raim.processes import count_cores
from raim.restore.gate import check_result

# Heights and widths are not compared between arguments and results: restorers may enlarge.
Photograph = Float32[np.ndarray, "_h _w 3"]
OnFraction = Callable[[float], None]
OnNote = Callable[[str], None]

OF_USER = "yours"  # in place of a licence: code or weights are the user's own

# Below this no restorer has anything to look at, and reflection at the borders has nothing to reflect.
SMALLEST_SIDE_PX = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """How to run: where, on how many threads, and whom to tell.

    Attributes:
        device: "cpu", or a device of torch such as "cuda" for the restorers that run there.
        threads: Threads of one photograph, at least 1.
        tile_px: Side of the tiles, counted in the net's input; None for the restorer's own.
        on_progress: Called with the share that is done, 0 to 1.
        on_note: Called with what was measured and chosen, a sentence at a time.
    """

    device: str = "cpu"
    threads: int = field(default_factory=count_cores)
    tile_px: int | None = None
    on_progress: OnFraction = lambda _: None
    on_note: OnNote = lambda _: None


Compute = Callable[[Photograph, Context], Any]
MeasureMemory = Callable[[int, int], int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Restorer:
    """A restorer.

    Attributes:
        name: How commands name it.
        purpose: One line for people.
        compute: Restores a photograph of at least 8x8 pixels; called by `run` alone, which checks what it gives.
        scale: Size of what comes out over the size of what goes in.
        is_external: Whether it is a program or function of the user: it may give any whole multiple of the size, and
            do other work next time, so that earlier results are not kept unless that is asked for.
        can_invent: Whether its results are guarded, see `raim.restore.invention`: all but those of the input itself and
            of interpolation, which hold nothing else.
        is_range_known: Whether all that it gives outside [0, 1] is overshoot to be clipped; else the gate refuses much.
        licence: SPDX identifiers of the code as it runs here, with "; " between; "yours" for a user's own. That of
            the weights is in `raim.weights`, see `raim.restore.licences`.
        has_weights_of_user: Whether its weights are a file of the user.
        source: The paper or the project.
        weights: Names in `raim.weights` that it needs.
        seconds_per_megapixel: Measured once on one core of a 2026 server, to tell a short run from a long one.
        seconds_by_reduction: The same at scale 1 for each factor that the photograph may be reduced by; empty where
            it is not reduced.
        devices: Where it can run.
        seconds_by_choice: The same for each restorer of which one is chosen; empty where nothing is.
        parts: The restorers that it runs, each with the size of what that is given over the size of what goes in.
        whole_memory: Bytes that the net takes for a height and a width, where it sees the whole photograph at once;
            None where tiles or strips bound it.
        can_tile: Whether `Context.tile_px` has such a net run in tiles after all.
    """

    name: str
    purpose: str
    compute: Compute
    scale: int = 1
    is_external: bool = False
    can_invent: bool = True
    is_range_known: bool = False
    licence: str = "Apache-2.0"
    has_weights_of_user: bool = False
    source: str = "raim"
    weights: tuple[str, ...] = ()
    seconds_per_megapixel: float = 0.1
    seconds_by_reduction: Mapping[int, float] = field(default_factory=dict)
    seconds_by_choice: Mapping[str, float] = field(default_factory=dict)
    devices: tuple[str, ...] = ("cpu",)
    parts: "tuple[tuple[float, Restorer], ...]" = ()
    whole_memory: MeasureMemory | None = None
    can_tile: bool = True

    def run(self, image: Photograph, context: Context) -> Photograph:
        """Restore a photograph.

        Args:
            image: At least 8x8 pixels, in [0, 1].
            context: How.

        Returns:
            `scale` times the size (of external ones a whole multiple), finite, in [0, 1].

        Raises:
            InputError: What it gives is refused, see `raim.restore.gate`.
            RaimError: It failed, whatever it raised itself; memory that ran out is `OutOfMemoryError`.
        """
        try:
            result = self.compute(image, context)
        except Exception as error:  # noqa: BLE001 - a net of whomever may raise anything
            failure = item_error(error)
            if isinstance(failure, OutOfMemoryError):
                release_memory(error)
            raise failure from failure.__cause__
        return check_result(
            result,
            image,
            name=self.name,
            scale=None if self.is_external else self.scale,
            is_range_known=self.is_range_known,
        )
