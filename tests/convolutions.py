"""Packed features for a convolution of 3x3, and what it has to give."""

import numpy as np
from scipy.signal import correlate

from raim.networks.packing import aligned_zeros


def make_case(inputs, outputs, rows, columns, *, spare=0):
    """Give packed features with a border, a kernel, a bias, and what scipy makes of them."""
    rng = np.random.default_rng([inputs, outputs, rows, columns])
    planes = np.maximum(rng.standard_normal((inputs, rows + 2, columns + 2)), 0).astype(np.float32)
    weight = (rng.standard_normal((outputs, inputs, 3, 3)) / np.sqrt(9 * inputs)).astype(np.float32)
    bias = rng.standard_normal(outputs).astype(np.float32) / 10
    buffer = aligned_zeros((inputs // 16, rows + 2 + spare, columns + 2, 16))
    buffer[:, : rows + 2] = planes.reshape(-1, 16, rows + 2, columns + 2).transpose(0, 2, 3, 1)
    buffer[:, rows + 2 :] = 1e6  # of strips before: must not be looked at
    expected = [correlate(planes.astype(float), each.astype(float), "valid")[0] for each in weight]
    return buffer, weight, bias, np.maximum(np.array(expected) + bias[:, None, None], 0)


def unpack(features):
    groups, rows, columns, pack = features.shape
    return features.transpose(0, 3, 1, 2).reshape(groups * pack, rows, columns)
