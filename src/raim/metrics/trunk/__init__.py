"""The convolution trunks of LPIPS and DISTS, run over strips of rows so that memory does not grow with height."""

from raim.metrics.trunk.architecture import ALEXNET, VGG16, Convolution, Pooling, Trunk
from raim.metrics.trunk.engines import ENGINES, choose_engine, load_engine
from raim.metrics.trunk.strips import stream_taps

__all__ = [
    "ALEXNET",
    "ENGINES",
    "VGG16",
    "Convolution",
    "Pooling",
    "Trunk",
    "choose_engine",
    "load_engine",
    "stream_taps",
]
