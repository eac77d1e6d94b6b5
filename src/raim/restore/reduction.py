"""A restorer that enlarges, used at scale 1: the photograph is reduced by r, restored, brought back to its size.

A blurred or interpolated photograph of 12 megapixels may hold no more detail than one of 0.75. Reduced by the
factor that its sharpness allows, it looks to a super-resolution net like the small sharp inputs it was trained on.
The reduction averages r x r pixels (an area filter: no aliasing of what a blurred photograph still holds, and noise
falls by r). The way back from scale s to 1 is Lanczos-3 over s/r.

Source: C. Duchon, "Lanczos filtering in one and two dimensions", 1979, as in Pillow's resize.
"""

import dataclasses

import numpy as np
from PIL import Image

from raim.errors import InputError
from raim.networks.tiles import reflect
from raim.restore.capacity import check_capacity
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.pixels import resize_channel, sum_blocks
from raim.restore.spectrum import LUMA, bandwidth

FACTORS = (1, 2, 3, 4)


def reduce(image: Photograph, factor: int) -> Photograph:
    """Average blocks of `factor` x `factor` pixels; what is missing at the right and bottom is reflected.

    Example:
        >>> reduce(np.arange(8, dtype=np.float32).reshape(1, 8, 1).repeat(8, 0).repeat(3, 2), 4)[0, :, 0]
        array([1.5, 5.5], dtype=float32)
    """
    if factor == 1:
        return image
    result = sum_blocks(reflect(image, 0, factor), factor)
    result /= factor * factor
    return result


def restore_reduced(image: Photograph, restorer: Restorer, factor: int, context: Context) -> Photograph:
    """Reduce, restore, and bring back to the size of the input."""
    height, width = image.shape[:2]
    small = reduce(image, factor)
    check_capacity(restorer, *small.shape[:2], tile_px=context.tile_px)  # where the factor was measured
    restored = restorer.run(small, context)
    # The same pixels lie at the same places: sides are multiples of the factor until the last cut.
    high, wide = (side * factor for side in small.shape[:2])
    planes = (
        resize_channel(restored[..., channel], high, wide, Image.Resampling.LANCZOS)[:height, :width]
        for channel in range(3)
    )
    return np.stack(list(planes), axis=-1)


def reduced(restorer: Restorer, factor: int | None) -> Restorer:
    """Make a restorer of scale 1 from one that enlarges.

    Args:
        restorer: The one that enlarges.
        factor: 1 to 4; None for what each photograph's measured bandwidth allows.

    Raises:
        InputError: The factor is not one of 1 to 4.

    Example:
        >>> from raim.restore import find_restorer
        >>> reduced(find_restorer("bicubic-x4"), 2).name
        'bicubic-x4, reduced by 2'
    """
    if factor is not None and factor not in FACTORS:
        raise InputError(f"the reduction is {factor}; expected 1, 2, 3 or 4")

    def compute(image: Photograph, context: Context) -> Photograph:
        return restore_reduced(image, restorer, factor or choose_factor(image, context), context)

    return dataclasses.replace(
        restorer,
        name=f"{restorer.name}, reduced by {factor or 'measure'}",
        compute=compute,
        scale=1,
        is_range_known=True,  # the restorer's own results are judged within; Lanczos overshoots
        parts=((1 / (factor or max(FACTORS)), restorer),),
        whole_memory=None,
        seconds_per_megapixel=restorer.seconds_per_megapixel / (factor or 1) ** 2,
        seconds_by_reduction={each: restorer.seconds_per_megapixel / each**2 for each in FACTORS},
    )


def choose_factor(image: Photograph, context: Context) -> int:
    """Choose the reduction that an image's measured bandwidth allows, and say so."""
    measured = bandwidth(image @ LUMA)
    factor = allow_factor(measured)
    context.on_note(f"reduced by {factor}: its bandwidth is {measured:.2f} of what its size could hold")
    return factor


def allow_factor(measured: float) -> int:
    """Return the widest reduction that keeps the detail of a bandwidth (of the Nyquist frequency), at most 4.

    Example:
        >>> allow_factor(1.0), allow_factor(0.25)
        (1, 4)
    """
    return int(np.clip(np.floor(1 / max(measured, 0.25) + 0.5), 1, 4))
