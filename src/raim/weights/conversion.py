"""From the published files to arrays named as raim names them. One function for each form of publication."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping

import numpy as np

from raim.errors import WeightsFormatError
from raim.weights.ncnn_format import read_ncnn, rrdbnet_tensors
from raim.weights.pickles import read_numpy_pickle, read_torch_checkpoint

Members = Mapping[str, bytes]
Tensors = dict[str, np.ndarray]


def flax_convolutions(members: Members) -> Tensors:
    """Give the convolutions of a flax network: kernels (h, w, in, out) become (out, in, h, w)."""
    ((name, data),) = members.items()
    tensors = {}
    for key, value in read_numpy_pickle(data, source=name).items():
        match = re.fullmatch(r"(?:VGG16|AlexNet)_0/Conv_(\d+)/(kernel|bias)", key)
        if match and match[2] == "kernel":
            tensors[f"conv{match[1]}.weight"] = value.transpose(3, 2, 0, 1)
        elif match:
            tensors[f"conv{match[1]}.bias"] = value
    return tensors


def lpips_heads(members: Members) -> Tensors:
    """Give the five linear heads of LPIPS, (1, c, 1, 1) in the checkpoint, as (c,) each."""
    ((name, data),) = members.items()
    checkpoint = read_torch_checkpoint(data, source=name)
    return {f"lin{i}": checkpoint[f"lin{i}.model.1.weight"].reshape(-1) for i in range(5)}


def dists_weights(members: Members) -> Tensors:
    """Give alpha and beta of DISTS, (1, 1475, 1, 1) in the checkpoint, as (1475,) each."""
    ((name, data),) = members.items()
    checkpoint = read_torch_checkpoint(data, source=name)
    return {key: checkpoint[key].reshape(-1) for key in ("alpha", "beta")}


def niqe_model(members: Members) -> Tensors:
    """Give mean (36,) and covariance (36, 36) of NIQE's pristine model, float64."""
    ((name, data),) = members.items()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as model:
            return {"mean": model["mu_pris_param"].reshape(-1), "covariance": model["cov_pris_param"]}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsFormatError(f"{name} is not NIQE's model ({error}); fetch it again") from error


def torch_state(members: Members) -> Tensors:
    """Give a torch state dict with its own names; `params` around it is taken off."""
    ((name, data),) = members.items()
    checkpoint = read_torch_checkpoint(data, source=name)
    return {key.removeprefix("params/"): value for key, value in checkpoint.items()}


def ncnn_rrdbnet(members: Members) -> Tensors:
    """Give an RRDBNet that was exported to ncnn: weights float16 as exported, biases float32."""
    (param,) = [data for name, data in members.items() if name.endswith(".param")]
    (binary,) = [data for name, data in members.items() if name.endswith(".bin")]
    return rrdbnet_tensors(read_ncnn(param, binary))


CONVERSIONS: Mapping[str, Callable[[Members], Tensors]] = {
    "flax-convolutions": flax_convolutions,
    "lpips-heads": lpips_heads,
    "dists-weights": dists_weights,
    "niqe-model": niqe_model,
    "torch-state": torch_state,
    "ncnn-rrdbnet": ncnn_rrdbnet,
}


def convert(conversion: str, members: Members) -> Tensors:
    """Run one conversion by its name in the table.

    Args:
        conversion: A key of `CONVERSIONS`.
        members: The published files' bytes by file name.

    Returns:
        C-contiguous arrays by raim's name.

    Raises:
        WeightsFormatError: A file is not what the conversion expects.
    """
    try:
        tensors = CONVERSIONS[conversion](members)
    except KeyError as error:
        raise WeightsFormatError(
            f"{', '.join(members)}: there is no {error} in it; fetch it again"
        ) from error
    return {name: np.asarray(value, order="C") for name, value in tensors.items()}
