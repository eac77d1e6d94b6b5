import struct

import numpy as np
import pytest

from raim.errors import WeightsFormatError
from raim.weights.ncnn_format import (
    FLAG_FLOAT16,
    FLAG_FLOAT32,
    NcnnConvolution,
    _rrdbnet_layout,
    read_ncnn,
    rrdbnet_tensors,
)

RNG = np.random.default_rng(3)
LEAKY = "9=2 -23310=1,2.000000e-01"


def layer(n_in, n_out, size=3, activation="", dtype="<f2"):
    """Make one convolution's line, bytes, weight and bias."""
    weight = RNG.normal(size=(n_out, n_in, size, size)).astype(dtype)
    bias = RNG.normal(size=n_out).astype("<f4")
    options = f"0={n_out} 1={size} 4={size // 2} 5=1 6={weight.size} {activation}"
    flag = FLAG_FLOAT16 if dtype == "<f2" else FLAG_FLOAT32
    data = weight.tobytes()
    stored = struct.pack("<I", flag) + data + bytes(-len(data) % 4) + bias.tobytes()
    return f"Convolution conv 1 1 a b {options}", stored, weight, bias


def model(layers, extra=()):
    lines = [line for line, *_ in layers]
    lines = ["Input data 0 1 data", *lines, *extra]
    param = "\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines]) + "\n"
    return param.encode(), b"".join(stored for _, stored, *_ in layers)


@pytest.mark.parametrize("dtype", ["<f2", "<f4"])
def test_weights_and_biases_come_back(dtype):
    # 1 x 1 x 3 x 3 is an odd number of halves, so that the padding to four bytes counts.
    layers = [
        layer(1, 1, dtype=dtype),
        layer(3, 4, dtype=dtype, activation=LEAKY),
        layer(4, 5, 1, dtype=dtype),
    ]
    found = read_ncnn(*model(layers, extra=["Concat c 2 1 a b c 0=0"]))
    assert [one.has_leaky_relu for one in found] == [False, True, False]
    for one, (_, _, weight, bias) in zip(found, layers, strict=True):
        np.testing.assert_array_equal(one.weight, weight, strict=True)
        np.testing.assert_array_equal(one.bias, bias, strict=True)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b"7767517", b"7767516", "begins with 7767517"),
        (b"7767517\n2 ", b"7767517\n3 ", "states 3 layers and has 2"),
        (b"Convolution", b"InnerProduct", "only convolutions"),
        (b"4=1", b"4=0", "options"),
        (b"5=1", b"5=0", "options"),
        (b"4=1", b"3=2", "options"),
        (b"2.000000e-01", b"1.000000e-01", "slope"),
        (b"0=4", b"0=5", "cannot be read together"),
        (b"6=108", b"6=54", "cannot be read together"),
        (b"6=108", b"6=-1", "-1 weights"),
        (b"6=108", b"6=99999999999999999999", "cannot be read together"),
        (b"6=108", b"6=many", "cannot be read together"),
        (b"1 1 a b", b"9 9 a b", "cannot be read together"),
        (b"Convolution", b"Convoluti\xc3\xb6n", "cannot be read together"),
    ],
)
def test_a_param_of_another_kind_is_refused(before, after, message):
    param, binary = model([layer(3, 4, activation=LEAKY)])
    assert before in param
    with pytest.raises(WeightsFormatError, match=message):
        read_ncnn(param.replace(before, after, 1), binary)


def test_an_unknown_storage_flag_is_refused():
    param, binary = model([layer(3, 4)])
    with pytest.raises(WeightsFormatError, match="0x000d4b38"):
        read_ncnn(param, struct.pack("<I", 0x000D4B38) + binary[4:])


def test_a_bin_of_another_length_is_refused():
    param, binary = model([layer(1, 1), layer(3, 4)])
    for other in [*(binary[:length] for length in range(0, len(binary), 3)), binary + b"x"]:
        with pytest.raises(WeightsFormatError):
            read_ncnn(param, other)


@pytest.mark.parametrize("param", [b"", b"\n", b"7767517", b"7767517\n", b"7767517\nx y\nInput"])
def test_an_empty_or_short_param_is_refused(param):
    with pytest.raises(WeightsFormatError):
        read_ncnn(param, b"")


def rrdbnet():
    """Make RRDBNet's convolutions without using memory for their values."""
    return [
        NcnnConvolution(
            name=name,
            weight=np.broadcast_to(np.float16(0), (n_out, n_in, 3, 3)),
            bias=np.zeros(n_out, np.float32),
            has_leaky_relu=has_leaky_relu,
        )
        for name, n_in, n_out, has_leaky_relu in _rrdbnet_layout()
    ]


def test_rrdbnet_has_the_published_number_of_parameters():
    # 16.70 M: Wang et al., ESRGAN (arXiv 1809.00219), 23 blocks; counted in BasicSR's RRDBNet(3, 3).
    tensors = rrdbnet_tensors(rrdbnet())
    assert len(tensors) == 2 * 351
    assert sum(array.size for array in tensors.values()) == 16_697_987


def test_rrdbnet_is_named_as_in_its_authors_checkpoints():
    names = list(rrdbnet_tensors(rrdbnet()))
    assert names[0] == "conv_first.weight"
    assert "body.22.rdb3.conv5.bias" in names
    assert names[-9:] == [
        "conv_body.bias",
        *(
            f"{name}.{part}"
            for name in ("conv_up1", "conv_up2", "conv_hr", "conv_last")
            for part in ("weight", "bias")
        ),
    ]


def test_another_architecture_is_refused():
    layers = rrdbnet()
    with pytest.raises(WeightsFormatError, match="351 convolutions, the ncnn model has 350"):
        rrdbnet_tensors(layers[:-1])
    with pytest.raises(WeightsFormatError, match=r"conv_first"):
        rrdbnet_tensors([layers[1], layers[0], *layers[2:]])
