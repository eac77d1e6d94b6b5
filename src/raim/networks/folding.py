"""A convolution with a large stride as one with stride 1, which Winograd's method makes several times faster.

Pixels are folded into channels: with stride s, pixel (s y + i, s x + j) of channel c becomes pixel (y, x) of channel
(c s + i) s + j, and a kernel of k x k, filled up with zeros, becomes one of ceil(k / s) x ceil(k / s). The products
and sums are the same ones. AlexNet's first layer, 11x11 with stride 4 on 3 channels, becomes 3x3 on 48.
"""

import numpy as np
from jaxtyping import Float32

Packed = Float32[np.ndarray, "_ _ _ _"]  # channels / pack, rows, columns, pack


def folded_side(kernel: int, stride: int) -> int:
    """Give the side of the folded kernel.

    Example:
        >>> folded_side(11, 4)
        3
    """
    return -(-kernel // stride)


def fold_kernel(
    weight: Float32[np.ndarray, "o i k k"], stride: int
) -> Float32[np.ndarray, "o i*{stride}**2 _ _"]:
    """Fold a kernel's columns and rows into input channels.

    Example:
        >>> fold_kernel(np.ones((64, 3, 11, 11), np.float32), 4).shape
        (64, 48, 3, 3)
    """
    outputs, inputs, kernel, _ = weight.shape
    side = folded_side(kernel, stride)
    room = side * stride - kernel
    filled = np.pad(weight, ((0, 0), (0, 0), (0, room), (0, room)))
    split = filled.reshape(outputs, inputs, side, stride, side, stride)
    return np.ascontiguousarray(split.transpose(0, 1, 3, 5, 2, 4).reshape(outputs, -1, side, side))


def fold_pixels(x: Packed, *, rows: int, columns: int, stride: int, pack: int) -> Packed:
    """Fold the top left rows x columns blocks of stride x stride pixels, and pack their channels.

    Args:
        x: (channels, h, w, 1); what lies beyond its edge counts as zero.
        rows: Rows of the result.
        columns: Columns of the result.
        stride: Side of a block.
        pack: Channels that lie together in the result.

    Example:
        >>> x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
        >>> fold_pixels(x, rows=2, columns=2, stride=2, pack=4)[0, 0].tolist()
        [[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0]]
    """
    channels = x.shape[0]
    filled = np.zeros((channels, rows * stride, columns * stride), np.float32)
    height, width = min(rows * stride, x.shape[1]), min(columns * stride, x.shape[2])
    filled[:, :height, :width] = x[:, :height, :width, 0]
    blocks = filled.reshape(channels, rows, stride, columns, stride).transpose(0, 2, 4, 1, 3)
    grouped = blocks.reshape(-1, pack, rows, columns)
    return np.ascontiguousarray(grouped.transpose(0, 2, 3, 1))
