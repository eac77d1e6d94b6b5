"""The arrays that the stages of the camera hand on, the mixing of channels, and the check of a stage's numbers."""

import math

import numpy as np
from jaxtyping import Float, Float32

from raim.errors import InputError

# Linear light (or, after `develop`, encoded values) of three channels; 1 is white.
Scene = Float32[np.ndarray, "h w 3"]
# One number for each photosite, linear; 1 is the saturation of the sensor.
Plane = Float32[np.ndarray, "h w"]
# Anything that is blurred: one plane, or planes side by side along the last axis.
Layers = Float32[np.ndarray, "h w *channels"]


def require_range(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a parameter outside [low, high], with its name and value.

    Raises:
        InputError: It is outside, or no number.

    Example:
        >>> require_range("defocus.radius_px", -1.0, 0, 100)
        Traceback (most recent call last):
        ...
        raim.errors.InputError: defocus.radius_px is -1.0; expected 0 to 100
    """
    if not (low <= value <= high and math.isfinite(value)):
        expected = f"{low:g} to {high:g}" if math.isfinite(high) else f"at least {low:g}"
        raise InputError(f"{name} is {value}; expected {expected}")


def mix_channels(picture: Scene, matrix: Float[np.ndarray, "3 3"]) -> Scene:
    """Multiply the three channels of each pixel by a matrix.

    Example:
        >>> swap = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
        >>> mix_channels(np.array([[[1, 2, 3]]], np.float32), swap)[0, 0].tolist()
        [2.0, 1.0, 3.0]
    """
    # Not a matrix product: how that rounds depends on the number of its threads, and pairs must not.
    weights = matrix.astype(np.float32)
    mixed = np.empty_like(picture)
    for channel in range(3):
        red, green, blue = (picture[..., index] * weights[channel, index] for index in range(3))
        mixed[..., channel] = red + green + blue
    return mixed
