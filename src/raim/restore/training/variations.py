"""What a clean photograph goes through before the camera, so that a few photographs teach more than what is on them.

Without it a net learns the colours of a handful of photographs by heart, and shifts those of others.
"""

import numpy as np
from jaxtyping import Shaped
from scipy.ndimage import gaussian_filter

from raim.data.camera.draws import Size
from raim.restore.training.recipe import Drawn, Source

Clean = Shaped[np.ndarray, "h w *colours"]


def vary(clean: Clean, source: Source, rng: np.random.Generator) -> Clean:
    """Mix the colours of a part of a photograph, darken and blur it, as its source says.

    Args:
        clean: Encoded values, 8 or 16 bits.
        source: `mix_colours`, `brightness` and `soften_px`.
        rng: Of the patch.

    Returns:
        The same shape and type.

    Example:
        >>> clean = np.full((4, 4, 3), 200, np.uint8)
        >>> vary(clean, Source(brightness=0.5), np.random.default_rng(0))[0, 0].tolist()
        [100, 100, 100]
    """
    if source.mix_colours and clean.ndim == 3:
        clean = np.ascontiguousarray(clean[..., rng.permutation(clean.shape[2])])
    factor = _take(source.brightness, clean, rng)
    if factor != 1:
        clean = np.rint(clean * factor).astype(clean.dtype)
    deviation = _take(source.soften_px, clean, rng)
    if deviation > 0:
        sigmas = (deviation, deviation, *(0.0,) * (clean.ndim - 2))
        clean = np.rint(gaussian_filter(clean.astype(np.float32), sigmas, mode="mirror")).astype(clean.dtype)
    return clean


def _take(chosen: Drawn | float, clean: Clean, rng: np.random.Generator) -> float:
    if isinstance(chosen, Drawn):
        return float(chosen.draw.take(rng, Size(height=clean.shape[0], width=clean.shape[1])))
    return chosen
