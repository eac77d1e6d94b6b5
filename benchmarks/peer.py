"""The process that is timed on the peer's side: pyiqa, called as a library with the weights that raim uses.

Run by measures.py under the interpreter that RAIM_PEERS_PYTHON names:
python peer.py KIND CASE.json WARM_UP.json WEIGHTS.npz, where KIND is the name of a measure or "whole".
The settings are those of the profile raim-2024: 4 px cut off each side, PSNR and SSIM on luma, the others on RGB.
A measure alone gets tensors that are ready, which is to the peer's favour; "whole" begins with the files.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyiqa
import scipy.io
import torch
import torchvision
from pyiqa.archs import dists_arch, lpips_arch

from material import Case
from turns import Values, take_turns

BORDER_PX = 4
LUMA = {"test_y_channel": True, "color_space": "ycbcr"}
NAMES = ("psnr", "ssim", "lpips", "dists", "niqe")

Weights = Mapping[str, np.ndarray]


def use_local_weights(weights: Weights) -> None:
    """Let pyiqa build its nets without a download: the backbones come from `weights`, the heads are set afterwards."""
    for backbone in ("alexnet", "vgg16"):
        constructor = getattr(torchvision.models, backbone)
        setattr(torchvision.models, backbone, _filled(constructor, _part(weights, backbone)))
    for module in (lpips_arch, dists_arch):
        module.load_pretrained_network = lambda *_args, **_options: None


def _filled(constructor: Callable[..., Any], convolutions: Weights) -> Callable[..., Any]:
    """Wrap torchvision's constructor: the convolutions of what it makes hold the given weights."""

    def construct(*_args: object, **_options: object) -> Any:
        net = constructor(weights=None)
        layers = [layer for layer in net.features if isinstance(layer, torch.nn.Conv2d)]
        for index, layer in enumerate(layers):
            parameters = {key: torch.tensor(convolutions[f"conv{index}.{key}"]) for key in ("weight", "bias")}
            layer.load_state_dict(parameters)
        return net

    return construct


def _part(weights: Weights, name: str) -> dict[str, np.ndarray]:
    return {key.split("/")[1]: value for key, value in weights.items() if key.startswith(f"{name}/")}


def make_measure(name: str, weights: Weights) -> Callable[..., torch.Tensor]:
    """Make one of pyiqa's measures with the profile's settings and the true weights."""
    if name in {"psnr", "ssim"}:
        return pyiqa.create_metric(name, device="cpu", **LUMA)
    if name == "niqe":
        return _make_niqe(_part(weights, "niqe"))
    metric = pyiqa.create_metric(name, device="cpu")
    if name == "lpips":
        for key, head in _part(weights, "lpips-heads-alexnet").items():
            getattr(metric.net, key).model[-1].weight.data.copy_(torch.tensor(head).reshape(1, -1, 1, 1))
    else:
        for key, values in _part(weights, "dists").items():
            getattr(metric.net, key).data.copy_(torch.tensor(values).reshape(1, -1, 1, 1))
    return metric.eval()


def _make_niqe(model: Weights) -> Callable[..., torch.Tensor]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "niqe.mat"
        content = {"mu_prisparam": model["mean"].reshape(1, -1), "cov_prisparam": model["covariance"]}
        scipy.io.savemat(path, content)
        return pyiqa.create_metric("niqe", device="cpu", pretrained_model_path=str(path))


def read_tensor(path: Path) -> torch.Tensor:
    """Read an image as (1, 3, h, w) in [0, 1] without its border."""
    pixels = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    inner = pixels[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX]
    return torch.from_numpy(np.ascontiguousarray(inner)).permute(2, 0, 1)[None].float() / 255


def prepare(
    kind: str, measures: Mapping[str, Callable[..., torch.Tensor]], case: Case
) -> Callable[[], Values]:
    """Make what a turn runs."""
    paths = [case.only_file(case.restored[0]), case.only_file(case.reference)]

    def compute(restored: torch.Tensor, reference: torch.Tensor) -> Values:
        return {
            name: (measure(restored) if name == "niqe" else measure(restored, reference)).item()
            for name, measure in measures.items()
        }

    if kind == "whole":
        return lambda: compute(*map(read_tensor, paths))
    tensors = [read_tensor(path).contiguous() for path in paths]
    return lambda: compute(*tensors)


def main() -> None:
    """Warm up, then take turns, on one thread."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    cv2.setNumThreads(1)
    kind = sys.argv[1]
    case, warm_up = (Case.from_dict(json.loads(Path(path).read_text())) for path in sys.argv[2:4])
    weights = dict(np.load(sys.argv[4]))
    use_local_weights(weights)
    measures = {name: make_measure(name, weights) for name in (NAMES if kind == "whole" else (kind,))}
    prepare(kind, measures, warm_up)()
    take_turns(prepare(kind, measures, case))


if __name__ == "__main__":
    main()
