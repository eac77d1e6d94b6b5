"""The measures, on arrays; on tensors of torch `measure` and the `*_batch` function of each module.

Compilers and engines are loaded when a measure is first called, so that importing this package is quick.

Example:
    >>> import numpy as np
    >>> from raim.metrics import psnr
    >>> round(psnr(np.full((8, 8, 3), 100, np.uint8), np.full((8, 8, 3), 110, np.uint8)), 4)
    28.1308
"""

from raim.metrics.dists import dists, dists_each
from raim.metrics.gmsd import gmsd
from raim.metrics.interface import Measure, measure, measures
from raim.metrics.lpips import lpips, lpips_each
from raim.metrics.ms_ssim import ms_ssim
from raim.metrics.niqe import NiqeResult, niqe, niqe_details, niqe_together
from raim.metrics.psnr import psnr
from raim.metrics.record import MeasureRecord
from raim.metrics.registry import MEASURES, find_measure
from raim.metrics.ssim import ssim

__all__ = [
    "MEASURES",
    "Measure",
    "MeasureRecord",
    "NiqeResult",
    "dists",
    "dists_each",
    "find_measure",
    "gmsd",
    "lpips",
    "lpips_each",
    "measure",
    "measures",
    "ms_ssim",
    "niqe",
    "niqe_details",
    "niqe_together",
    "psnr",
    "ssim",
]
