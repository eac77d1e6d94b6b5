"""How strong the noise of a photograph is, from its pixels alone.

Small patches of a clean photograph lie near a plane of few dimensions; noise spreads over all of them alike. Of
the eigenvalues of the patches' covariance, the largest belong to the photograph; they are left out, one after
another, until the rest look like noise alone: until their mean is not above their median. That mean is sigma^2.

Noise that a camera has smoothed, as nearly every camera does, is no longer white, and texture hides it. What is left
of it shows in the flattest blocks of the photograph at half its size: `estimate_flat_noise`.

Sources: Chen, Zhu, Heng, "An efficient statistical method for image noise level estimation", ICCV 2015, algorithm 1
(patches of 8x8; here each colour has its patches, and sigma is the root of the mean of the variances); Immerkaer,
"Fast noise variance estimation", CVIU 64(2), 1996, equation 1 (the mask of second differences).
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from raim.restore.descriptor import SMALLEST_SIDE_PX, Photograph
from raim.restore.reduction import reduce

PATCH_PX = SMALLEST_SIDE_PX
# Patches that are looked at per colour: the estimate moves by under 1 % from this number on (measured).
MOST_PATCHES = 40_000
# Immerkaer's mask [1 -2 1]' [1 -2 1] has the norm 6: white noise keeps its sigma.
MASK_NORM = 6
FLATTEST = 20  # percentile of the blocks' residuals: flat places are seldom less of a photograph


def estimate_noise(image: Photograph) -> float:
    """Estimate the standard deviation of white noise.

    Noise that a camera or JPEG has smoothed is no longer white; this gives less than its deviation.

    Args:
        image: (h, w, 3) in [0, 1], at least 8x8.

    Returns:
        Sigma of 255, at least 0.

    Example:
        >>> grey = np.full((256, 256, 3), 0.5, np.float32)
        >>> noise = np.random.default_rng(0).normal(0, 10 / 255, grey.shape).astype(np.float32)
        >>> round(estimate_noise(grey + noise))
        10
    """
    variances = [_noise_variance(image[..., channel]) for channel in range(3)]
    return 255 * math.sqrt(max(float(np.mean(variances)), 0.0))


def _noise_variance(channel: Float32[np.ndarray, "h w"]) -> float:
    patches = sample_patches(channel)
    centred = patches - patches.mean(axis=0)
    covariance = centred.T.astype(np.float32) @ centred.astype(np.float32) / max(len(patches) - 1, 1)
    return noise_eigenvalue(np.linalg.eigvalsh(covariance.astype(np.float64)))


def sample_patches(channel: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "n p"]:
    """Take 8x8 patches on an even grid, at most about 40,000."""
    windows = np.lib.stride_tricks.sliding_window_view(channel, (PATCH_PX, PATCH_PX))
    step = max(1, math.ceil(math.sqrt(windows.shape[0] * windows.shape[1] / MOST_PATCHES)))
    step += step % 2 == 0 and step > 1  # an odd step meets every phase of a JPEG block or a colour filter
    return windows[::step, ::step].reshape(-1, PATCH_PX * PATCH_PX)


def noise_eigenvalue(values: Float64[np.ndarray, " n"]) -> float:
    """Return the mean of the eigenvalues, in ascending order, that are noise.

    Example:
        >>> noise_eigenvalue(np.array([0.9, 1.0, 1.1, 50.0]))
        1.0
    """
    for count in range(len(values), 0, -1):
        mean = float(values[:count].mean())
        if mean <= float(np.median(values[:count])) * (1 + 1e-9):
            return mean
    return float(values[0])


def estimate_flat_noise(image: Photograph) -> float:
    """Measure the noise of the flattest places at half the size: what is left of it behind a camera's smoothing.

    Returns:
        Twice the residual of second differences, of 255, in the 20th percentile of blocks of 8x8 pixels; a little
        less than sigma for white noise. 0 for photographs of less than 20x20 pixels.

    Example:
        >>> noise = np.random.default_rng(0).normal(0.5, 10 / 255, (512, 512, 3)).astype(np.float32)
        >>> round(estimate_flat_noise(noise), 1)
        9.1
    """
    return measure_residuals(reduce(image, 2), (FLATTEST,))[0] * 2


def measure_residuals(image: Photograph, percentiles: Sequence[float]) -> list[float]:
    """Measure what second differences leave in blocks of 8x8 pixels, of all colours together.

    Returns:
        The residual at each percentile of the blocks, from 0 (the flattest) to 100, of 255; white noise keeps its
        sigma. 0 where less than 10x10 pixels are given.

    Example:
        >>> noise = np.random.default_rng(0).normal(0.5, 10 / 255, (512, 512, 3)).astype(np.float32)
        >>> [round(residual) for residual in measure_residuals(noise, (5, 50, 95))]
        [9, 10, 12]
    """
    across = image[:, 2:] - 2 * image[:, 1:-1] + image[:, :-2]
    residual = across[2:] - 2 * across[1:-1] + across[:-2]
    height, width = (side // PATCH_PX * PATCH_PX for side in residual.shape[:2])
    if not height or not width:
        return [0.0] * len(percentiles)
    blocks = residual[:height, :width].reshape(height // PATCH_PX, PATCH_PX, width // PATCH_PX, PATCH_PX, 3)
    deviations = np.sqrt(np.mean(blocks.astype(np.float64) ** 2, axis=(1, 3, 4)))
    return [255 / MASK_NORM * float(value) for value in np.percentile(deviations, percentiles)]
