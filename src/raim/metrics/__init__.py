"""The measures, on arrays and on tensors of torch; each module's `*_batch` function is the form for tensors.

Compilers and engines are loaded when a measure is first called, so that importing this package is quick.

Example:
    >>> import numpy as np
    >>> from raim.metrics import psnr
    >>> round(psnr(np.full((8, 8, 3), 100, np.uint8), np.full((8, 8, 3), 110, np.uint8)), 4)
    28.1308
"""

from raim.metrics.dists import dists, dists_batch, dists_each
from raim.metrics.gmsd import gmsd, gmsd_batch
from raim.metrics.interface import Measure, measure, measures
from raim.metrics.lpips import lpips, lpips_batch, lpips_each
from raim.metrics.ms_ssim import ms_ssim, ms_ssim_batch
from raim.metrics.niqe import NiqeResult, niqe, niqe_batch, niqe_details, niqe_together
from raim.metrics.psnr import psnr, psnr_batch
from raim.metrics.record import MeasureRecord
from raim.metrics.registry import MEASURES, find_measure
from raim.metrics.ssim import ssim, ssim_batch

__all__ = [
    "MEASURES",
    "Measure",
    "MeasureRecord",
    "NiqeResult",
    "dists",
    "dists_batch",
    "dists_each",
    "find_measure",
    "gmsd",
    "gmsd_batch",
    "lpips",
    "lpips_batch",
    "lpips_each",
    "measure",
    "measures",
    "ms_ssim",
    "ms_ssim_batch",
    "niqe",
    "niqe_batch",
    "niqe_details",
    "niqe_together",
    "psnr",
    "psnr_batch",
    "ssim",
    "ssim_batch",
]
