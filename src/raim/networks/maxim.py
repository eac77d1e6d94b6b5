"""MAXIM-3S in torch: three stages, each a UNet over three scales, the later ones guided by the ones before.

    encode     at each scale: what came from the finer one and the picture at this scale; halve
    bridge     the encoded features of all scales, brought to each scale, gated by the coarser ones
    decode     from the coarsest: double, and join with the bridged features of all scales
    attend     what a stage would give as a picture says where its features are worth being passed on

Source: Tu et al., "MAXIM: Multi-Axis MLP for Image Processing", CVPR 2022 (arXiv 2201.02973), section 3.2, MAXIM-3S;
names of weights are those of google-research/maxim, maxim/models/maxim.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from raim.networks.maxim_layers import (
    Part,
    add_convolutions,
    add_mixing,
    apply_joined,
    apply_linear,
    convolve_features,
    double,
    gate_across,
    gate_axes,
    rescale,
)

N_STAGES = 3
N_SCALES = 3
COARSEST = N_SCALES - 1
SIZES = 16, 16, 8  # cells along the grid, and pixels along a block, at each scale
MULTIPLE = 64  # of the sides: the coarsest scale of the coarsest features has 8 cells

Scales = list[Tensor]
Find = Callable[[str, int], Part]


@dataclass(frozen=True, kw_only=True, slots=True)
class Guide:
    """What a stage passes on, at each scale.

    Attributes:
        features: Encoded and decoded, added.
        attended: Decoded ones, where they are worth it.
    """

    features: Scales
    attended: Scales


def run_maxim(tensors: Mapping[str, Tensor], picture: Tensor) -> Tensor:
    """Restore pictures.

    Args:
        tensors: The weights by the names of the authors' code.
        picture: (n, h, w, 3) in [0, 1]; sides are multiples of 64.

    Returns:
        The same size; values may overshoot [0, 1].
    """
    net = Part(tensors=tensors)
    # Halves and quarters by the nearest pixel, as the authors' code takes it.
    pictures = [picture, picture[:, 1::2, 1::2], picture[:, 2::4, 2::4]]
    guide = None
    for stage in range(N_STAGES - 1):
        encoded, decoded = _run_stage(net, stage, pictures, guide)
        attended = [
            _attend(net[f"stage_{stage}_supervised_attention_module_{i}"], decoded[i], pictures[i])
            for i in range(N_SCALES)
        ]
        guide = Guide(features=[x + y for x, y in zip(encoded, decoded, strict=True)], attended=attended)
    _, decoded = _run_stage(net, N_STAGES - 1, pictures, guide)
    return picture + convolve_features(net[f"stage_{N_STAGES - 1}_output_conv_0"], decoded[0])


def _run_stage(net: Part, stage: int, pictures: Scales, guide: Guide | None) -> tuple[Scales, Scales]:
    """Return the encoded and the decoded features at each scale."""

    def find(kind: str, index: int) -> Part:
        return net[f"stage_{stage}_{kind}_{index}"]

    scales = [convolve_features(find("input_conv", i), each) for i, each in enumerate(pictures)]
    if guide is not None:
        scales = [
            _fuse(find("input_fuse_sam", i), [each], guide.attended[i], SIZES[i])
            for i, each in enumerate(scales)
        ]
    x, encoded = _encode(find, scales, guide)
    for i in range(2):
        x = _mix_coarsest(find("global_block", i), x)
    heights = [each.shape[1] for each in pictures]
    first = 2 * N_SCALES**2 * stage
    bridged = _bridge(find, x, _bring(net, first, encoded, heights))
    # The numbers of the authors' layers go from the coarsest scale to the finest here.
    brought = _bring(net, first + N_SCALES**2, bridged[::-1], heights)
    return encoded, _decode(find, x, brought)


def _encode(find: Find, scales: Scales, guide: Guide | None) -> tuple[Tensor, Scales]:
    """Return what comes out at the coarsest scale, halved, and the features at each scale."""
    x, encoded = scales[0], []
    for i in range(N_SCALES):
        part = find("encoder_block", i)
        x = _refine(part, [x, scales[i]], SIZES[i])
        if guide is not None:
            crossing = part["cross_gating_block"]
            x = _fuse(crossing, [x], guide.features[i], SIZES[i])
        encoded.append(x)
        x = convolve_features(part["Conv_1"], x, stride=2)
    return x, encoded


def _bridge(find: Find, coarse: Tensor, brought: list[Scales]) -> Scales:
    """Gate the features of all scales by the coarser ones."""
    bridged = {}
    for i in reversed(range(N_SCALES)):
        part = find("cross_gating_block", i)
        y = apply_linear(part["Conv_1"], double(part["ConvTranspose_0"], coarse))
        bridged[i], coarse = gate_across(part, apply_joined(part["Conv_0"], brought[i]), y, SIZES[i])
    return [bridged[i] for i in range(N_SCALES)]


def _decode(find: Find, x: Tensor, brought: list[Scales]) -> Scales:
    """Return the decoded features at each scale."""
    decoded = {}
    for i in reversed(range(N_SCALES)):
        part = find("decoder_block", i)
        x = double(part["ConvTranspose_0"], x)
        decoded[i] = x = _refine(part["UNetEncoderBlock_0"], [x, *brought[i]], SIZES[i])
    return [decoded[i] for i in range(N_SCALES)]


def _refine(part: Part, parts: Sequence[Tensor], size: int) -> Tensor:
    """Join features, then twice: gate over places, convolve_features; and a way around both."""
    x = y = apply_joined(part["Conv_0"], parts)
    for i in range(2):
        y = gate_axes(part[f"SplitHeadMultiAxisGmlpLayer_{i}"], y, size)
        y = add_convolutions(part[f"channel_attention_block_1{i}"], y)
    return x + y


def _mix_coarsest(part: Part, x: Tensor) -> Tensor:
    """Do the like at the coarsest scale, where matrices stand for convolutions."""
    x = y = apply_linear(part["input_proj"], x)
    for i in range(2):
        y = gate_axes(part[f"SplitHeadMultiAxisGmlpLayer_{i}"], y, SIZES[COARSEST])
        y = add_mixing(part[f"channel_attention_block_1_{i}"], y)
    return x + y


def _fuse(part: Part, parts: Sequence[Tensor], other: Tensor, size: int) -> Tensor:
    """Gate features and those of the stage before by one another."""
    x = apply_joined(part["Conv_0"], parts)
    return gate_across(part, x, apply_linear(part["Conv_1"], other), size)[0]


def _attend(part: Part, x: Tensor, picture: Tensor) -> Tensor:
    attention = torch.sigmoid(
        convolve_features(part["Conv_2"], convolve_features(part["Conv_1"], x) + picture)
    )
    return x + convolve_features(part["Conv_0"], x) * attention


def _bring(net: Part, first: int, features: Scales, heights: Sequence[int]) -> list[Scales]:
    """Bring all features to each scale; the layers that do it are numbered from the coarsest scale on."""
    return [
        [
            rescale(net[f"UpSampleRatio_{first + N_SCALES * (COARSEST - i) + j}"], x, height)
            for j, x in enumerate(features)
        ]
        for i, height in enumerate(heights)
    ]
