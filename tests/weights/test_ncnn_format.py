import numpy as np
import pytest

from raim.weights import ncnn_format
from raim.weights.ncnn_format import name_convolutions, read_ncnn_rrdbnet

RNG = np.random.default_rng(3)


def layer(n_in, n_out, size=3):
    """Make one convolution's line, bytes, weight and bias."""
    weight = RNG.normal(size=(n_out, n_in, size, size)).astype("<f2")
    bias = RNG.normal(size=n_out).astype("<f4")
    data = weight.tobytes()
    stored = b"\x47\x6b\x30\x01" + data + bytes(-len(data) % 4) + bias.tobytes()
    line = f"Convolution conv 1 1 a b 0={n_out} 1={size} 4={size // 2} 5=1 6={weight.size} -23310=1,2.0e-01"
    return line, stored, weight, bias


def test_weights_and_biases_come_back_by_name(monkeypatch):
    monkeypatch.setattr(ncnn_format, "name_convolutions", lambda: ["a", "b", "c"])
    # 1 x 1 x 3 x 3 is an odd number of halves, so that the padding to four bytes counts.
    layers = [layer(1, 1), layer(3, 4), layer(4, 5, 1)]
    lines = [
        "7767517",
        "5 5",
        "Input data 0 1 data",
        *(line for line, *_ in layers),
        "Concat c 2 1 a b c 0=0",
    ]
    binary = b"".join(stored for _, stored, *_ in layers)
    found = read_ncnn_rrdbnet("\n".join(lines).encode(), binary)
    for name, (_, _, weight, bias) in zip("abc", layers, strict=True):
        np.testing.assert_array_equal(found[f"{name}.weight"], weight, strict=True)
        np.testing.assert_array_equal(found[f"{name}.bias"], bias, strict=True)
    with pytest.raises(ValueError, match="zip"):
        read_ncnn_rrdbnet("\n".join(lines[:-2]).encode(), binary)


def test_rrdbnet_is_named_as_in_its_authors_checkpoints():
    names = name_convolutions()
    assert len(names) == len(set(names)) == 351
    assert names[0] == "conv_first"
    assert names[-6:] == ["body.22.rdb3.conv5", "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
