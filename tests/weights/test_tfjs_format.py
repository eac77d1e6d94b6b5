import json

import numpy as np
import pytest

from raim.weights.tfjs_format import ROOT, read_tfjs_maxim

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("node", "operation", "shape", "name", "turn"),
    [
        ("a/b/Conv2D", "Conv2D", (3, 3, 2, 5), "a.b.weight", lambda x: x.transpose(3, 2, 0, 1)),
        ("a/Conv2D", "Conv2D", (1, 1, 2, 5), "a.weight", lambda x: x[0, 0].T),
        (
            "a/conv2d_transpose",
            "Conv2DBackpropInput",
            (2, 2, 5, 3),
            "a.weight",
            lambda x: x.transpose(3, 2, 0, 1),
        ),
        ("a/einsum/Einsum", "Einsum", (4, 6), "a.weight", lambda x: x.T),
        ("a/jit_fn_/mul_2", "Mul", (1, 1, 1, 7), "a.weight", np.ravel),
        ("a/Conv2D_bias", "AddV2", (1, 1, 1, 7), "a.bias", np.ravel),
    ],
)
def test_a_weight_is_named_by_the_node_that_takes_it_and_turned(node, operation, shape, name, turn):
    values = RNG.normal(size=shape).astype("<f4")
    size = np.array([4, 4], "<i4")
    manifest = [
        {"name": "size", "shape": [2], "dtype": "int32"},
        {"name": "w", "shape": shape, "dtype": "float32"},
    ]
    nodes = [
        {"name": "x", "op": "Placeholder"},
        {"name": ROOT + node, "op": operation, "input": ["x", "size", "w"]},
    ]
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": manifest}]}
    stored = size.tobytes() + values.tobytes()
    found = read_tfjs_maxim(json.dumps(model).encode(), stored[:9], stored[9:])
    assert list(found) == [name]
    np.testing.assert_array_equal(found[name], turn(values))
