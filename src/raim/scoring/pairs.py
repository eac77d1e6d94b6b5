"""Arrays to records: a restored image and its reference are brought to one form, measured and scored."""

from collections.abc import Mapping, Sequence

import numpy as np

from raim.errors import UnscorableError
from raim.metrics.arrays import PixelArray, check_pair, white_level
from raim.scoring.measures import Measured, measure_candidates
from raim.scoring.profiles import Profile
from raim.scoring.records import ImageScore


def score_pair(
    restored: PixelArray,
    reference: PixelArray,
    profile: Profile,
    *,
    name: str = "",
    device: str = "cpu",
) -> ImageScore:
    """Measure one restored image against its reference and join the measures to a SCORE.

    Args:
        restored: (h, w, 3) or (h, w), uint8, uint16 or float in [0, 1].
        reference: Of the same size.
        profile: The choices; see `raim.scoring.find_profile`.
        name: How the record calls the image.
        device: "cpu", or a device of torch such as "cuda".

    Returns:
        The record; where a measure has no value, `unscored` says why and there is no score.

    Raises:
        InputError: If the arrays are not images of the same size.
        UnscorableError: If one is grey and the other is not, or they are smaller than the profile's border.

    Example:
        >>> from raim.scoring import find_profile
        >>> reference = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
        >>> scored = score_pair(reference, reference, find_profile("raim-2024"))
        >>> scored.values["psnr"], scored.values["ssim"], scored.values["dists"]
        (80.0, 1.0, 0.0)
    """
    restored, reference = match_arrays(restored, reference)
    check_pair(restored, reference)
    inner = [cut_border(image, profile.border_px) for image in (restored, reference)]
    measured = {
        choice.name: measure_candidates(choice, inner[:1], inner[1], device=device)[0]
        for choice in profile.measures
    }
    return join_measures(name, profile, measured)


def join_measures(
    name: str,
    profile: Profile,
    measured: Mapping[str, Measured],
    *,
    scenario: str | None = None,
    warnings: Sequence[str] = (),
) -> ImageScore:
    """Make the record of one image from its measures; a missing one leaves it without a score."""
    values: dict[str, float | None] = {
        choice.name: measured[choice.name].value for choice in profile.measures
    }
    reasons = [f"{key}: {record.unscored}" for key, record in measured.items() if record.unscored is not None]
    own = [f"{key}: {record.warning}" for key, record in measured.items() if record.warning is not None]
    numbers = {key: value for key, value in values.items() if value is not None}
    values["score"] = None if reasons else profile.score(numbers)
    return ImageScore(
        name=name,
        scenario=scenario,
        values=values,
        warnings=(*warnings, *own),
        unscored="; ".join(reasons) or None,
    )


def refuse_image(name: str, profile: Profile, reason: str, *, scenario: str | None = None) -> ImageScore:
    """Make the record of an image that could not be measured at all."""
    return ImageScore(name=name, scenario=scenario, values=dict.fromkeys(profile.columns), unscored=reason)


def match_arrays(restored: PixelArray, reference: PixelArray) -> tuple[PixelArray, PixelArray]:
    """Bring two images to the same form: grey to three equal channels, unlike types to float64 in [0, 1].

    Raises:
        UnscorableError: If one is grey and the other is not.

    Example:
        >>> restored, reference = match_arrays(np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint16))
        >>> restored.shape, restored.dtype
        ((4, 4, 3), dtype('float64'))
    """
    if restored.ndim != reference.ndim:
        kinds = {2: "grey", 3: "colour"}
        raise UnscorableError(
            f"it is {kinds.get(restored.ndim, 'no image')}, its reference {kinds.get(reference.ndim, 'no image')}; "
            "save it with the reference's channels"
        )
    pair = [
        np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image for image in (restored, reference)
    ]
    if restored.dtype != reference.dtype:
        pair = [image / white_level(image) for image in pair]
    return pair[0], pair[1]


def cut_border(image: PixelArray, border_px: int) -> PixelArray:
    """Cut so many pixels off each side.

    Raises:
        UnscorableError: If nothing is left.

    Example:
        >>> cut_border(np.zeros((20, 30, 3)), 4).shape
        (12, 22, 3)
    """
    height, width = image.shape[:2]
    if min(height, width) <= 2 * border_px:
        raise UnscorableError(
            f"it is {width}x{height}; nothing is left once {border_px} px are cut off each side"
        )
    return np.ascontiguousarray(image[border_px : height - border_px, border_px : width - border_px])
