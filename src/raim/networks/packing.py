"""Packed features: arrays (channels / pack, rows, columns, pack) of float32, as ncnn lays them out."""

import math

import numpy as np
from jaxtyping import Float32

Packed = Float32[np.ndarray, "_ _ _ _"]
ALIGNMENT = 64  # bytes: whole AVX-512 registers are read
FLOAT_BYTES = 4


def aligned_zeros(shape: tuple[int, int, int, int]) -> Packed:
    """Return packed features of zeros that may be read by whole registers."""
    n_bytes = math.prod(shape) * FLOAT_BYTES
    raw = np.zeros(n_bytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + n_bytes].view(np.float32).reshape(shape)
