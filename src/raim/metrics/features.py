"""From pixels to taps: check the images, normalise strips of them, stream the taps of reference and candidates."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from raim.metrics.arrays import PixelValues, check_pair, unit_rows
from raim.networks.features import Engine, OnTap, stream_taps
from raim.networks.nets import Backbone

STRIP_ROWS = 16


def stream_pair_taps(
    engine: Engine,
    backbone: Backbone,
    restored: Sequence[PixelValues],
    reference: PixelValues,
    *,
    shift: Float32[np.ndarray, "3"],
    scale: Float32[np.ndarray, "3"],
    on_tap: OnTap,
    strip_rows: int = STRIP_ROWS,
) -> None:
    """Show `on_tap` each feature's rows, the reference's first, of images normalised as (x - shift) / scale.

    Raises:
        InputError: If shapes or types differ, or a float image leaves [0, 1].
        UnscorableError: If the images are too small for the net.
    """
    for candidate in restored:
        check_pair(candidate, reference)
    images = (reference, *restored)

    def read_rows(top: int, bottom: int) -> list[Float32[np.ndarray, "rows w 3"]]:
        return [(unit_rows(image[top:bottom]) - shift) / scale for image in images]

    height, width = reference.shape[:2]
    stream_taps(
        engine,
        backbone,
        height=height,
        width=width,
        n_images=len(images),
        read_rows=read_rows,
        on_tap=on_tap,
        strip_rows=strip_rows,
    )
