"""Blurring with mirrored edges: by a kernel, and by a Gaussian of any width.

The photograph goes on outside as its mirror image, so that a blur neither darkens the border nor changes a flat
picture. Both use Fourier methods; what they cost does not depend on the blur's width.

Source: Martucci, "Symmetric convolution and the discrete sine and cosine transforms", IEEE Transactions on Signal
Processing 42(5), 1994: a symmetric kernel on a half-sample mirrored signal is a product in the DCT-II.
"""

import numpy as np
from jaxtyping import Float

from raim.data.camera.arrays import Layers


def blur_with_kernel(picture: Layers, kernel: Float[np.ndarray, "k k"]) -> Layers:
    """Return each channel convolved with a kernel of odd size whose centre is its middle element."""
    from scipy.signal import oaconvolve

    margin = kernel.shape[0] // 2
    beside = [(0, 0)] * (picture.ndim - 2)
    padded = np.pad(picture, [(margin, margin), (margin, margin), *beside], mode="symmetric")
    weights = kernel.astype(np.float32).reshape(*kernel.shape, *(1 for _ in beside))
    return oaconvolve(padded, weights, mode="valid", axes=(0, 1)).astype(np.float32, copy=False)


def blur_gaussian(picture: Layers, sigma_px: float) -> Layers:
    """Return each channel blurred by a Gaussian, through its transform exp(-(sigma omega)^2 / 2)."""
    from scipy.fft import dctn, idctn

    if sigma_px == 0:
        return picture
    omegas = (np.pi * np.arange(side) / side for side in picture.shape[:2])
    response = np.outer(*(np.exp(-((sigma_px * each) ** 2) / 2).astype(np.float32) for each in omegas))
    spectrum = dctn(picture, axes=(0, 1))
    spectrum *= response if picture.ndim == 2 else response[..., None]
    return idctn(spectrum, axes=(0, 1), overwrite_x=True)
