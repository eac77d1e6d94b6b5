"""What a number depends on besides the two files: the same text in cache keys and in result files."""

import functools
import importlib.metadata
from typing import Any

from raim.metrics import MEASURES
from raim.scoring.profiles import MeasureChoice, Profile
from raim.weights import weights_sha256


def measure_definition(choice: MeasureChoice, border_px: int, device: str) -> dict[str, Any]:
    """Give all that a measured value depends on, as plain values.

    Example:
        >>> choice = MeasureChoice(name="psnr", options={"colour": "y"}, weight=20, zero_at=0, one_at=50)
        >>> measure_definition(choice, 4, "cpu")
        {'options': {'colour': 'y'}, 'border_px': 4, 'weights': {}, 'engine': None}
    """
    measure = MEASURES[choice.name]
    return {
        "options": dict(choice.options),
        "border_px": border_px,
        "weights": {name: weights_sha256(name) for name in measure.weights(choice.options)},
        "engine": describe_engine(device) if measure.each_form else None,
    }


def profile_weights(profile: Profile) -> dict[str, str]:
    """Give the SHA-256 of every set of weights that a profile uses.

    Example:
        >>> from raim.scoring.profiles import find_profile
        >>> sorted(profile_weights(find_profile("raim-2026-hdr")))
        ['alexnet', 'lpips-heads-alexnet']
    """
    names = [name for choice in profile.measures for name in MEASURES[choice.name].weights(choice.options)]
    return {name: weights_sha256(name) for name in names}


@functools.cache
def describe_engine(device: str) -> str:
    """Name the engine of the convolutions on a device, with its version."""
    from raim.networks.features import choose_engine

    name = choose_engine(device=device)
    version = importlib.metadata.version(name)
    return f"{name} {version}" if device == "cpu" else f"{name} {version} on {device}"
