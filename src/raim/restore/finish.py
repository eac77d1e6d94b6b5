"""What may be done to a result in the end: its colours set to those of its input, and how much of it is taken.

Nets shift colours, most of all those trained with a discriminator. Two ways bring them back, x being a channel of the
result and y the same of the input (enlarged bicubically where the restorer enlarges):

    adain     (x - mean x) s(y) / s(x) + mean y,  s = sqrt(variance + 1e-5)     mean and contrast of the whole channel
    wavelet   x + L(y - x)                                                      everything coarser than about 70 pixels

L keeps what is left after five levels of the "a trous" wavelet transform: level i smooths by [1 2 1]/4 in rows and
columns, whose taps lie 2^i pixels apart; beyond the border its pixels are repeated. L is linear: x + L(y - x) is
x's details and y's rest, (x - L x) + L y, by one transform in place of two.

Sources: Wang et al., "Exploiting diffusion prior for real-world image super-resolution" (StableSR), IJCV 2024, arXiv
2305.07015, section 3.3, and `scripts/wavelet_color_fix.py` of IceClear/StableSR (levels, kernel, 1e-5); Huang,
Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", ICCV 2017, equation 8; Starck,
Murtagh, "Image restoration with noise suppression using the wavelet transform", A&A 288, 1994, section 2 (a trous).
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float32

from raim.errors import unknown_name
from raim.restore.composition import Mix, beside_input, blend
from raim.restore.descriptor import Restorer

N_LEVELS = 5
LEAST_VARIANCE = 1e-5  # 0.8 of 255, squared: a flat channel is not divided by nothing


def match_statistics(
    restored: Float32[np.ndarray, "h w"], image: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """Set mean and standard deviation of a channel to those of another (`adain`).

    Example:
        >>> restored, image = np.float32([[0.4, 0.6]]), np.float32([[0.1, 0.5]])
        >>> match_statistics(restored, image).round(3)
        array([[0.1, 0.5]], dtype=float32)
    """
    means = [float(each.mean(dtype=np.float64)) for each in (restored, image)]
    deviations = [np.sqrt(each.var(dtype=np.float64) + LEAST_VARIANCE) for each in (restored, image)]
    gain = np.float32(deviations[1] / deviations[0])
    return gain * restored + np.float32(means[1] - gain * means[0])


def take_low_frequencies(
    restored: Float32[np.ndarray, "h w"], image: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """Replace the low frequencies of a channel by those of another (`wavelet`).

    Example:
        >>> restored, image = np.full((64, 64), 0.7, np.float32), np.full((64, 64), 0.5, np.float32)
        >>> restored[:, ::2] += 0.1
        >>> take_low_frequencies(restored, image)[32, 30:32].round(2)
        array([0.55, 0.45], dtype=float32)
    """
    result = smooth_by_wavelets(image - restored)
    result += restored
    return result


def smooth_by_wavelets(plane: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Return what is left after five levels of the a trous transform.

    Example:
        >>> bool((smooth_by_wavelets(np.ones((8, 8), np.float32)) == 1).all())
        True
    """
    for step in (2**level for level in range(N_LEVELS)):
        for axis in (0, 1):
            pads = [(step, step) if each == axis else (0, 0) for each in (0, 1)]
            padded = np.pad(plane, pads, mode="edge").swapaxes(0, axis)
            length = plane.shape[axis]
            before, here, after = (padded[start : start + length] for start in (0, step, 2 * step))
            plane = here * np.float32(2)
            plane += before
            plane += after
            plane *= np.float32(0.25)
            plane = plane.swapaxes(0, axis)
    return plane


COLOUR_FIXES: Mapping[str, Mix] = MappingProxyType(
    {"adain": match_statistics, "wavelet": take_low_frequencies}
)


def fix_colours(restorer: Restorer, method: str) -> Restorer:
    """Make a restorer whose results have the colours of their input.

    Args:
        restorer: Of any scale.
        method: "adain" or "wavelet".

    Raises:
        UnknownNameError: There is no such method.

    Example:
        >>> from raim.restore import restore
        >>> darker = Restorer(name="darker", purpose="", compute=lambda image, _: image / 2)
        >>> fixed = fix_colours(darker, "wavelet")
        >>> fixed.name, int(restore(np.full((64, 64), 200, np.uint8), fixed).pixels[9, 9])
        ('darker, colours by wavelet', 200)
    """
    if method not in COLOUR_FIXES:
        raise unknown_name("colour fix", method, COLOUR_FIXES)
    return beside_input(restorer, f"{restorer.name}, colours by {method}", COLOUR_FIXES[method])


def finish(restorer: Restorer, *, colour_fix: str | None = None, strength: float = 1.0) -> Restorer:
    """Return a restorer whose results are finished: first the colours, then the mixture with the input.

    Args:
        restorer: Of any scale.
        colour_fix: "adain" or "wavelet"; None leaves the colours as they are.
        strength: Share of the result, 0 to 1; the rest is the input.

    Raises:
        UnknownNameError: There is no such colour fix.
        InputError: The strength is not in [0, 1].

    Example:
        >>> from raim.restore import find_restorer
        >>> finish(find_restorer("bicubic-x2"), colour_fix="adain", strength=0.8).name
        '80% bicubic-x2, colours by adain'
    """
    if colour_fix is not None:
        restorer = fix_colours(restorer, colour_fix)
    return restorer if strength == 1 else blend(restorer, strength)
