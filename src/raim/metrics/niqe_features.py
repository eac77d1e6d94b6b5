"""NIQE's 36 features of each 96x96 block: how a photograph's normalised luma is distributed.

Luma is normalised by local mean and deviation (Gaussian window 7 x 7, deviation 7/6, border repeated) to

    n = (luma - mean) / (deviation + 1)

at full scale and, from luma halved by antialiased bicubic interpolation (mirrored border), at half scale. At each
scale a generalised Gaussian is fitted to n (shape, mean scale) and an asymmetric one to the product of n with each of
four neighbours (shape, mean, left and right scale), the neighbours taken around the block's end.

The fit is by moments: shape a is the one of 0.2, 0.201, ... 10 whose Gamma(2/a)^2 / (Gamma(1/a) Gamma(3/a)) is
nearest to m^2/s (g^3 + 1)(g + 1)/(g^2 + 1)^2 with m = mean |v|, s = mean v^2, g = left / right root mean square;
scales are those root mean squares times sqrt(Gamma(1/a) / Gamma(3/a)).

Source: Mittal, Soundararajan, Bovik, "Making a Completely Blind Image Quality Analyzer", IEEE SPL 2013, sections II.A
to II.C; sizes, grid and borders as in the authors' MATLAB release.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from raim.compilation import first_use
from raim.errors import UnscorableError
from raim.metrics.arrays import PixelValues
from raim.metrics.luma import BT601, RGB2GRAY, YIQ, Plane, load_plane, load_plane_in_single
from raim.metrics.windows import gaussian_window

BLOCK = 96
MARGIN = 9  # rows and columns around a block that its features depend on
NIQE_WINDOW = 7
DEVIATION = 7 / 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Arithmetic:
    """What published implementations do differently; it matters most where the image is flat.

    In a flat area n is what rounding leaves of luma - mean, and whether that is negative, zero or positive decides
    the feature: each of these says which.

    Attributes:
        plane: The luma, rounded to integers.
        is_luma_single: Whether luma is computed in single precision before it is rounded.
        sum_of_window: Sum of the Gaussian weights.
        snap: Differences from the mean that are smaller are zero.
        is_single: Whether mean, mean square and half scale are rounded to single precision.
    """

    plane: Plane
    is_luma_single: bool = False
    sum_of_window: float = 1.0
    snap: float = 0.0
    is_single: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockFeatures:
    """Features of an image.

    Attributes:
        values: One row a block; NaN where a fit has no value.
        flat_fraction: Share of the pixels whose 7x7 window has one luma only.
    """

    values: Float64[np.ndarray, "blocks 36"]
    flat_fraction: float


def _sum_of_single_window() -> float:
    """Sum the 7x7 weights after rounding each to single precision: 1 + 1.1e-8."""
    offsets = np.arange(NIQE_WINDOW) - NIQE_WINDOW // 2
    squares = offsets[:, None] ** 2 + offsets**2
    weights = np.exp(-squares / (2 * DEVIATION**2))
    return float((weights / weights.sum()).astype(np.float32).astype(np.float64).sum())


# pyiqa 0.1.16 computes luma and holds its window in single precision, and goes on in double: flat areas come out
# slightly negative. basicsr 1.4.2 keeps luma, and so all that scipy makes of it, in single precision: flat areas come
# out zero at full scale, and as noise of its interpolation, which is zero here, at half scale. The MATLAB
# release computes in double precision; `snap` stands for exact arithmetic, flat areas are zero.
VARIANTS = {
    "pyiqa": Arithmetic(plane=YIQ, is_luma_single=True, sum_of_window=_sum_of_single_window()),
    "basicsr": Arithmetic(plane=BT601, is_single=True),
    "matlab": Arithmetic(plane=RGB2GRAY, snap=1e-9),
}


def block_features(image: PixelValues, arithmetic: Arithmetic, *, white: float) -> BlockFeatures:
    """Compute the features of the blocks that lie wholly inside a checked image, from its top left corner on.

    Raises:
        UnscorableError: If fewer than two blocks fit.
    """
    from raim.metrics.niqe_kernels import block_row_features

    down, across = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    if down * across < 2:
        raise UnscorableError(
            f"the image is {image.shape[1]}x{image.shape[0]}, NIQE needs at least two blocks of {BLOCK}x{BLOCK}: "
            f"{down * across} fits"
        )
    values = np.empty((down * across, 36))
    rounding = (arithmetic.sum_of_window, arithmetic.snap, arithmetic.is_single)
    tables = (gaussian_window(NIQE_WINDOW, DEVIATION), halving_weights(), shape_table())
    flat = 0
    for row, strip in enumerate(_strips(image, arithmetic, white, down, across)):
        out = values[row * across : (row + 1) * across]
        with first_use("niqe"):
            flat += block_row_features(strip, (row == 0, row == down - 1), tables, rounding, out)
    return BlockFeatures(values=values, flat_fraction=flat / (values.shape[0] * BLOCK**2))


def _strips(
    image: PixelValues, arithmetic: Arithmetic, white: float, down: int, across: int
) -> Iterator[UInt8[np.ndarray, "114 strip_width"]]:
    """Yield rounded luma of each row of blocks and 9 pixels around it, mirrored where the cropped image ends."""
    height, width = down * BLOCK, across * BLOCK
    strip = np.empty((BLOCK + 2 * MARGIN, width + 2 * MARGIN), np.uint8)
    for top in range(-MARGIN, height - MARGIN, BLOCK):
        first, stop = max(top, 0), min(top + strip.shape[0], height)
        inside = strip[first - top : stop - top, MARGIN:-MARGIN]
        if arithmetic.is_luma_single:
            load_plane_in_single(image[first:stop, :width], arithmetic.plane, white=white, out=inside)
        else:
            load_plane(image[first:stop, :width], arithmetic.plane, white=white, rounded=True, out=inside)
        if top < 0:
            strip[:MARGIN] = strip[2 * MARGIN - 1 : MARGIN - 1 : -1]
        if stop == height:
            strip[-MARGIN:] = strip[-MARGIN - 1 : -2 * MARGIN - 1 : -1]
        strip[:, :MARGIN] = strip[:, 2 * MARGIN - 1 : MARGIN - 1 : -1]
        strip[:, -MARGIN:] = strip[:, -MARGIN - 1 : -2 * MARGIN - 1 : -1]
        yield strip


def halving_weights() -> Float64[np.ndarray, "8"]:
    """Weights of the eight pixels around the middle between the fourth and the fifth.

    Keys's cubic with a = -0.5, widened twofold against aliasing, as MATLAB's imresize(image, 0.5).

    Example:
        >>> (256 * halving_weights()).tolist()
        [-3.0, -9.0, 29.0, 111.0, 111.0, 29.0, -9.0, -3.0]
    """
    d = np.abs(np.arange(8) - 3.5) / 2
    near = 1.5 * d**3 - 2.5 * d**2 + 1
    far = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return np.where(d <= 1, near, far) / 2


@functools.cache
def shape_table() -> Float64[np.ndarray, "4 9801"]:
    """Tabulate over the shapes a = 0.2, 0.201, ... 10 what the fit needs.

    Returns:
        Rows: a; Gamma(2/a)^2 / (Gamma(1/a) Gamma(3/a)), rising; sqrt(Gamma(1/a) / Gamma(3/a)); Gamma(2/a) / Gamma(1/a).

    Example:
        >>> shape_table()[:, 1800].round(6).tolist()  # a = 2, the Gaussian: 2/pi, sqrt(2), 1/sqrt(pi)
        [2.0, 0.63662, 1.414214, 0.56419]
    """
    shapes = 0.2 + 0.001 * np.arange(9801)
    one, two, three = (np.array([math.lgamma(k / shape) for shape in shapes]) for k in (1, 2, 3))
    return np.stack([shapes, np.exp(2 * two - one - three), np.exp((one - three) / 2), np.exp(two - one)])
