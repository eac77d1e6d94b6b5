"""The net that is trained: our own, or that of any model file that spandrel reads, with what its file must say."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from raim.errors import InputError
from raim.networks.halfnet import HALF, HalfNet, HalfNetShape
from raim.restore.model_file import load_network
from raim.restore.trained_file import HALFNET, load_halfnet
from raim.restore.training.recipe import ModelChoice


@dataclass(frozen=True, kw_only=True, slots=True)
class Trainable:
    """A net from (b, 3, h, w) in [0, 1] to (b, 3, scale h, scale w), whose patches have sides of a `multiple`.

    `architecture` is what the result's file says of it.
    """

    network: nn.Module
    architecture: Mapping[str, Any]
    scale: int = 1
    multiple: int = 1

    @property
    def n_parameters(self) -> int:
        """How many numbers are learned."""
        return sum(each.numel() for each in self.network.parameters())


def build_trainable(choice: ModelChoice, seed: int) -> Trainable:
    """Make the net with its first weights, those of a new halfnet by a seed.

    Raises:
        InputError: The file to start from is missing, damaged, or not of the stated architecture.
        MissingExtraError: spandrel is needed and not installed.
    """
    model = _build(choice, seed)
    names = [name.removeprefix("network.") for name, _ in model.network.named_parameters()]
    unknown = [layer for layer in choice.layers if not any(name.startswith(layer) for name in names)]
    if unknown:
        known = ", ".join(dict.fromkeys(name.split(".")[0] for name in names))
        raise InputError(
            f"this model has no layer {unknown[0]!r}; the names of its layers begin with: {known}"
        )
    for name, parameter in zip(names, model.network.parameters(), strict=True):
        parameter.requires_grad_(not choice.layers or name.startswith(choice.layers))
    return model


def _build(choice: ModelChoice, seed: int) -> Trainable:
    if choice.start is not None and not choice.start.is_file():
        raise InputError(
            f"there is no model file {choice.start} to start from; train it first, or name another"
        )
    if choice.architecture == "file" and choice.start is not None:
        return _build_from_file(choice.start)
    torch.manual_seed(seed)
    shape = HalfNetShape(channels=choice.channels, blocks=choice.blocks)
    if choice.start is None:
        network = HalfNet(shape)
    else:
        network = copy.deepcopy(load_halfnet(choice.start, choice.start.stat().st_mtime_ns))
        shape = network.shape
    architecture = {"name": HALFNET, "channels": shape.channels, "blocks": shape.blocks}
    return Trainable(network=network, architecture=architecture, multiple=HALF)


class _Bare(nn.Module):  # type: ignore[misc] # torch is not typed for the checker
    """Calls a net of spandrel and makes sure that it gives a picture."""

    def __init__(self, name: str, network: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        restored = self.network(x)
        if not isinstance(restored, Tensor) or restored.ndim != 4:
            raise InputError(
                f"{self.name} gives more than a picture while it is trained; raim cannot train it"
            )
        return restored


def _build_from_file(path: Path) -> Trainable:
    model = load_network(path)
    return Trainable(
        network=_Bare(
            path.name, copy.deepcopy(model.model)
        ),  # others who name the file are given the loaded one
        architecture={"name": "file", "spandrel": model.architecture.name},
        scale=model.scale,
        multiple=max(1, model.size_requirements.multiple_of),
    )


def arrays_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Return the weights as arrays, under the names by which the architecture is recognised."""
    inner = network.network if isinstance(network, _Bare) else network
    return {
        name: np.array(tensor.detach().cpu().numpy(), order="C")
        for name, tensor in inner.state_dict().items()
    }
