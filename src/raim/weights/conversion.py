"""From a published artifact to arrays named as raim names them. One function for each form of publication.

The artifact is the pinned one, and the arrays that come out are compared with the pinned ones, so nothing between
is checked. Nothing is unpacked to disk.
"""

import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from raim.weights.ncnn_format import read_ncnn_rrdbnet
from raim.weights.pickles import read_pickle
from raim.weights.table import WeightSet
from raim.weights.tfjs_format import read_tfjs_maxim

Tensors = dict[str, np.ndarray]


def read_members(artifact: Path, weights: WeightSet) -> dict[str, bytes]:
    """Give a set's published files by name, in the order of the table, out of its archive."""
    paths = [member.path for member in weights.members]
    found: dict[str, bytes] = {}
    if artifact.name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(artifact) as archive:
            for info in archive:
                if info.name in paths and (stream := archive.extractfile(info)):
                    found[info.name] = stream.read()
    else:
        with zipfile.ZipFile(artifact) as archive:
            found = {path: archive.read(path) for path in paths}
    return {member.file_name: found[member.path] for member in weights.members}


def flax_convolutions(data: bytes) -> Tensors:
    """Give the convolutions of a flax network: kernels (h, w, in, out) become (out, in, h, w)."""
    tensors = {}
    for key, value in read_pickle(data).items():
        match = re.fullmatch(r"(?:VGG16|AlexNet)_0/Conv_(\d+)/(kernel|bias)", key)
        if match and match[2] == "kernel":
            tensors[f"conv{match[1]}.weight"] = value.transpose(3, 2, 0, 1)
        elif match:
            tensors[f"conv{match[1]}.bias"] = value
    return tensors


def lpips_heads(data: bytes) -> Tensors:
    """Give the five linear heads of LPIPS, (1, c, 1, 1) in the checkpoint, as (c,) each."""
    checkpoint = read_pickle(data)
    return {f"lin{i}": checkpoint[f"lin{i}.model.1.weight"].reshape(-1) for i in range(5)}


def dists_weights(data: bytes) -> Tensors:
    """Give alpha and beta of DISTS, (1, 1475, 1, 1) in the checkpoint, as (1475,) each."""
    return {key: value.reshape(-1) for key, value in read_pickle(data).items() if key in ("alpha", "beta")}


def niqe_model(data: bytes) -> Tensors:
    """Give mean (36,) and covariance (36, 36) of NIQE's pristine model, float64."""
    with np.load(io.BytesIO(data), allow_pickle=False) as model:
        return {"mean": model["mu_pris_param"].reshape(-1), "covariance": model["cov_pris_param"]}


def torch_state(data: bytes) -> Tensors:
    """Give a torch state dict with its own names; `params` around it is taken off."""
    return {key.removeprefix("params/"): value for key, value in read_pickle(data).items()}


CONVERSIONS: Mapping[str, Callable[..., Tensors]] = {
    "flax-convolutions": flax_convolutions,
    "lpips-heads": lpips_heads,
    "dists-weights": dists_weights,
    "niqe-model": niqe_model,
    "torch-state": torch_state,
    "ncnn-rrdbnet": read_ncnn_rrdbnet,
    "tfjs-maxim": read_tfjs_maxim,
}


def convert(conversion: str, members: Mapping[str, bytes]) -> Tensors:
    """Run one conversion by its name in the table; give C-contiguous arrays by raim's name."""
    tensors = CONVERSIONS[conversion](*members.values())
    return {name: np.asarray(value, order="C") for name, value in tensors.items()}
