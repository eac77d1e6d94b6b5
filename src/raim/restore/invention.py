"""The guard against invention: what a restored photograph shows that does not follow from its input.

A restored photograph y explains its input x where x = k * y + noise, k being how the input was blurred. So k is
measured, y is brought back, b = k * y, and of what is left, r = x - b, that part counts that lies along b:

    added = -<r, b> / |b|,  at least 0 and at most |b|,    over blocks of 16 x 16 pixels

with <., .> and |.| as mean product and root of the mean square about the mean of 5 x 5 blocks. Noise and texture that
were taken away stand in x and not in b, so they do not count, however strong; what was painted in stands in b and, with
the other sign, in r. A block does not follow from the input where `added` is above

    sqrt((2/255)^2 + n^2),  n = what is left of the input's noise at half the size (`estimate_flat_noise` / 2)

All of it happens in luma, since cameras and JPEG blur colours more than light, which nets undo; and at half the size of
the input (results that are enlarged are averaged down to it), since in the finest octave noise cannot be separated from
detail. `raim.restore.blur` measures k, which reaches up to 15 pixels of the input. The
outermost blocks are not judged: light from beyond the border is blurred into them.

Source: raim; the test of back projection (a result, degraded, must give its input) is that of Irani, Peleg, "Improving
resolution by image registration", CVGIP 53(3), 1991. docs/restorers.md has what it finds on real photographs.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from raim.errors import InputError
from raim.restore.blur import bring_back
from raim.restore.noise import FLATTEST, measure_residuals
from raim.restore.pixels import AnyPixels, sum_blocks
from raim.restore.spectrum import LUMA

FACTOR = 2  # of the size at which all is compared
BLOCK_PX = 8  # there
NEIGHBOURS = 2  # blocks on each side whose mean is taken off
LEAST_SIDE_PX = 3 * BLOCK_PX
FLOOR = 2 / 255  # of what is seen, and rounding

Plane = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Invention:
    """What does not follow from the input.

    Attributes:
        added: Root mean square, of full range, of what was added to each block, from the top left; 0 in the outermost
            blocks. What makes no whole block at the right and lower ends is left out.
        threshold: What noise and rounding explain of it.
        block_px: Side of a block, in pixels of the result.
    """

    added: Float32[np.ndarray, "rows columns"]
    threshold: float
    block_px: int

    @property
    def mask(self) -> np.ndarray:
        """The blocks that do not follow from the input, as booleans (rows, columns)."""
        return self.added > self.threshold

    @property
    def share(self) -> float:
        """Their share of all blocks."""
        return float(self.mask.mean())

    @property
    def worst(self) -> tuple[int, int]:
        """The middle of the block to which most was added: x and y in pixels of the result."""
        row, column = np.unravel_index(int(np.argmax(self.added)), self.added.shape)
        return int(column) * self.block_px + self.block_px // 2, int(row) * self.block_px + self.block_px // 2

    def describe(self) -> str:
        """Return it as one line.

        Example:
            >>> added = np.zeros((10, 20), np.float32)
            >>> Invention(added=added, threshold=0.01, block_px=16).describe()
            'agrees with its input'
            >>> added[2, 3:7] = 0.1
            >>> Invention(added=added, threshold=0.01, block_px=16).describe()
            '2.0 % of it does not follow from its input (most at 56, 40): detail there may be invented'
        """
        if not self.share:
            return "agrees with its input"
        x, y = self.worst
        return (
            f"{100 * self.share:.1f} % of it does not follow from its input (most at {x}, {y}): "
            "detail there may be invented"
        )


def find_invention(image: AnyPixels, restored: AnyPixels) -> Invention | None:
    """Compare a restored photograph, brought back by the measured blur, with its input.

    Args:
        image: (h, w, 3) RGB or (h, w) grey; uint8, uint16, or float in [0, 1].
        restored: Of the same kind, of a whole multiple of the size.

    Returns:
        What was added; None for photographs of less than 48x48 pixels, which hold too little to measure a blur.

    Raises:
        InputError: The restored is of another kind, or not a whole multiple as large.

    Example:
        >>> image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        >>> find_invention(image, image).describe()
        'agrees with its input'
        >>> painted = image.copy()
        >>> painted[48:64, 80:96] = np.indices((16, 16)).sum(axis=0)[..., None] // 4 % 2 * 255
        >>> find_invention(image, painted).worst
        (88, 56)
    """
    scale = _find_scale(image, restored)
    height, width = (side // FACTOR // BLOCK_PX * BLOCK_PX for side in image.shape[:2])
    if min(height, width) < LEAST_SIDE_PX:
        return None
    before = reduce_pixels(image, FACTOR, height, width)
    # What is left of the noise at half the size: that of the blocks, whose threshold it is a part of.
    threshold = math.hypot(FLOOR, measure_residuals(before, (FLATTEST,))[0] / 255)
    after = reduce_pixels(restored, FACTOR * scale, height, width) @ LUMA
    added = measure_added(before @ LUMA, after)
    return Invention(added=added, threshold=threshold, block_px=BLOCK_PX * FACTOR * scale)


def _find_scale(image: AnyPixels, restored: AnyPixels) -> int:
    scale = restored.shape[0] // image.shape[0]
    expected = (image.shape[0] * scale, image.shape[1] * scale, *image.shape[2:])
    if not scale or restored.shape != expected or restored.dtype != image.dtype:
        raise InputError(
            f"the restored is {restored.dtype} of shape {restored.shape}, its input {image.dtype} of shape "
            f"{image.shape}; expected the same kind, and the same size or a whole multiple"
        )
    return scale


def reduce_pixels(
    pixels: AnyPixels, factor: int, height: int, width: int
) -> Float32[np.ndarray, "{height} {width} 3"]:
    """Average blocks of pixels, of any kind, to float32 (height, width, 3) in [0, 1]; the rest is left out.

    Example:
        >>> reduce_pixels(np.array([[0, 255, 7], [51, 204, 7]], np.uint8), 2, 1, 1)
        array([[[0.5, 0.5, 0.5]]], dtype=float32)
    """
    largest = 1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    mean = sum_blocks(pixels[: height * factor, : width * factor], factor)
    mean /= np.float32(factor * factor * largest)
    return mean if mean.ndim == 3 else np.repeat(mean[..., None], 3, axis=2)


def measure_added(before: Plane, after: Plane) -> Float32[np.ndarray, "rows columns"]:
    """Measure what was added to each block of 8x8 pixels, of two lumas of at least 3x3 whole blocks."""
    rows, columns = (side // BLOCK_PX for side in before.shape[:2])
    means = np.zeros((4, rows, columns))  # over blocks, of r, b, r b and b b
    for window, brought in bring_back(before, after):
        rest = before[window.rows, window.columns] - brought
        place = tuple(
            slice(part.start // BLOCK_PX, part.stop // BLOCK_PX) for part in (window.rows, window.columns)
        )
        for total, product in zip(means, (rest, brought, rest * brought, brought * brought), strict=True):
            tall, wide = (side // BLOCK_PX for side in product.shape[:2])
            total[place] = product.reshape(tall, BLOCK_PX, wide, BLOCK_PX).mean(axis=(1, 3))
    rest, brought, both, square = means
    own, near = average_neighbours(rest), average_neighbours(brought)
    covariance = both - own * brought - near * rest + own * near
    deviation = np.sqrt(np.maximum(square - 2 * near * brought + near * near, 1e-12))
    added = np.zeros((rows, columns), np.float32)
    inner = slice(1, -1), slice(1, -1)
    added[inner] = np.clip(-covariance / deviation, 0, deviation)[inner]
    return added


def average_neighbours(
    blocks: Float64[np.ndarray, "rows columns"],
) -> Float64[np.ndarray, "rows columns"]:
    """Return the mean of 5x5 blocks around each; those at the border are repeated beyond it."""
    side = 2 * NEIGHBOURS + 1
    padded = np.pad(blocks, NEIGHBOURS, mode="edge")
    windows: np.ndarray = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return windows.mean(axis=(2, 3))
