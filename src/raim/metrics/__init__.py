"""The five measures on arrays; `raim.metrics.batched` has them on torch tensors.

Compilers and engines are loaded when a measure is first called, so that importing this package is quick.

Example:
    >>> import numpy as np
    >>> from raim.metrics import psnr
    >>> round(psnr(np.full((8, 8, 3), 100, np.uint8), np.full((8, 8, 3), 110, np.uint8)), 4)
    28.1308
"""

from raim.metrics.dists import dists, dists_each
from raim.metrics.lpips import lpips, lpips_each
from raim.metrics.niqe import NiqeResult, niqe, niqe_details
from raim.metrics.psnr import psnr
from raim.metrics.ssim import ssim

__all__ = ["NiqeResult", "dists", "dists_each", "lpips", "lpips_each", "niqe", "niqe_details", "psnr", "ssim"]
