"""How many judges and images tell two teams apart.

The difference of two teams' points, a mean over judges and images, has the standard error

    sqrt(judge^2 / judges + image^2 / images + interaction^2 / (judges x images))

where the three are standard deviations of the difference by their causes: of a pilot study (`difference_components`),
or the defaults. It is distinguished from 0 at the 5 % level, with a stated power, if it is (1.96 + z(power)) standard
errors.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raim.errors import InputError
from raim.study.findings import Components
from raim.study.intervals import NORMAL, variance_components
from raim.study.points import PointsArray

# Variances of a difference in points (3, 2, 1) of one trial: means of all pairs of entries, of both fields of simulated
# judges in benchmarks/study_coverage.py (nine entries, spreads 0.5 between images and 0.3 between judges), rounded.
DEFAULT = Components(judge=0.05, image=0.15, interaction=2.0)
USUAL_JUDGES, USUAL_IMAGES = (6, 12, 18, 30), (20, 50, 100)


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerCell:
    """One size of study.

    Attributes:
        n_judges: Judges.
        n_images: Images.
        difference: The least difference in points an image (of 0 to 3) that is found with the stated power.
        in_s3: The same in S3: times the images.
    """

    n_judges: int
    n_images: int
    difference: float
    in_s3: float


def power_table(
    components: Components = DEFAULT,
    *,
    judges: Sequence[int] = USUAL_JUDGES,
    images: Sequence[int] = USUAL_IMAGES,
    power: float = 0.8,
) -> tuple[PowerCell, ...]:
    """Return the least difference that studies of some sizes find.

    Example:
        >>> cell = power_table(judges=[18], images=[50])[0]
        >>> round(cell.difference, 2)
        0.25
    """
    from scipy.stats import norm

    factor = NORMAL + float(norm.ppf(power))
    return tuple(
        PowerCell(
            n_judges=j,
            n_images=i,
            difference=factor * standard_error(components, j, i),
            in_s3=i * factor * standard_error(components, j, i),
        )
        for j in judges
        for i in images
    )


def judges_needed(
    difference: float, n_images: int, components: Components = DEFAULT, *, power: float = 0.8
) -> int | None:
    """Return how many judges tell two teams apart.

    Args:
        difference: Of the two teams' mean points, in points an image; not 0.
        n_images: In the study.
        components: Variance of the difference of two teams' points by its causes.
        power: How often it shall be found.

    Returns:
        At least 2; None where no number of judges is enough, for the images alone vary too much.

    Raises:
        InputError: The difference is 0.

    Example:
        >>> judges_needed(0.3, 50), judges_needed(0.05, 50)
        (11, None)
    """
    from scipy.stats import norm

    if difference == 0:
        raise InputError(
            "no study tells two teams apart whose points do not differ; give a difference other than 0"
        )
    wanted = (difference / (NORMAL + float(norm.ppf(power)))) ** 2
    left = wanted - components.image / n_images
    if left <= 0:
        return None
    return max(2, math.ceil((components.judge + components.interaction / n_images) / left))


def standard_error(components: Components, n_judges: int, n_images: int) -> float:
    """Return the standard error of a difference, in points an image."""
    variance = (
        components.judge / n_judges
        + components.image / n_images
        + components.interaction / (n_judges * n_images)
    )
    return float(np.sqrt(variance))


def difference_components(points: PointsArray) -> Components | None:
    """Return the causes of variance of the differences between all pairs of entries: of a pilot, for `power_table`.

    Returns:
        Of the judges whose votes are complete; None for fewer than two of them, or of images or entries.
    """
    n_entries = points.shape[2]
    pairs = [(a, b) for a in range(n_entries) for b in range(a + 1, n_entries)]
    if not pairs:
        return None
    return variance_components(np.stack([points[:, :, a] - points[:, :, b] for a, b in pairs], axis=2))
