"""Restorers made of restorers: one after another, or mixed with the input."""

import dataclasses
import itertools
import math
import operator
from collections.abc import Iterable, Sequence

import numpy as np

from raim.errors import InputError
from raim.restore.descriptor import Context, Photograph, Restorer


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

    def compute(image: Photograph, context: Context) -> Photograph:
        for index, restorer in enumerate(restorers):
            image = restorer.run(image, _part(context, restorers, index))
        return image

    return Restorer(
        name=",".join(restorer.name for restorer in restorers),
        purpose="one after another",
        compute=compute,
        scale=math.prod(restorer.scale for restorer in restorers),
        is_external=any(restorer.is_external for restorer in restorers),
        licence=_join(restorer.licence for restorer in restorers),
        source=_join(restorer.source for restorer in restorers),
        weights=tuple(dict.fromkeys(name for restorer in restorers for name in restorer.weights)),
        seconds_per_megapixel=sum(_costs(restorers)),
        seconds_by_reduction=_costs_by_reduction(restorers),
        devices=tuple(d for d in restorers[0].devices if all(d in r.devices for r in restorers)),
        parts=tuple(zip(_sizes(restorers), restorers, strict=True)),
    )


def _join(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _sizes(restorers: Sequence[Restorer]) -> list[int]:
    """List the size of what each step is given over that of the chain's input."""
    return list(itertools.accumulate((each.scale for each in restorers[:-1]), operator.mul, initial=1))


def _costs(restorers: Sequence[Restorer]) -> list[float]:
    """Give each step's seconds per megapixel of the chain's input."""
    sizes = _sizes(restorers)
    return [each.seconds_per_megapixel * size**2 for each, size in zip(restorers, sizes, strict=True)]


def _costs_by_reduction(restorers: Sequence[Restorer]) -> dict[int, float]:
    """Give the same of the whole chain for each factor of those that reduce."""
    factors = sorted({factor for restorer in restorers for factor in restorer.seconds_by_reduction})
    return {
        factor: sum(
            _costs(
                [
                    dataclasses.replace(each, seconds_per_megapixel=each.seconds_by_reduction[factor])
                    if factor in each.seconds_by_reduction
                    else each
                    for each in restorers
                ]
            )
        )
        for factor in factors
    }


def _part(context: Context, restorers: Sequence[Restorer], index: int) -> Context:
    """Make the context of one step, whose progress is its part of the whole."""
    costs = _costs(restorers)
    start, share = sum(costs[:index]) / sum(costs), costs[index] / sum(costs)
    return dataclasses.replace(context, on_progress=lambda done: context.on_progress(start + share * done))


def blend(restorer: Restorer, share: float) -> Restorer:
    """Mix what a restorer of scale 1 gives with its input.

    Args:
        restorer: Of scale 1.
        share: Of the restored, 0 to 1.

    Raises:
        InputError: The scale is not 1, or the share not in [0, 1].

    Example:
        >>> from raim.restore import find_restorer
        >>> half = blend(find_restorer("identity"), 0.5)
        >>> float(half.run(np.ones((8, 8, 3), np.float32), Context())[0, 0, 0])
        1.0
    """
    if restorer.scale != 1 or not 0 <= share <= 1:
        raise InputError(
            f"{restorer.name} of scale {restorer.scale} cannot be mixed with a share of {share:g}; expected scale 1 "
            "and a share from 0 to 1"
        )

    def compute(image: Photograph, context: Context) -> Photograph:
        restored = restorer.run(image, context)
        if restored.shape != image.shape:
            raise InputError(
                f"{restorer.name} enlarges; only what keeps the size can be mixed with its input"
            )
        return image + np.float32(share) * (restored - image)

    return dataclasses.replace(restorer, name=f"{share:.0%} {restorer.name}", compute=compute)
