"""Restorers made of restorers: one after another, or joined with the input."""

import dataclasses
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Float32

from raim.errors import InputError
from raim.restore.classical import enlarge_channel
from raim.restore.descriptor import Context, Photograph, Restorer

Channel = Float32[np.ndarray, "h w"]
Mix = Callable[[Channel, Channel], Channel]


def chain(restorers: Sequence[Restorer]) -> Restorer:
    """Join restorers: each takes what the one before gave.

    Raises:
        InputError: There is none.

    Example:
        >>> from raim.restore import find_restorer
        >>> joined = chain([find_restorer("bicubic-x2"), find_restorer("bicubic-x4")])
        >>> joined.name, joined.scale
        ('bicubic-x2,bicubic-x4', 8)
    """
    if not restorers:
        raise InputError("a chain needs at least one restorer")
    if len(restorers) == 1:
        return restorers[0]

    sizes = list(itertools.accumulate((each.scale for each in restorers[:-1]), operator.mul, initial=1))
    costs = [
        each.seconds_per_megapixel * size**2 for each, size in zip(restorers, sizes, strict=True)
    ]  # of a megapixel of the chain's input
    factors = sorted({factor for each in restorers for factor in each.seconds_by_reduction})

    def part(context: Context, index: int) -> Context:
        """Return the context of one step, whose progress is its part of the whole."""
        start, share = sum(costs[:index]) / sum(costs), costs[index] / sum(costs)
        return dataclasses.replace(
            context, on_progress=lambda done: context.on_progress(start + share * done)
        )

    def compute(image: Photograph, context: Context) -> Photograph:
        for index, restorer in enumerate(restorers):
            image = restorer.run(image, part(context, index))
        return image

    return Restorer(
        name=",".join(restorer.name for restorer in restorers),
        purpose="one after another",
        compute=compute,
        scale=math.prod(restorer.scale for restorer in restorers),
        is_external=any(restorer.is_external for restorer in restorers),
        can_invent=any(restorer.can_invent for restorer in restorers),
        licence=_join(part for restorer in restorers for part in restorer.licence.split("; ")),
        has_weights_of_user=any(restorer.has_weights_of_user for restorer in restorers),
        source=_join(restorer.source for restorer in restorers),
        weights=tuple(dict.fromkeys(name for restorer in restorers for name in restorer.weights)),
        seconds_per_megapixel=sum(costs),
        seconds_by_reduction={
            factor: sum(
                each.seconds_by_reduction.get(factor, each.seconds_per_megapixel) * size**2
                for each, size in zip(restorers, sizes, strict=True)
            )
            for factor in factors
        },
        devices=tuple(d for d in restorers[0].devices if all(d in r.devices for r in restorers)),
        parts=tuple(zip(sizes, restorers, strict=True)),
    )


def _join(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def beside_input(restorer: Restorer, name: str, mix: Mix) -> Restorer:
    """Make a restorer whose results are joined with their input, a channel at a time so that little memory is taken.

    `mix` is given a channel of the result and the same of the input, enlarged bicubically where the restorer enlarges,
    both in [0, 1] but for the overshoot of that.
    """

    def compute(image: Photograph, context: Context) -> Photograph:
        restored = restorer.run(image, context)
        scale = restored.shape[0] // image.shape[0]
        result = np.empty_like(restored)  # the restored may be the input itself
        for channel in range(3):
            result[..., channel] = mix(restored[..., channel], enlarge_channel(image[..., channel], scale))
        return result

    return dataclasses.replace(
        restorer,
        name=name,
        compute=compute,
        is_range_known=True,  # the restorer's own results are judged within
        parts=((1, restorer),),
        whole_memory=None,
    )


def blend(restorer: Restorer, share: float) -> Restorer:
    """Mix what a restorer gives with its input, enlarged bicubically where the restorer enlarges.

    Args:
        restorer: Of any scale.
        share: Of the restored, 0 to 1: 0 gives the input exactly, 1 what the restorer gives.

    Raises:
        InputError: The share is not in [0, 1].

    Example:
        >>> from raim.restore import find_restorer
        >>> brighter = Restorer(name="brighter", purpose="", compute=lambda image, _: image + 0.2)
        >>> half = blend(brighter, 0.5)
        >>> half.name, float(half.run(np.full((8, 8, 3), 0.5, np.float32), Context())[0, 0, 0])
        ('50% brighter', 0.6000000238418579)
    """
    if not 0 <= share <= 1:
        raise InputError(
            f"the strength is {share:g}; expected a share of the restored from 0 (the input) to 1"
        )
    own, rest = np.float32(share), np.float32(1 - share)
    return beside_input(
        restorer, f"{share:.0%} {restorer.name}", lambda restored, image: own * restored + rest * image
    )
