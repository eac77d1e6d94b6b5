"""`auto`: the restorer that fits what is measured in the photograph, and why.

    noise in flat places, and at the finest scale  ->  ffdnet; a quarter of the grain stays
    else, no detail at the finest scale            ->  real-esrgan-x4plus, reduced by 4
    else                                           ->  identity: sharp and clean, every restorer would take from it

A photograph without fine noise but with coarse one has been enlarged or blurred afterwards, and what looks like noise
is texture. A quarter of the grain stays because measures, like people, take a surface without any for smeared.

The numbers were chosen by SCORE on 30 pairs of real photographs from ten sources; docs/restorers.md has what comes
out where a source is judged by numbers chosen without it.
"""

from dataclasses import dataclass

from raim.restore.classical import IDENTITY
from raim.restore.composition import blend
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.ffdnet import STRONGEST, ffdnet
from raim.restore.inspection import Inspection, inspect_photograph
from raim.restore.reduction import reduced

NAME = "auto"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The numbers of `auto`.

    Attributes:
        least_noise: Noise in flat places, of 255, from which a photograph is denoised.
        least_fine_noise: White noise, of 255, that must be there too.
        noise_gain: Sigma that FFDNet is told, over the noise in flat places, which smoothing has weakened.
        share: Of the restored photograph; the rest is the input.
        most_bandwidth: Bandwidth below which a photograph without noise is reduced and enlarged again.
        reduction: The factor of that.
    """

    least_noise: float = 1.0
    least_fine_noise: float = 0.35
    noise_gain: float = 3.2
    share: float = 0.75
    most_bandwidth: float = 0.6
    reduction: int = 4


RULES = Rules()


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What is to be done.

    Attributes:
        restorer: "identity", "ffdnet" or "enlarge".
        sigma: For ffdnet, of 255.
        reduction: For the one that enlarges.
        share: Of what it gives; the rest is the input.
        reason: Why, in one sentence.
    """

    restorer: str
    sigma: float = 0.0
    reduction: int = 1
    share: float = 1.0
    reason: str = ""


def choose(measured: Inspection, rules: Rules = RULES) -> Choice:
    """Choose what fits a photograph.

    Args:
        measured: See `inspect_photograph`.
        rules: The numbers.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).normal(0.5, 10 / 255, (256, 256, 3)).astype(np.float32)
        >>> choose(inspect_photograph(noise)).restorer
        'ffdnet'
    """
    noise, bandwidth = measured.flat_noise, measured.bandwidth
    if noise >= rules.least_noise and measured.noise >= rules.least_fine_noise:
        sigma = min(rules.noise_gain * noise, STRONGEST)
        return Choice(
            restorer="ffdnet",
            sigma=sigma,
            share=rules.share,
            reason=f"{rules.share:.0%} ffdnet at sigma {sigma:.1f}, because flat places have a noise of {noise:.1f}",
        )
    if bandwidth < rules.most_bandwidth:
        return Choice(
            restorer="enlarge",
            reduction=rules.reduction,
            reason=f"real-esrgan-x4plus, reduced by {rules.reduction}, because detail ends at {bandwidth:.2f} of what "
            f"the size could hold and flat places have a noise of {noise:.1f}",
        )
    return Choice(
        restorer="identity",
        reason=f"left as it is, because it is sharp (detail up to {bandwidth:.2f} of what the size could hold) and "
        f"flat places have a noise of {noise:.1f}",
    )


def auto(enlarger: Restorer, *, rules: Rules = RULES) -> Restorer:
    """Describe `auto`.

    Args:
        enlarger: The restorer for photographs without fine detail.
        rules: The numbers.
    """
    small = reduced(enlarger, rules.reduction)

    def find_restorer(choice: Choice) -> Restorer:
        if choice.restorer == "ffdnet":
            return blend(ffdnet(choice.sigma), choice.share)
        return small if choice.restorer == "enlarge" else IDENTITY

    def compute(image: Photograph, context: Context) -> Photograph:
        measured = inspect_photograph(image)
        choice = choose(measured, rules)
        context.on_note(f"{choice.reason} (measured: {measured.describe()})")
        return find_restorer(choice).run(image, context)

    denoiser = ffdnet()
    return Restorer(
        name=NAME,
        purpose="measure the photograph, choose what fits it, say why",
        compute=compute,
        source="raim, with ffdnet and real-esrgan-x4plus",
        weights=(*denoiser.weights, *enlarger.weights),
        # Of its slowest choice.
        seconds_per_megapixel=small.seconds_per_megapixel,
        seconds_by_reduction=small.seconds_by_reduction,
        devices=enlarger.devices,
        parts=((1, denoiser), (1, small)),
    )
