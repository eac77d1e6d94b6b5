import io
import pickle

import numpy as np
import pytest

from raim.errors import WeightsFormatError
from raim.weights.conversion import CONVERSIONS, convert


def test_flax_kernels_are_turned_and_heads_left_out():
    kernel = np.arange(2 * 3 * 4 * 5, dtype="f4").reshape(2, 3, 4, 5)
    tree = {
        "VGG16_0": {"Conv_0": {"kernel": kernel, "bias": np.ones(5, "f4")}},
        "NetLinLayer_0": {"Conv_0": {"kernel": np.ones((1, 1, 5, 1), "f4")}},
    }
    found = convert("flax-convolutions", {"vgg16.ckpt": pickle.dumps(tree, protocol=3)})
    assert set(found) == {"conv0.weight", "conv0.bias"}
    assert found["conv0.weight"].flags.c_contiguous
    for out, inside, row, column in np.ndindex(5, 4, 2, 3):
        assert found["conv0.weight"][out, inside, row, column] == kernel[row, column, inside, out]


def test_niqe_with_pickled_objects_is_refused():
    stream = io.BytesIO()
    np.savez(stream, mu_pris_param=np.array([print], object), cov_pris_param=np.eye(36))
    with pytest.raises(WeightsFormatError, match=r"model\.npz"):
        convert("niqe-model", {"model.npz": stream.getvalue()})


def test_a_missing_array_is_named():
    stream = io.BytesIO()
    np.savez(stream, mu_pris_param=np.zeros((1, 36)))
    with pytest.raises(WeightsFormatError, match="cov_pris_param"):
        convert("niqe-model", {"model.npz": stream.getvalue()})


@pytest.mark.parametrize("conversion", [name for name in CONVERSIONS if name != "ncnn-rrdbnet"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x02N.", bytes(100)])
def test_a_file_in_another_form_is_refused_and_named(conversion, data):
    with pytest.raises(WeightsFormatError, match=r"model\.bin"):
        convert(conversion, {"model.bin": data})
