"""Real-ESRGAN x4plus and RealSR DF2K: RRDBNet as a restorer, by ncnn on the processor and torch on other devices.

Source: weights of Wang et al., "Real-ESRGAN", ICCVW 2021 (arXiv 2107.10833), and Ji et al., "Real-World
Super-Resolution via Kernel Estimation and Noise Injection", CVPRW 2020; the net: `raim.networks.rrdbnet`.
"""

from raim.networks.rrdbnet import SCALE, Parts, enlarge
from raim.restore.descriptor import Context, Photograph, Restorer


def rrdbnet(name: str, purpose: str, source: str) -> Restorer:
    """Describe an RRDBNet by the name of its weights."""

    def compute(image: Photograph, context: Context) -> Photograph:
        return enlarge(image, load_parts(name, context), context.on_progress)

    return Restorer(
        name=name,
        purpose=purpose,
        compute=compute,
        scale=SCALE,
        is_range_known=True,
        source=source,
        weights=(name,),
        seconds_per_megapixel=350.0,
        devices=("cpu", "torch"),
    )


def load_parts(weights: str, context: Context) -> Parts:
    """Return the net on the context's device."""
    if context.device == "cpu":
        from raim.networks.rrdbnet_ncnn import ncnn_parts

        return ncnn_parts(weights, tile_px=context.tile_px, threads=context.threads)
    from raim.networks.rrdbnet_torch import torch_parts

    return torch_parts(weights, context.device)
