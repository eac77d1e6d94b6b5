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

from raim.data.camera import blur, delivery, lens, processing, sensor
from raim.data.camera.arrays import Rgb
from raim.data.camera.colour import Colour, develop, unprocess
from raim.data.camera.demosaic import Demosaic, demosaic
from raim.errors import InputError
from raim.images import PixelArray

SMALLEST_PX = 16  # of the sensor's side: below that kernels and blocks are larger than the picture


@dataclass(frozen=True, kw_only=True, slots=True)
class Camera:
    """Every parameter of one photograph, by stage; each stage's defaults do nothing."""

    colour: Colour = field(default_factory=Colour)
    highlights: lens.Highlights = field(default_factory=lens.Highlights)
    defocus: blur.Defocus = field(default_factory=blur.Defocus)
    motion: blur.Motion = field(default_factory=blur.Motion)
    aberration: lens.Aberration = field(default_factory=lens.Aberration)
    flare: lens.Flare = field(default_factory=lens.Flare)
    sampling: sensor.Sampling = field(default_factory=sensor.Sampling)
    screen: sensor.Screen = field(default_factory=sensor.Screen)
    noise: sensor.Noise = field(default_factory=sensor.Noise)
    demosaic: Demosaic = field(default_factory=Demosaic)
    denoise: processing.Denoise = field(default_factory=processing.Denoise)
    chroma: processing.ChromaNoise = field(default_factory=processing.ChromaNoise)
    banding: processing.Banding = field(default_factory=processing.Banding)
    zoom: delivery.Zoom = field(default_factory=delivery.Zoom)
    sharpening: processing.Sharpening = field(default_factory=processing.Sharpening)
    compression: delivery.Compression = field(default_factory=delivery.Compression)


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
    reference = develop(delivery.resize(scene, height, width, "bicubic"), camera.colour)
    if camera.zoom.deliver == "scene":
        picture = delivery.resize(picture, height, width, camera.zoom.filter)
    picture = processing.sharpen(picture, camera.sharpening)
    return Pair(degraded=delivery.compress(_round(picture), camera.compression), reference=_round(reference))


def pass_lens(scene: Rgb, camera: Camera) -> Rgb:
    """Return the light that falls on the sensor: highlights, defocus, motion, aberration, flare."""
    light = lens.expand_highlights(scene, camera.highlights, camera.colour)
    light = blur.blur_motion(blur.blur_defocus(light, camera.defocus), camera.motion)
    return lens.scatter_light(lens.part_colours(light, camera.aberration), camera.flare)


def read_sensor(light: Rgb, camera: Camera) -> Float32[np.ndarray, "rows columns 3"]:
    """Return the raw values of the three colours: photosites, screen, colour filters, noise, demosaicing."""
    sampled = sensor.show_on_screen(sensor.sample_scene(light, camera.sampling), camera.screen)
    if not camera.sampling.has_mosaic:
        return sensor.expose(sampled, camera.noise)
    mosaic = sensor.expose(sensor.filter_colours(sampled), camera.noise)
    gains = camera.colour
    return demosaic(mosaic, camera.demosaic, red_gain=gains.red_gain, blue_gain=gains.blue_gain)


def process(raw: Rgb, camera: Camera) -> Rgb:
    """Return the encoded picture: colour and tone, denoising, what is left of colour noise, bit depth."""
    picture = processing.smooth_noise(develop(raw, camera.colour), camera.denoise)
    return processing.round_to_steps(processing.add_chroma_noise(picture, camera.chroma), camera.banding)


def _cut(clean: PixelArray, reduction: int) -> Shaped[np.ndarray, "rows columns *colours"]:
    height, width = clean.shape[0] // reduction, clean.shape[1] // reduction
    if min(height, width) < SMALLEST_PX:
        raise InputError(
            f"the photograph is {clean.shape[1]}x{clean.shape[0]}; with reduction {reduction} it must be at least "
            f"{SMALLEST_PX * reduction} pixels along each side"
        )
    return clean[: height * reduction, : width * reduction]


def _round(picture: Rgb) -> UInt8[np.ndarray, "h w 3"]:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
