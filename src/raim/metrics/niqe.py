"""NIQE: how far a photograph's statistics are from those of undistorted photographs; no reference is needed.

With m, S the mean and covariance of 36 features over the blocks of the image (`raim.metrics.niqe_features`) and
m0, S0 those of 125 undistorted photographs:

    NIQE = sqrt( (m0 - m)^T  ((S0 + S) / 2)^-1  (m0 - m) )

Flat areas are ill-conditioned: their features are made of rounding errors, and published implementations differ there
by up to 0.5. So the variant is named, and `niqe_details` tells how flat an image is.

Source: Mittal, Soundararajan, Bovik, "Making a Completely Blind Image Quality Analyzer", IEEE SPL 2013, equation 10;
the authors' model m0, S0 as published in basicsr 1.4.2.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from raim.errors import UnscorableError, unknown_name
from raim.metrics.arrays import PixelArray, check_image, white_level
from raim.metrics.niqe_features import VARIANTS, block_features
from raim.weights import load_weights


@dataclass(frozen=True, kw_only=True, slots=True)
class NiqeResult:
    """NIQE and how much of the image it rests on.

    Attributes:
        value: The distance.
        flat_fraction: Share of the pixels whose 7x7 window has one luma only; from about 0.1 on, expect other
            implementations to differ in the first decimal.
        blocks: Number of 96x96 blocks.
    """

    value: float
    flat_fraction: float
    blocks: int


def niqe(image: PixelArray, *, variant: str = "pyiqa", data_range: float | None = None) -> float:
    """Measure how natural a photograph looks.

    Args:
        image: (h, w, 3), uint8, uint16 or float in [0, 1]. Grey images are expanded by the caller.
        variant: "pyiqa" (the challenge's), "basicsr" or "matlab" (the authors' release).
        data_range: The value of white; None for the type's own (255, 65535, 1).

    Returns:
        A distance from 0 upwards, 2 to 6 for good photographs; lower is better.

    Raises:
        InputError: If the image is not as stated.
        UnknownNameError: If there is no such variant.
        UnscorableError: If fewer than two 96x96 blocks fit, or too many blocks are flat.

    Example:
        >>> noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
        >>> round(niqe(noise), 3)
        38.711
    """
    return niqe_details(image, variant=variant, data_range=data_range).value


def niqe_details(image: PixelArray, *, variant: str = "pyiqa", data_range: float | None = None) -> NiqeResult:
    """Measure as `niqe` does, and tell how flat the image is.

    Example:
        >>> noise = np.random.default_rng(0).integers(0, 256, (192, 300, 3), np.uint8)
        >>> noise[:96] = 128
        >>> result = niqe_details(noise)
        >>> result.blocks, round(result.flat_fraction, 3)
        (6, 0.484)
    """
    if variant not in VARIANTS:
        raise unknown_name("NIQE variant", variant, VARIANTS)
    check_image(image, data_range=data_range)
    features = block_features(image, VARIANTS[variant], white=white_level(image, data_range))
    value = _distance(features.values)
    if not np.isfinite(value):
        raise UnscorableError(
            f"NIQE has no value: {features.flat_fraction:.0%} of the image is flat, "
            "and fewer than two blocks of 96x96 have structure"
        )
    return NiqeResult(value=value, flat_fraction=features.flat_fraction, blocks=features.values.shape[0])


def _distance(values: Float64[np.ndarray, "blocks 36"]) -> float:
    """Compare the blocks' features with the pristine model; NaN where they do not suffice.

    As in the authors' release the mean skips missing features, the covariance blocks that miss any.
    """
    complete = values[~np.isnan(values).any(1)]
    if len(complete) < 2:
        return float("nan")
    model = load_weights("niqe")
    difference = model["mean"] - np.nanmean(values, 0)
    precision = np.linalg.pinv((model["covariance"] + np.cov(complete, rowvar=False)) / 2)
    return float(np.sqrt(difference @ precision @ difference))
