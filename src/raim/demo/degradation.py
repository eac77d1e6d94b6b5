"""The three degradations of the demo's photographs, each with one stated strength.

They are plain on purpose: a known cause for each scenario. `raim degrade` has a whole camera.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from jaxtyping import UInt8

from raim.images import read_image, write_image

Photo = UInt8[np.ndarray, "h w 3"]

NOISE_SIGMA = 15.0  # of 255, a usual level in papers on denoising
BLUR_SIGMA_PX = 1.6
JPEG_QUALITY = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Degradation:
    """One scenario: what is done to a photograph, in words and as a function of the photograph and a generator."""

    description: str
    degrade: Callable[[Photo, np.random.Generator], Photo]


def add_noise(photo: Photo, rng: np.random.Generator) -> Photo:
    """Add Gaussian noise of sigma 15 to each value, then round and clip.

    Example:
        >>> grey = np.full((64, 64, 3), 128, np.uint8)
        >>> bool(abs(add_noise(grey, np.random.default_rng(0)).std() - 15) < 0.3)
        True
    """
    noisy = photo + rng.normal(0.0, NOISE_SIGMA, photo.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def blur(photo: Photo, rng: np.random.Generator) -> Photo:
    """Blur with a Gaussian of sigma 1.6 pixels, mirrored at the edges."""
    import cv2

    del rng
    return cv2.GaussianBlur(photo, (0, 0), BLUR_SIGMA_PX, borderType=cv2.BORDER_REFLECT_101)


def compress_photo(photo: Photo, rng: np.random.Generator) -> Photo:
    """Compress as JPEG of quality 20 and decode."""
    del rng
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "photo.jpg")
        write_image(path, photo, quality=JPEG_QUALITY)
        return read_image(path).pixels


DEGRADATIONS: Mapping[str, Degradation] = MappingProxyType(
    {
        "noise": Degradation(
            description=f"Gaussian noise of sigma {NOISE_SIGMA:g} (of 255)", degrade=add_noise
        ),
        "blur": Degradation(description=f"Gaussian blur of sigma {BLUR_SIGMA_PX:g} pixels", degrade=blur),
        "jpeg": Degradation(description=f"JPEG of quality {JPEG_QUALITY}", degrade=compress_photo),
    }
)
