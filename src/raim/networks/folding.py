"""Convolutions as others of 3x3 with stride 1, which Winograd's method makes several times faster.

Pixels are folded into channels: with stride s, pixel (s y + i, s x + j) of channel c becomes pixel (y, x) of channel
(c s + i) s + j, and a kernel of k x k, filled up with zeros, becomes one of ceil(k / s) x ceil(k / s). The products
and sums are the same ones. AlexNet's first layer, 11x11 with stride 4 on 3 channels, becomes 3x3 on 48.

A kernel of 5x5 is filled up to 6x6 and cut into four of 3x3, which look at the same features shifted by 3 pixels:
AlexNet's second layer, 5x5 on 64 channels, becomes 3x3 on 256.
"""

import numpy as np
from jaxtyping import Float32

from raim.networks.packing import Packed, aligned_zeros

SIDE = 3  # of the kernels that are made here of larger ones
SHIFTS = ((0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE))  # rows, columns


def folded_side(kernel: int, stride: int) -> int:
    """Return the side of the folded kernel.

    Example:
        >>> folded_side(11, 4)
        3
    """
    return -(-kernel // stride)


def fold_kernel(
    weight: Float32[np.ndarray, "o i k k"], stride: int, *, pack: int = 1
) -> Float32[np.ndarray, "o _ _ _"]:
    """Fold a kernel's columns and rows into input channels, with zeros behind them up to a multiple of `pack`.

    Example:
        >>> fold_kernel(np.ones((64, 3, 11, 11), np.float32), 4).shape
        (64, 48, 3, 3)
    """
    outputs, inputs, kernel, _ = weight.shape
    side = folded_side(kernel, stride)
    room = side * stride - kernel
    filled = np.pad(weight, ((0, 0), (0, 0), (0, room), (0, room)))
    split = filled.reshape(outputs, inputs, side, stride, side, stride)
    folded = split.transpose(0, 1, 3, 5, 2, 4).reshape(outputs, -1, side, side)
    return np.pad(folded, ((0, 0), (0, -folded.shape[1] % pack), (0, 0), (0, 0)))


def fold_pixels(x: Packed, *, rows: int, columns: int, stride: int, pack: int) -> Packed:
    """Fold the top left rows x columns blocks of stride x stride pixels, and pack their channels.

    Args:
        x: (channels, h, w, 1); what lies beyond its edge counts as zero.
        rows: Rows of the result.
        columns: Columns of the result.
        stride: Side of a block.
        pack: Channels that lie together in the result, the last ones filled up with zeros.

    Example:
        >>> x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
        >>> fold_pixels(x, rows=2, columns=2, stride=2, pack=4)[0, 0].tolist()
        [[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0]]
    """
    n_folded = x.shape[0] * stride**2
    out = aligned_zeros((-(-n_folded // pack), rows, columns, pack))
    for channel in range(n_folded):
        source, place = divmod(channel, stride**2)
        part = x[source, place // stride :: stride, place % stride :: stride, 0][:rows, :columns]
        out[channel // pack, : part.shape[0], : part.shape[1], channel % pack] = part
    return out


def cut_kernel(weight: Float32[np.ndarray, "o i k k"]) -> Float32[np.ndarray, "o 4*i 3 3"]:
    """Cut a kernel of up to 6x6 into four of 3x3, on four times the channels; see `shift_pixels`.

    Example:
        >>> cut_kernel(np.ones((192, 64, 5, 5), np.float32)).shape
        (192, 256, 3, 3)
    """
    room = 2 * SIDE - weight.shape[2]
    filled = np.pad(weight, ((0, 0), (0, 0), (0, room), (0, room)))
    return np.concatenate([filled[:, :, y : y + SIDE, x : x + SIDE] for y, x in SHIFTS], axis=1)


def shift_pixels(x: Packed, out: Packed) -> None:
    """Fill four times the channels with the same pixels, shifted; what lies beyond the edge stays as it is in `out`.

    Example:
        >>> x, out = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1), np.zeros((4, 2, 2, 1), np.float32)
        >>> shift_pixels(x, out)
        >>> out[..., 0].tolist()
        [[[0.0, 1.0], [4.0, 5.0]], [[3.0, 0.0], [7.0, 0.0]], [[12.0, 13.0], [0.0, 0.0]], [[15.0, 0.0], [0.0, 0.0]]]
    """
    for copy, (top, left) in zip(out.reshape(len(SHIFTS), *x.shape[:1], *out.shape[1:]), SHIFTS, strict=True):
        part = x[:, top : top + out.shape[1], left : left + out.shape[2]]
        copy[:, : part.shape[1], : part.shape[2]] = part
