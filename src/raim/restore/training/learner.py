"""What changes from step to step, the weights, their moving average, the optimizer; and the devices they are on.

Devices, precision and several processes are Lightning Fabric's.

Source: AdamW, Loshchilov and Hutter, ICLR 2019 (arXiv 1711.05101); the average of the weights, Polyak and Juditsky,
SIAM Journal on Control and Optimization 30(4), 1992.
"""

import contextlib
import copy
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from raim.devices import CPU, find_device
from raim.errors import InputError
from raim.restore.training.recipe import Schedule
from raim.restore.training.trainable import Trainable

with warnings.catch_warnings():
    # It looks for plugins by an interface of setuptools that warns of its own age.
    warnings.filterwarnings("ignore", category=UserWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    from lightning_fabric import Fabric as LightningFabric

Fabric = Any  # its methods are made at run time
# Of AdamW; the second is shorter than in other work on restoration (Zamir et al., CVPR 2022, has 0.999).
BETAS = (0.9, 0.99)


def start_fabric(device: str, devices: int, strategy: str, precision: str) -> Fabric:
    """Return Fabric on so many devices of a kind ("auto": the best that is here), or on one by its number.

    Raises:
        InputError: There is no such device here, or it cannot do that.
    """
    if devices < 1:
        raise InputError(f"{devices} devices were asked for; there must be at least 1")
    found = None if device == "auto" else find_device(device)
    kind = device if found is None else found.type
    number = None if found is None or kind == CPU else found.index
    if number is not None and devices > 1:
        raise InputError(f"{device} is one device, {devices} were asked for; take --device {kind}")
    try:
        return LightningFabric(
            accelerator="gpu" if kind == "cuda" else kind,
            devices=devices if number is None else [number],
            strategy=strategy,
            precision=precision,
        )
    except Exception as error:
        # Its own exception for this cannot be imported from one place in all versions.
        is_known = isinstance(error, (RuntimeError, ValueError, ImportError, LookupError))
        if not is_known and type(error).__name__ != "MisconfigurationException":
            raise
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"cannot train on {devices} x {device} ({reason}); take --device cpu") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Learner:
    """The weights that learn, by themselves and as Lightning Fabric calls them, their moving average, and AdamW."""

    network: nn.Module
    prepared: Any
    average: nn.Module
    optimizer: Any

    def state(self, fabric: Fabric) -> dict[str, Any]:
        """Return all that a checkpoint keeps."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.optimizer.state_dict(),
            "precision": fabric.strategy.precision.state_dict(),
        }


def prepare_learner(
    fabric: Fabric, model: Trainable, schedule: Schedule, state: Mapping[str, Any] | None
) -> Learner:
    """Bring weights and optimizer to the device: new ones, or those in the state of the last checkpoint.

    Raises:
        InputError: The checkpoint is of another model.
    """
    network = model.network.train()
    average = copy.deepcopy(network).to(fabric.device).eval()
    optimizer = torch.optim.AdamW(
        [each for each in network.parameters() if each.requires_grad],
        lr=schedule.learning_rate,
        betas=BETAS,
        weight_decay=schedule.weight_decay,
    )
    if state is not None:
        with _loading():
            network.load_state_dict(state["network"])
            average.load_state_dict(state["average"])
            fabric.strategy.precision.load_state_dict(state["precision"])
    prepared, tuned = fabric.setup(network, optimizer)
    if state is not None:  # only now: its numbers go to where the weights are
        with _loading():
            optimizer.load_state_dict(state["optimizer"])
    return Learner(network=network, prepared=prepared, average=average, optimizer=tuned)


@contextlib.contextmanager
def _loading() -> Iterator[None]:
    try:
        yield
    except (LookupError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            "the last checkpoint is of another model than the recipe makes now; put the file that model.start names "
            "back as it was, or begin again with --overwrite"
        ) from error


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, *, decay: float) -> None:
    """Move the average towards the weights; what is not learned (counts, running means) is copied."""
    learned = dict(network.named_parameters())
    for name, kept in average.named_parameters():
        kept.lerp_(learned[name].to(kept), 1 - decay)
    counted = dict(network.named_buffers())
    for name, kept in average.named_buffers():
        kept.copy_(counted[name])
