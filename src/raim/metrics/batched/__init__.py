"""The measures as functions of torch tensors: differentiable, batched, on any device. Needs the extra `torch`."""

from raim.errors import need_extra

need_extra("raim.metrics.batched", "torch", "torch")

from raim.metrics.batched.dists import dists
from raim.metrics.batched.lpips import lpips
from raim.metrics.batched.niqe import niqe, niqe_together
from raim.metrics.batched.psnr import psnr
from raim.metrics.batched.ssim import ssim

__all__ = ["dists", "lpips", "niqe", "niqe_together", "psnr", "ssim"]
