"""NIQE: how far a photograph's statistics are from those of undistorted photographs; no reference is needed.

With m, S the mean and covariance of 36 features over the blocks of the image (`raim.metrics.niqe_features`) and
m0, S0 those of 125 undistorted photographs:

    NIQE = sqrt( (m0 - m)^T  ((S0 + S) / 2)^-1  (m0 - m) )

Flat areas are ill-conditioned: their features are made of rounding errors, and published implementations differ there
by up to 0.5. So the variant is named, and `niqe_details` tells how flat an image is.

Source: Mittal, Soundararajan, Bovik, "Making a Completely Blind Image Quality Analyzer", IEEE SPL 2013, equation 10;
the authors' model m0, S0 as published in basicsr 1.4.2.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from raim.devices import to_double
from raim.errors import UnscorableError, unknown_name
from raim.metrics.arrays import Batch, PixelValues, Tensor, check_batches, check_image, white_level
from raim.metrics.gradients import round_straight_through
from raim.metrics.luma import plane_of
from raim.metrics.niqe_features import BLOCK, VARIANTS, Arithmetic, block_features
from raim.metrics.record import MeasureRecord
from raim.weights import load_weights

# Above this share of flat pixels a result says how unsure it is.
FLAT_FRACTION_TO_TELL = 0.02


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

    @property
    def warning(self) -> str | None:
        """What to know of the value of an image with flat areas; None where they are few."""
        if self.flat_fraction <= FLAT_FRACTION_TO_TELL:
            return None
        return f"{self.flat_fraction:.0%} of the pixels are flat: NIQE there follows rounding noise, by up to 0.5"


def niqe(image: PixelValues, *, variant: str = "pyiqa", data_range: float | None = None) -> float:
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


def niqe_details(
    image: PixelValues, *, variant: str = "pyiqa", data_range: float | None = None
) -> NiqeResult:
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


def niqe_batch(images: Batch, *, variant: str = "pyiqa") -> Float[Tensor, " b"]:
    """NIQE of each image of a batch, differentiable; arguments and errors as of `niqe`.

    Computed in double precision: on the processor where the images' device has none (Apple's MPS). The gradient passes
    through the rounding of luma, and is that of the function which the grid of shapes samples.

    Example:
        >>> import torch
        >>> noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
        >>> round(niqe_batch(torch.tensor(noise).movedim(2, 0)[None] / 255).item(), 3)
        38.711
    """
    luma = _whole_blocks(images, variant, n_images=1)
    return niqe_of_luma(luma, VARIANTS[variant]).to(images)


def niqe_together(images: Batch, *, variant: str = "pyiqa") -> Float[Tensor, ""]:
    """NIQE of a batch whose blocks count as those of one photograph; that of `niqe_batch` for a batch of one.

    The patches that a net learns from are too small for a NIQE each.

    Args:
        images: Each of at least 96x96, two blocks of that size in all.
        variant: As of `niqe`.

    Example:
        >>> import torch
        >>> noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
        >>> round(niqe_together(torch.tensor(noise).movedim(2, 0)[None] / 255).item(), 3)
        38.711
    """
    from raim.metrics.niqe_tensors import block_feature_tensors

    luma = _whole_blocks(images, variant, n_images=len(images))
    return _distance_batch(block_feature_tensors(luma, VARIANTS[variant]).flatten(0, 1)).to(images)


def _whole_blocks(images: Batch, variant: str, *, n_images: int) -> Float[Tensor, "b h w"]:
    """Return the luma of whole blocks, if there are two of them in so many images."""
    check_batches(images=images)
    if variant not in VARIANTS:
        raise unknown_name("NIQE variant", variant, VARIANTS)
    height, width = images.shape[2:]
    if (height // BLOCK) * (width // BLOCK) * n_images < 2:
        raise UnscorableError(
            f"the images are {width}x{height}, NIQE needs at least two blocks of {BLOCK}x{BLOCK}"
        )
    cropped = images[:, :, : height // BLOCK * BLOCK, : width // BLOCK * BLOCK]
    arithmetic = VARIANTS[variant]
    cropped = cropped.float() if arithmetic.is_luma_single else to_double(cropped)
    return round_straight_through(to_double(plane_of(cropped, arithmetic.plane)))


def niqe_of_luma(luma: Float[Tensor, "b h w"], arithmetic: Arithmetic) -> Float[Tensor, " b"]:
    """NIQE of luma on the scale of 255, in double precision, its size a multiple of 96."""
    import torch

    from raim.metrics.niqe_tensors import block_feature_tensors

    return torch.stack([_distance_batch(values) for values in block_feature_tensors(luma, arithmetic)])


def _distance_batch(values: Float[Tensor, "blocks 36"]) -> Float[Tensor, ""]:
    import torch

    complete = values[~values.isnan().any(1)]
    if len(complete) < 2:
        raise UnscorableError("NIQE has no value: fewer than two blocks of 96x96 have structure")
    model = load_weights("niqe")
    mean, covariance = (torch.tensor(model[key]).to(values) for key in ("mean", "covariance"))
    difference = mean - values.nanmean(0)
    pooled = (covariance + torch.cov(complete.T)) / 2
    return (difference @ torch.linalg.solve(pooled, difference)).sqrt()


NIQE = MeasureRecord(
    name="niqe",
    title="NIQE",
    decimals=3,
    higher_is_better=False,
    value_range=(0.0, math.inf),
    needs_reference=False,
    source="Mittal, Soundararajan, Bovik, IEEE SPL 2013",
    options={"variant": tuple(VARIANTS)},
    block_px=lambda _: BLOCK,
    n_blocks=2,
    weights=lambda _: ("niqe",),
    array_form=niqe_details,
    tensor_form=niqe_batch,
)
