"""The whole camera: from a clean photograph to an input with known defects and its reference.

    clean -> linear camera light -> highlights -> defocus -> motion -> aberration -> flare           scene and lens
          -> photosites -> screen -> colour filters -> noise, converter -> demosaic                  sensor
          -> white balance, matrix, sRGB, tone -> denoise -> chroma noise -> banding                 processing
          -> zoom -> sharpening -> rounding -> JPEG                                                  output

The reference goes only through the conversion to camera light and back, with the same tone and colour. A stage with its
default values does nothing, so a camera of defaults gives the clean photograph twice.

Source: the order is that of Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, figure 2,
between a lens and the output stages of a camera; each stage's own source stands in its module.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from raim.data.camera.arrays import Scene
from raim.data.camera.blur import Defocus, Motion, blur_defocus, blur_motion
from raim.data.camera.colour import Colour, develop, unprocess
from raim.data.camera.delivery import Compression, Zoom, compress, resize
from raim.data.camera.demosaic import Demosaic, demosaic
from raim.data.camera.lens import (
    Aberration,
    Flare,
    Highlights,
    expand_highlights,
    part_colours,
    scatter_light,
)
from raim.data.camera.processing import (
    Banding,
    ChromaNoise,
    Denoise,
    Sharpening,
    add_chroma_noise,
    round_to_steps,
    sharpen,
    smooth_noise,
)
from raim.data.camera.sensor import (
    Noise,
    Sampling,
    Screen,
    expose,
    filter_colours,
    sample_scene,
    show_on_screen,
)
from raim.errors import InputError
from raim.images import PixelArray

SMALLEST_PX = 16  # of the sensor's side: below that kernels and blocks are larger than the picture


@dataclass(frozen=True, kw_only=True, slots=True)
class Camera:
    """Every parameter of one photograph, by stage; each stage's defaults do nothing."""

    colour: Colour = field(default_factory=Colour)
    highlights: Highlights = field(default_factory=Highlights)
    defocus: Defocus = field(default_factory=Defocus)
    motion: Motion = field(default_factory=Motion)
    aberration: Aberration = field(default_factory=Aberration)
    flare: Flare = field(default_factory=Flare)
    sampling: Sampling = field(default_factory=Sampling)
    screen: Screen = field(default_factory=Screen)
    noise: Noise = field(default_factory=Noise)
    demosaic: Demosaic = field(default_factory=Demosaic)
    denoise: Denoise = field(default_factory=Denoise)
    chroma: ChromaNoise = field(default_factory=ChromaNoise)
    banding: Banding = field(default_factory=Banding)
    zoom: Zoom = field(default_factory=Zoom)
    sharpening: Sharpening = field(default_factory=Sharpening)
    compression: Compression = field(default_factory=Compression)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """What the camera makes of a clean photograph.

    Attributes:
        degraded: The input, with defects.
        reference: The same without them.
    """

    degraded: UInt8[np.ndarray, "h w 3"]
    reference: UInt8[np.ndarray, "rows columns 3"]


def take_pair(clean: PixelArray, camera: Camera) -> Pair:
    """Take a photograph of a clean photograph's scene.

    Args:
        clean: (h, w, 3) sRGB or (h, w) grey, uint8 or uint16. Where the photosites do not fill a side, what is left
            over at its end is cut off.
        camera: All parameters; the same ones give the same bytes.

    Returns:
        Input and reference, 8 bits, of the size that `camera.zoom` says.

    Raises:
        InputError: The photograph is too small for this camera.

    Example:
        >>> clean = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
        >>> pair = take_pair(clean, Camera())
        >>> bool((pair.degraded == clean).all()), bool((pair.reference == clean).all())
        (True, True)
    """
    scene = unprocess(_cut(clean, camera.sampling.reduction), camera.colour)
    raw = read_sensor(pass_lens(scene, camera), camera)
    picture = process(raw, camera)
    height, width = picture.shape[:2] if camera.zoom.deliver == "sensor" else scene.shape[:2]
    reference = develop(resize(scene, height, width, "bicubic"), camera.colour)
    if camera.zoom.deliver == "scene":
        picture = resize(picture, height, width, camera.zoom.filter)
    picture = sharpen(picture, camera.sharpening)
    return Pair(degraded=compress(_round(picture), camera.compression), reference=_round(reference))


def pass_lens(scene: Scene, camera: Camera) -> Scene:
    """Return the light that falls on the sensor: highlights, defocus, motion, aberration, flare."""
    light = expand_highlights(scene, camera.highlights, camera.colour)
    light = blur_motion(blur_defocus(light, camera.defocus), camera.motion)
    return scatter_light(part_colours(light, camera.aberration), camera.flare)


def read_sensor(light: Scene, camera: Camera) -> Float32[np.ndarray, "rows columns 3"]:
    """Return the raw values of the three colours: photosites, screen, colour filters, noise, demosaicing."""
    sampled = show_on_screen(sample_scene(light, camera.sampling), camera.screen)
    if not camera.sampling.has_mosaic:
        return expose(sampled, camera.noise)
    mosaic = expose(filter_colours(sampled), camera.noise)
    gains = camera.colour
    return demosaic(mosaic, camera.demosaic, red_gain=gains.red_gain, blue_gain=gains.blue_gain)


def process(raw: Scene, camera: Camera) -> Scene:
    """Return the encoded picture: colour and tone, denoising, what is left of colour noise, bit depth."""
    picture = smooth_noise(develop(raw, camera.colour), camera.denoise)
    return round_to_steps(add_chroma_noise(picture, camera.chroma), camera.banding)


def _cut(clean: PixelArray, reduction: int) -> Shaped[np.ndarray, "rows columns *colours"]:
    height, width = clean.shape[0] // reduction, clean.shape[1] // reduction
    if min(height, width) < SMALLEST_PX:
        raise InputError(
            f"the photograph is {clean.shape[1]}x{clean.shape[0]}; with reduction {reduction} it must be at least "
            f"{SMALLEST_PX * reduction} pixels along each side"
        )
    return clean[: height * reduction, : width * reduction]


def _round(picture: Scene) -> UInt8[np.ndarray, "h w 3"]:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
