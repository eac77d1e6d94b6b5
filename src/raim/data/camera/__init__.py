"""The camera model: one module for each stage between a scene and its picture, `model` joins them."""

from raim.errors import need_extra

need_extra("the camera model", "pairs", "scipy")

from raim.data.camera.aberration import Aberration
from raim.data.camera.banding import Banding
from raim.data.camera.chroma import ChromaNoise
from raim.data.camera.colour import Colour
from raim.data.camera.compression import Compression
from raim.data.camera.defocus import Defocus
from raim.data.camera.demosaic import Demosaic
from raim.data.camera.denoise import Denoise
from raim.data.camera.flare import Flare
from raim.data.camera.highlights import Highlights
from raim.data.camera.model import Camera, Pair, take_pair
from raim.data.camera.motion import Motion
from raim.data.camera.noise import Noise
from raim.data.camera.parameters import build_camera, flatten_camera, parse_parameter
from raim.data.camera.preset import Preset, Range
from raim.data.camera.presets import PRESETS, find_preset
from raim.data.camera.sampling import Sampling
from raim.data.camera.screen import Screen
from raim.data.camera.sharpening import Sharpening
from raim.data.camera.zoom import Zoom

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
