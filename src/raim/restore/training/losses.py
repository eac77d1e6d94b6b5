"""What training makes small: L1, measures, and SCORE itself, as one sum with its terms.

A measure of a profile counts as how far it is from where it gives its whole weight,

    loss = (one_at - value) / (one_at - zero_at)            0 at `one_at`, 1 at `zero_at`

and SCORE as (best - SCORE) / 100 = sum of weight loss / 100, where best is the sum of the weights.

NIQE sees no reference, so a net could lower it by patterns that no scene has. Three things stand against that. It
counts down to what clean photographs measure only, or to the value r of the batch's references where that is lower,
and what is below costs:

    bound = min(r, floor)        counted = max(n, bound) + guard max(bound - n, 0)

Patches that hold two blocks of 96 pixels are measured each by itself, as a photograph would be; smaller ones together
(`raim.metrics.niqe_together`). And L1 beside it holds every pixel to its reference.

Source: SCORE as in `raim.scoring.profiles`; the bound is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from raim.errors import UnscorableError
from raim.metrics import find_measure, niqe_together
from raim.metrics.niqe_features import BLOCK
from raim.restore.training.recipe import LossChoice
from raim.scoring import MeasureChoice, find_profile

PSNR_EPSILON = 1e-8  # keeps the gradient of a perfect patch finite; that of the profile `raim-2024`
MOST_NIQE = 30.0  # of a patch; beyond it is nearly flat, and its gradient would drown all others
Images = Float[Tensor, "b 3 h w"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """The loss of a batch, and the terms that it is the sum of, by name, each with its weight."""

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]]


def compute_loss(choice: LossChoice, restored: Images, reference: Images) -> Loss:
    """Compute the loss of a batch; one too flat for NIQE goes without that term.

    Restored values outside [0, 1] are measured as clipped and learn as if they were not.

    Example:
        >>> reference = torch.rand(2, 3, 64, 64)
        >>> loss = compute_loss(LossChoice(l1=2.0), reference * 0.5, reference)
        >>> list(loss.terms), bool(loss.total.isclose(reference.mean()))
        (['l1'], True)
    """
    terms = {"l1": choice.l1 * (restored - reference).abs().mean()} if choice.l1 else {}
    profile = find_profile(choice.profile)
    clipped = restored + (restored.clamp(0, 1) - restored).detach()
    border = profile.border_px
    inner = [
        images[..., border : images.shape[2] - border, border : images.shape[3] - border]
        for images in (clipped, reference)
    ]
    score = restored.new_zeros(())
    for measure in profile.measures:
        own = choice.measures.get(measure.name, 0.0)
        if not (own or choice.score):
            continue
        term = compute_term(measure, *inner, floor=choice.niqe_floor, guard=choice.niqe_guard)
        score = score + choice.score * measure.weight / 100 * term
        if own:
            terms[measure.name] = own * term
    if choice.score:
        terms["score"] = score
    return Loss(total=torch.stack(list(terms.values())).sum(), terms=terms)


def compute_term(
    measure: MeasureChoice, restored: Images, reference: Images, *, floor: float, guard: float
) -> Float[Tensor, ""]:
    """Compute how far a measure is from where it gives its whole weight, as the mean of a batch in [0, 1].

    Example:
        >>> from raim.scoring import find_profile
        >>> reference = torch.zeros(1, 3, 16, 16)
        >>> psnr = find_profile("raim-2026-hdr").measures[0]
        >>> round(compute_term(psnr, reference + 0.1, reference, floor=3.0, guard=1.0).item(), 4)
        0.6
    """
    options: dict[str, Any] = dict(measure.options)
    if measure.name == "niqe":
        value = _count_niqe(restored, reference, options, floor=floor, guard=guard)
        if value is None:
            return restored.new_zeros(())
    else:
        record = find_measure(measure.name)
        if "epsilon" in record.options:
            options = {"epsilon": PSNR_EPSILON} | options
        value = record.tensor_form(restored, reference, **options).mean()
    return (measure.one_at - value) / (measure.one_at - measure.zero_at)


def _count_niqe(
    restored: Images, reference: Images, options: Mapping[str, Any], *, floor: float, guard: float
) -> Tensor | None:
    """Return the mean of what NIQE counts; None where no patch has a value."""
    blocks = (restored.shape[2] // BLOCK) * (restored.shape[3] // BLOCK)
    size = 1 if blocks > 1 else len(restored)  # patches that are measured together
    counted = []
    for one, other in zip(restored.split(size), reference.split(size), strict=True):
        try:
            bound = niqe_together(other, **options).clamp(max=floor)
            value = niqe_together(one, **options).clamp(max=MOST_NIQE)
        except UnscorableError:
            continue
        counted.append(torch.maximum(value, bound) + guard * (bound - value).clamp(min=0))
    return torch.stack(counted).mean() if counted else None
