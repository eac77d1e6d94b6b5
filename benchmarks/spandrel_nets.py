"""Nets of spandrel with the shapes that their authors publish, or small ones, and weights from a seed.

Random weights say whether raim runs a net right: sizes, tiles, memory, time. They say nothing of what it restores.
What begins near 0 and grows in training is given the size of a trained one: matrices of transformers, which would
hardly attend else, and NAFNet's beta and gamma, without which it does nothing. The last layer is scaled so that what
the net adds has a standard deviation of `SPREAD`, else the gate of results would refuse most of it.
"""

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

SPREAD = 0.02  # of values in [0, 1]: about 5 levels of 255
SIDE = 64  # of the picture by which the last layer is scaled
SIX = [6] * 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Net:
    """An architecture in two sizes.

    Attributes:
        name: As in tables.
        module: Of the class, which bears the architecture's name.
        last: The last layer.
        published: Sizes as published.
        small: Sizes that run in a second.
        which: Which published model has these sizes.
    """

    name: str
    module: str
    last: str
    published: Mapping[str, Any]
    small: Mapping[str, Any]
    which: str


_SWIN = {"window_size": 8, "upsampler": "nearest+conv", "upscale": 4, "mlp_ratio": 2.0}
_HAT = {"window_size": 16, "upsampler": "pixelshuffle", "upscale": 4, "mlp_ratio": 2.0, "conv_scale": 0.01}
NETS = {
    net.name: net
    for net in (
        Net(
            name="SwinIR",
            module="spandrel.architectures.SwinIR",
            last="conv_last",
            published={**_SWIN, "embed_dim": 180, "depths": SIX, "num_heads": SIX},
            small={**_SWIN, "embed_dim": 12, "depths": [2], "num_heads": [2]},
            which="SwinIR-M x4, real-world",
        ),
        Net(
            name="HAT",
            module="spandrel.architectures.HAT",
            last="conv_last",
            published={**_HAT, "embed_dim": 180, "depths": SIX, "num_heads": SIX},
            small={**_HAT, "embed_dim": 12, "depths": [2], "num_heads": [2], "squeeze_factor": 6},
            which="HAT x4",
        ),
        Net(
            name="DAT",
            module="spandrel.architectures.DAT",
            last="conv_last",
            published={"embed_dim": 180, "split_size": [8, 32], "depth": SIX, "num_heads": SIX, "upscale": 4},
            small={"embed_dim": 32, "split_size": [8, 16], "depth": [2], "num_heads": [2], "upscale": 2},
            which="DAT x4",
        ),
        Net(
            name="SCUNet",
            module="spandrel.architectures.SCUNet",
            last="m_tail.0",
            published={},
            small={"config": [1] * 7, "dim": 64},
            which="SCUNet, colour",
        ),
        Net(
            name="NAFNet",
            module="spandrel.architectures.NAFNet",
            last="ending",
            published={
                "width": 64,
                "middle_blk_num": 1,
                "enc_blk_nums": [1, 1, 1, 28],
                "dec_blk_nums": [1] * 4,
            },
            small={"width": 8, "middle_blk_num": 1, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]},
            which="NAFNet-GoPro, width 64",
        ),
        Net(
            name="Restormer",
            module="spandrel_extra_arches.architectures.Restormer",
            last="output",
            published={},
            small={"dim": 8, "num_blocks": [1, 1, 1, 1], "num_refinement_blocks": 1},
            which="Restormer, motion deblurring",
        ),
    )
}


def write_net(path: Path, net: Net, sizes: Mapping[str, Any], *, seed: int = 0) -> int:
    """Write a net with random weights as a state dict.

    Returns:
        The number of its parameters.

    Raises:
        ModuleNotFoundError: spandrel is not installed, or for Restormer spandrel_extra_arches.
    """
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), torch.inference_mode():
        warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
        torch.manual_seed(seed)
        model = getattr(importlib.import_module(net.module), net.name)(**sizes).eval()
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight.normal_(0, module.in_features**-0.5)
        for name, parameter in model.named_parameters():
            if name.rsplit(".", 1)[-1] in {"beta", "gamma"}:
                parameter.normal_(0, 0.5)
        _scale_last(model, net)
    torch.save(model.state_dict(), path)
    return sum(parameter.numel() for parameter in model.parameters())


def _scale_last(model: torch.nn.Module, net: Net) -> None:
    """Scale the last layer, whose bias becomes 0, by what it gives for a grey picture with noise."""
    last, given = model.get_submodule(net.last), []
    if last.bias is not None:
        last.bias.zero_()
    hook = last.register_forward_hook(lambda _module, _inputs, output: given.append(output.std()))
    model(0.5 + 0.1 * torch.randn(1, 3, SIDE, SIDE))
    hook.remove()
    last.weight.mul_(SPREAD / given[-1])
