"""The measures as functions of torch tensors: differentiable, batched, on any device. Needs the extra `torch`."""

from raim.metrics.batched.niqe import niqe
from raim.metrics.batched.psnr import psnr
from raim.metrics.batched.ssim import ssim

__all__ = ["niqe", "psnr", "ssim"]
