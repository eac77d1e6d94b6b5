"""What a GPU does to float32, on a machine without one."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

CONVOLVING = ("convolution", "conv2d", "mm", "addmm", "bmm", "matmul", "linear", "einsum")


def round_to_tf32(values):
    """Keep the 10 bits of the fraction that TF32 has, rounded to nearest."""
    bits = values.contiguous().view(torch.int32)
    return ((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32)


class Gpu(TorchDispatchMode):
    """Rounds the float32 factors of convolutions and products as a GPU does where torch's settings let it."""

    def __init__(self):
        super().__init__()
        self.n_convolutions = self.n_rounded = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        singles = [each for each in args if getattr(each, "dtype", None) == torch.float32]
        if func.__name__.split(".")[0] in CONVOLVING and singles:
            self.n_convolutions += 1
            settings = (torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision)
            if settings != ("ieee", "ieee"):
                self.n_rounded += 1
                args = tree_map(self._round, args)
        return func(*args, **(kwargs or {}))

    @staticmethod
    def _round(value):
        return (
            round_to_tf32(value)
            if isinstance(value, torch.Tensor) and value.dtype == torch.float32
            else value
        )
