"""The camera model: what lies between a scene and its picture, stage by stage; `model` joins them."""

from raim.errors import need_extra

need_extra("the camera model", "pairs", "scipy")

from raim.data.camera.blur import Defocus, Motion
from raim.data.camera.colour import Colour
from raim.data.camera.delivery import Compression, Zoom
from raim.data.camera.demosaic import Demosaic
from raim.data.camera.lens import Aberration, Flare, Highlights
from raim.data.camera.model import Camera, Pair, take_pair
from raim.data.camera.parameters import build_camera, flatten_camera, parse_parameter
from raim.data.camera.presets import PRESETS, Preset, Range, find_preset
from raim.data.camera.processing import Banding, ChromaNoise, Denoise, Sharpening
from raim.data.camera.sensor import Noise, Sampling, Screen

__all__ = [
    "PRESETS",
    "Aberration",
    "Banding",
    "Camera",
    "ChromaNoise",
    "Colour",
    "Compression",
    "Defocus",
    "Demosaic",
    "Denoise",
    "Flare",
    "Highlights",
    "Motion",
    "Noise",
    "Pair",
    "Preset",
    "Range",
    "Sampling",
    "Screen",
    "Sharpening",
    "Zoom",
    "build_camera",
    "find_preset",
    "flatten_camera",
    "parse_parameter",
    "take_pair",
]
